"""A candidate to take over, as the rules of selection see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hasim.model import Master


@dataclass(frozen=True, slots=True)
class Candidate:
    """A master that may take over, and what is known of it.

    `owned`: the partitions that it owns already. `in_flight`: requests at it, by what gateways
    reported last. `rtt_ns`: the mean round trip from the gateways. `position`: how many writes of
    the partitions it says that it has received, -1 if it has said nothing (lately).
    """

    master: Master
    owned: int = 0
    in_flight: int = 0
    rtt_ns: int = 0
    position: int = -1

    @property
    def load(self) -> float:
        """Requests at it for each of its workers."""
        return self.in_flight / self.master.workers


Rule = Callable[[Sequence[Candidate]], list[Candidate]]
"""From the candidates (one at least) to those that are left."""


def least(candidates: Sequence[Candidate], value: Callable[[Candidate], float]) -> list[Candidate]:
    """The candidates for which a value is least."""
    best = min(map(value, candidates))
    return [one for one in candidates if value(one) == best]
