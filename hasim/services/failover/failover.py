"""One failover: how far it is, with whom, until when."""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.services.failover.lifecycle import TERMINAL


@dataclass(slots=True)
class Failover:
    """The present state of one failover; times in nanoseconds.

    `planned`: the owner lives and hands over by itself. `patient`: such a one waits for a
    candidate. `asked`: its owner was told to stop accepting writes. `target` is the only
    candidate, if somebody has chosen it. `deadline_ns` is when something is done if nothing is
    heard, `until_ns` when the state has lasted long enough, `expires_ns` the whole failover.
    `anyway`: nobody has passed the filters, and the best is promoted all the same.
    `order` is the number of the order whose answer it waits for, or waited for last.
    `stale` has the masters that may still accept what was moved, with the epoch under which they
    are told to stop; they are told next at `tell_ns`, and `tell_pause_ns` after that.
    """

    id: int
    master: str
    partitions: tuple[str, ...]
    started_ns: int
    state: str = ""
    planned: bool = False
    patient: bool = True
    target: str = ""
    candidate: str = ""
    tried: list[str] = field(default_factory=list)
    fencing: str = ""
    fence_orders: int = 0
    fence_pause_ns: int = 0
    asked: bool = False
    epoch: int = 0
    order: int = 0
    anyway: bool = False
    promotion_sent: bool = False
    deadline_ns: int | None = None
    until_ns: int | None = None
    expires_ns: int | None = None
    ended_ns: int | None = None
    stale: dict[str, int] = field(default_factory=dict)
    tell_ns: int | None = None
    tell_pause_ns: int = 0

    @property
    def active(self) -> bool:
        """It has not ended."""
        return self.state not in TERMINAL
