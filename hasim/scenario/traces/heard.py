"""What was heard of masters, and when they were down: what detectors are compared on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from hasim.model import Cause

Kind = Literal["heartbeat", "check"]


class Heard(NamedTuple):
    """One heartbeat that was heard, or one check that ended; times in nanoseconds.

    `number` is a heartbeat's by the master's clock, or that of the check. A check took `took_ns`, a
    heartbeat was that long under way (0: not known).
    """

    t_ns: int
    number: int
    took_ns: int
    cause: Cause
    kind: Kind


@dataclass(frozen=True)
class Evidence:
    """All that was heard, master by master, in order.

    `outages` are the (start, end) of each master's, disjoint and in order; None if nobody has
    said when masters were down. `period_ns` is the regular time between two hearings.
    """

    heard: Mapping[str, Sequence[Heard]]
    period_ns: int
    begins_ns: int
    ends_ns: int
    outages: Mapping[str, Sequence[tuple[int, int]]] | None = None
    said: Sequence[str] = field(default_factory=tuple)
    """What was found or assumed while it was read, for a reader."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What was heard: heartbeats, checks, or both."""
        found = {heard.kind for each in self.heard.values() for heard in each}
        kinds: tuple[Kind, ...] = ("heartbeat", "check")
        return tuple(kind for kind in kinds if kind in found)

    @property
    def count(self) -> int:
        """How much was heard."""
        return sum(map(len, self.heard.values()))
