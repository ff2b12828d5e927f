"""One failover: how far it is, with whom, until when."""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.services.failover.lifecycle import TERMINAL


@dataclass(slots=True)
class Failover:
    """The present state of one failover; times in nanoseconds.

    `order` is the number of the order whose answer it waits for, or waited for last.
    """

    id: int
    master: str
    partitions: tuple[str, ...]
    started_ns: int
    state: str = ""
    candidate: str = ""
    tried: list[str] = field(default_factory=list)
    fencing: str = ""
    fence_orders: int = 0
    epoch: int = 0
    order: int = 0
    promotion_sent: bool = False
    deadline_ns: int | None = None
    ended_ns: int | None = None

    @property
    def active(self) -> bool:
        """It has not ended."""
        return self.state not in TERMINAL
