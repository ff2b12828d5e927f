"""Fencing: nobody is promoted before whoever may accept writes is known to be off."""

from __future__ import annotations

from hasim.events import Fence, Output
from hasim.services.failover.failover import Failover
from hasim.services.failover.known import Known
from hasim.services.failover.settings import FencingSettings


class Fencing:
    """Orders to the fencing device; `due_ns` has, by master, until when an answer is awaited.

    `last` is the number of the last order, by master.

    The device is asked once at a time about a master, however many failovers wait for it: a
    second power-off would strike a master that restarts as a standby by then. They share the
    answer, and the time-out.
    """

    def __init__(self, settings: FencingSettings, known: Known) -> None:
        self.due_ns: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self._settings, self._known = settings, known

    @property
    def used(self) -> bool:
        """Whether there is any fencing."""
        return self._settings.mode != "none"

    def dangerous(self, failover: Failover) -> list[str]:
        """Whoever must be off before somebody is promoted, in the order in which to fence.

        Not the declared owner alone: also each candidate that was told to promote itself and
        has not said that it did not.
        """
        return self._known.writers.of(failover.partitions) if self.used else []

    def order(self, now: int, failover: Failover, master: str) -> list[Output]:
        """Order a power-off, unless one of the same master is under way for another failover."""
        failover.fencing = master
        failover.fence_orders += 1
        if now < self.due_ns.get(master, now):
            failover.deadline_ns = self.due_ns[master]
            return []
        failover.deadline_ns = self.due_ns[master] = now + self._settings.timeout_ns
        order = self._known.orders.issue(Fence(failover.id, master))
        self.last[master] = order.order
        return [order]

    def exhausted(self, failover: Failover) -> bool:
        """Whether as many orders have failed as may."""
        return failover.fence_orders >= self._settings.attempts

    def answered(self, master: str) -> None:
        """The device has answered, one way or the other: the next order is one of its own."""
        self.due_ns.pop(master, None)
