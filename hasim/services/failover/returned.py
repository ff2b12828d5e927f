"""Old owners that come back: without fencing one may still accept writes, and is told to stop."""

from __future__ import annotations

from hasim.events import Demote, Output
from hasim.model import Status
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.services.failover.settings import FailoverSettings


class Returned:
    """Tells them again and again, since packets get lost: `again_ns` says when next, by master.

    It ends when the master confirms, or is no longer declared healthy; then it is told once
    more when it returns.
    """

    def __init__(self, settings: FailoverSettings, known: Known, failovers: Failovers) -> None:
        self.again_ns: dict[str, int] = {}
        self._settings, self._known, self._failovers = settings, known, failovers

    def demote(self, now: int, master: str) -> list[Output]:
        """Orders to step down from all that was moved away from `master` and it may still serve.

        Under the epoch of the promotion that followed it, so that an order that comes late
        cannot demote `master` from what it was given since.
        """
        orders = self._claimed(master)
        orders += [
            self._known.orders.issue(Demote(f.id, f.partitions, master, f.epoch))
            for f in self._failovers.completed(master)
            if any(self._may_serve(master, partition) for partition in f.partitions)
        ]
        if orders:
            self.again_ns[master] = now + self._settings.demote_timeout_ns
        return orders

    def _claimed(self, master: str) -> list[Output]:
        """An order to step down from what it was found to accept beside the owner (see `learn`)."""
        known = self._known
        told = {p for f in self._failovers.completed(master) for p in f.partitions}
        claimed = [p for p in known.epochs if self._may_serve(master, p) and p not in told]
        claimed = [p for p in claimed if p not in self._busy() and master not in known.silent]
        if not claimed:
            return []
        epoch = max(known.epochs[partition] for partition in claimed)
        return [known.orders.issue(Demote(0, tuple(claimed), master, epoch))]

    def _busy(self) -> set[str]:
        return {p for failover in self._failovers.active for p in failover.partitions}

    def due(self, now: int) -> list[Output]:
        """The orders of those that have not confirmed in time."""
        out: list[Output] = []
        for master in [master for master, at in self.again_ns.items() if now >= at]:
            del self.again_ns[master]
            if self._known.statuses[master] is Status.HEALTHY:
                out += self.demote(now, master)
        return out

    def _may_serve(self, master: str, partition: str) -> bool:
        known = self._known
        return known.writers.accepts(master, partition) and known.owners.of(partition) != master
