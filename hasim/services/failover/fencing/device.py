"""Orders to a fencing device, which cuts a master's power beside the network."""

from __future__ import annotations

from typing import Annotated, Any

from hasim.events import CancelFence, Fence, FenceResult, Output
from hasim.services.failover.failover import Failover
from hasim.services.failover.fencing.fencing import Fencing, FencingSettings
from hasim.services.frozen import freeze, thaw
from hasim.settings import duration, settings
from hasim.units import SECOND


@settings
class DeviceSettings(FencingSettings):
    """What is common to those that order power-offs."""

    timeout_ns: Annotated[
        int,
        duration(
            "A fencing order without an answer after this time has failed.",
            source="Pacemaker stonith-timeout (60 s); shorter for a power switch",
            above=0,
        ),
    ] = 5 * SECOND

    @property
    def longest_ns(self) -> int:
        """Until the time-out."""
        return self.timeout_ns


class Device(Fencing):
    """Orders to the fencing device; `due_ns` has, by master, until when an answer is awaited.

    `last` is the number of the last order, by master.

    The device is asked once at a time about a master, however many failovers wait for it: a
    second power-off would strike a master that restarts as a standby by then. They share the
    answer, and the time-out.
    """

    def __init__(self, settings: DeviceSettings) -> None:
        self.settings = settings
        self.due_ns: dict[str, int] = {}
        self.last: dict[str, int] = {}

    def strike(self, now: int, failover: Failover, master: str) -> list[Output]:
        """Order a power-off, unless one of the same master is under way for another failover."""
        if self.under_way(now, master):
            failover.deadline_ns = self.due_ns[master]
            return []
        failover.deadline_ns = self.due_ns[master] = now + self.settings.timeout_ns
        order = self._known.orders.issue(Fence(failover.id, master))
        self.last[master] = order.order
        return [order]

    def under_way(self, now: int, master: str) -> bool:
        """Whether an answer of the device about a master is awaited."""
        return now < self.due_ns.get(master, now)

    def awaited(self, master: str) -> bool:
        """Whether one was, in time or not."""
        return master in self.due_ns

    def outstanding(self, master: str) -> bool:
        """Whether the device may yet carry out an order, be it one that was given up."""
        orders = self._known.orders.open
        return any(o.answer == FenceResult.__name__ and o.repeats[1] == master for o in orders)

    def newest(self, master: str, order: int) -> bool:
        """Whether this is the number of the last order about a master."""
        return self.last.get(master) == order

    def recall(self, now: int, failover: Failover) -> list[Output]:
        """Take back the order; the device answers it as one that has failed, if it is in time."""
        failover.deadline_ns = now + self.settings.timeout_ns
        last, term = self.last[failover.fencing], self._known.orders.term
        return [CancelFence(failover.id, failover.fencing, last, term)]

    def take_back(self, master: str) -> list[Output]:
        """Take back what was ordered by failovers that have given up."""
        if not self.outstanding(master):
            return []
        last = self.last[master]
        failover = next(o.repeats[0] for o in self._known.orders.open if o.repeats[1] == master)
        return [CancelFence(failover, master, last, self._known.orders.term)]

    def answered(self, master: str) -> None:
        """The device has answered, one way or the other: the next order is one of its own."""
        self.due_ns.pop(master, None)

    def begin(self, now: int) -> list[Output]:
        """What was ordered under another term awaits no answer, and shall strike nobody any more.

        Who is to be off is ordered off anew, once. What a process before this one had ordered may
        be forgotten, and its master be healthy: so nothing of an older term is left at the device.
        """
        self.due_ns.clear()
        term = self._known.orders.term
        return [CancelFence(0, m, 0, term) for m in self._known.masters] if term > 1 else []

    def freeze(self) -> dict[str, Any]:
        """Until when answers are awaited, and the last orders."""
        return {"due_ns": freeze(self.due_ns), "last": freeze(self.last)}

    def thaw(self, data: dict[str, Any]) -> None:
        """Go on from frozen data."""
        self.due_ns = thaw(dict[str, int], data["due_ns"])
        self.last = thaw(dict[str, int], data["last"])
