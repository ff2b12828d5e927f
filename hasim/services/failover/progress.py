"""Steps of the lifecycle: each is legal, has its line in the audit trail, and is told."""

from __future__ import annotations

from hasim.events import FailoverChanged, Output, PassedOver
from hasim.services.failover import lifecycle
from hasim.services.failover.audit import AuditTrail
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.orders import Orders


class Progress:
    """Takes failovers from state to state; `trail` has every step."""

    def __init__(self, failovers: Failovers, orders: Orders) -> None:
        self.trail = AuditTrail()
        self._failovers, self._orders = failovers, orders

    def advance(
        self,
        now: int,
        failover: Failover,
        trigger: str,
        reason: str,
        passed_over: tuple[PassedOver, ...] = (),
    ) -> list[Output]:
        """Take one step of the lifecycle; an illegal one raises and changes nothing.

        The last one is followed by the record of all of them.
        """
        old, new = failover.state, lifecycle.advance(failover.state, trigger)
        failover.state = new
        failover.deadline_ns = None
        if new != old:
            failover.until_ns = None
        self.trail.add(now, failover, old, trigger, reason, passed_over)
        changed = FailoverChanged(
            failover.id,
            failover.master,
            failover.partitions,
            old,
            new,
            trigger,
            failover.candidate,
            reason,
        )
        if failover.active:
            return [changed]
        failover.ended_ns = now
        self.trail.forget(self._failovers.end(failover, self._orders))
        return [changed, self.trail.concluded(failover)]

    @staticmethod
    def allow(now: int, failover: Failover, within_ns: int, again_ns: int = 0) -> None:
        """So long may the state last, within what is left of the failover.

        With `again_ns` something is done again after that time, as often as there is time.
        """
        if failover.until_ns is None:
            until_ns = now + within_ns
            if failover.expires_ns is not None:
                until_ns = min(until_ns, max(now, failover.expires_ns))
            failover.until_ns = until_ns
        next_ns = now + again_ns if again_ns else failover.until_ns
        failover.deadline_ns = min(next_ns, failover.until_ns)
