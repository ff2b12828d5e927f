"""Fencing: nobody is promoted before whoever may accept writes is known to be off."""

from __future__ import annotations

from hasim.events import CancelFence, Demote, Fence, FenceResult, OrderRefused, Output
from hasim.model import Status
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

    @property
    def best_effort(self) -> bool:
        """Whether one order is enough, whatever becomes of it."""
        return self._settings.mode == "best-effort"

    def dangerous(self, failover: Failover) -> list[str]:
        """Whoever must be off before somebody is promoted, in the order in which to fence.

        Not the declared owner alone: also each candidate that was told to promote itself and
        has not said that it did not.
        """
        return self._known.writers.of(failover.partitions) if self.used else []

    def order(
        self,
        now: int,
        failover: Failover,
        master: str,
        demote_timeout_ns: int,
        refused: str = "",
    ) -> list[Output]:
        """Order a power-off, unless one of the same master is under way for another failover.

        Who is declared healthy and owns something is not powered off for what it was told by
        the way: it is told to stop that. If its host has `refused` that already, since nobody
        listens there, it is no longer healthy, and that is told instead.
        """
        failover.fencing = master
        failover.fence_orders += 1
        known = self._known
        if known.statuses[master] is Status.HEALTHY and known.owners.owned(master):
            failover.deadline_ns = now + demote_timeout_ns
            if refused:
                return [OrderRefused(master, refused)]
            epoch = 1 + max(known.writers.epoch(master, p) for p in failover.partitions)
            told = Demote(failover.id, failover.partitions, master, epoch)
            return [known.orders.issue(told)]
        if self.under_way(now, master):
            failover.deadline_ns = self.due_ns[master]
            return []
        failover.deadline_ns = self.due_ns[master] = now + self._settings.timeout_ns
        order = self._known.orders.issue(Fence(failover.id, master))
        self.last[master] = order.order
        return [order]

    def outstanding(self, master: str) -> bool:
        """Whether the device may yet carry out an order, be it one that was given up."""
        orders = self._known.orders.open
        return any(o.answer == FenceResult.__name__ and o.repeats[1] == master for o in orders)

    def pause_ns(self, failover: Failover) -> int:
        """How long to wait after a refusal: twice as long as the last time, up to the time-out."""
        longest_ns = max(self._settings.backoff_ns, self._settings.timeout_ns)
        failover.fence_pause_ns = min(
            2 * failover.fence_pause_ns or self._settings.backoff_ns, longest_ns
        )
        return failover.fence_pause_ns

    def under_way(self, now: int, master: str) -> bool:
        """Whether an answer of the device about a master is awaited."""
        return now < self.due_ns.get(master, now)

    def recall(self, now: int, failover: Failover) -> list[Output]:
        """Take back the order; the device answers it as one that has failed, if it is in time."""
        failover.deadline_ns = now + self._settings.timeout_ns
        return [CancelFence(failover.id, failover.fencing, self.last[failover.fencing])]

    def take_back(self, master: str) -> list[Output]:
        """Take back what was ordered by failovers that have given up."""
        if not self.outstanding(master):
            return []
        last = self.last[master]
        failover = next(o.repeats[0] for o in self._known.orders.open if o.repeats[1] == master)
        return [CancelFence(failover, master, last)]

    def exhausted(self, failover: Failover) -> bool:
        """Whether as many orders have failed as may."""
        return failover.fence_orders >= self._settings.attempts

    def answered(self, master: str) -> None:
        """The device has answered, one way or the other: the next order is one of its own."""
        self.due_ns.pop(master, None)
