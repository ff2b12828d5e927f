"""Masters that may still accept writes of what was moved to another: they are told to stop.

Without fencing that is an old owner that comes back, and a candidate that never said that it had
stopped. Fencing by best effort has no other means.
"""

from __future__ import annotations

from hasim.events import AskMaster, Demote, Output
from hasim.model import Status
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.inquiry import Inquiry
from hasim.services.failover.known import Known
from hasim.services.failover.settings import FailoverSettings

LONGEST = 8
"""The pause between two orders grows to so many times the first one."""


class Returned:
    """Tells them again and again, since packets get lost and who is down hears nothing.

    They are told at once when somebody else was promoted, at their first sign of life, and
    between with pauses that grow. It ends when they confirm, or are powered off. `claims_ns`
    says when one is told next of what it was found to accept beside the owner, by no failover that
    is known, or is asked next what it accepts.
    """

    def __init__(
        self, settings: FailoverSettings, known: Known, failovers: Failovers, inquiry: Inquiry
    ) -> None:
        self.claims_ns: dict[str, int] = {}
        self._inquiry = inquiry
        self._settings, self._known, self._failovers = settings, known, failovers

    def promoted(self, now: int, failover: Failover) -> list[Output]:
        """Somebody was promoted: whoever else may accept writes of the partitions shall stop.

        Under the epoch of that promotion, so that an order that comes late cannot demote a
        master from what it was given since.
        """
        others = self._known.writers.of(failover.partitions)
        stale = {m: failover.epoch for m in others if m != failover.candidate}
        return self.begin(now, failover, stale)

    def begin(self, now: int, failover: Failover, stale: dict[str, int]) -> list[Output]:
        """Tell these masters to stop under these epochs, now and until they confirm.

        Who is told so for an earlier failover of the same partitions, under an earlier epoch, is
        told by this one alone: a master that is away for long is not told by ever more of them.
        """
        for other in self._failovers.telling():
            if other is not failover and set(other.partitions) <= set(failover.partitions):
                for master in stale.keys() & other.stale.keys():
                    del other.stale[master]
                self._settle(other)
        failover.stale |= stale
        failover.tell_pause_ns = self._settings.demote_retry_ns
        if failover.stale and self._settings.role_grace_ns:
            failover.tell_ns = None  # until it returns
            self._settle(failover)
            return []
        return self._tell(now, failover) if failover.stale else []

    def heard_of(self, now: int, master: str) -> list[Output]:
        """A master gives a sign of life: it is told at once."""
        if self._settings.role_grace_ns:
            self._grant_grace(now, master)
            return []
        out: list[Output] = []
        for failover in self._failovers.telling():
            if master in failover.stale:
                failover.tell_pause_ns = self._settings.demote_retry_ns
                out += self._tell(now, failover)
        return out + self.claimed(now, master)

    def _grant_grace(self, now: int, master: str) -> None:
        """A master that may have to stop is told so later, unless that is planned already."""
        for failover in self._failovers.telling():
            if master in failover.stale and failover.tell_ns is None:
                failover.tell_ns = now + self._inquiry.grace_ns(master, failover.id)
        if master not in self.claims_ns:
            self.claims_ns[master] = now + self._inquiry.grace_ns(master, self._known.orders.issued)

    def failed(self, master: str) -> None:
        """It is gone again: what it was to be told later, it is told after its next return."""
        if self._settings.role_grace_ns:
            self.claims_ns.pop(master, None)
            for failover in self._failovers.telling():
                if master in failover.stale:
                    failover.tell_ns = None

    def claimed(self, now: int, master: str) -> list[Output]:
        """An order to step down from what it was found to accept beside the owner (see `learn`)."""
        known = self._known
        busy = {p for failover in self._failovers.active for p in failover.partitions}
        told = {p for f in self._failovers.telling() if master in f.stale for p in f.partitions}
        claimed = [
            partition
            for partition in known.writers.taken_by(master)
            if known.owners.of(partition) != master and partition not in busy | told
        ]
        if master in known.silent:
            return self.ask(now, master) if known.statuses[master] is Status.HEALTHY else []
        self.claims_ns.pop(master, None)
        if not claimed:
            return []
        self.claims_ns[master] = now + self._settings.demote_timeout_ns
        # Above its own as well: it may have been promoted last, though somebody else is the owner.
        own = (1 + known.writers.epoch(master, partition) for partition in claimed)
        epoch = max(*(known.epochs[partition] for partition in claimed), *own)
        epoch = known.outbid(claimed, epoch)
        return [known.orders.issue(Demote(0, tuple(claimed), master, epoch))]

    def ask(self, now: int, master: str) -> list[Output]:
        """Nobody knows what it accepts: it is asked, and asked again until it answers."""
        known = self._known
        known.silent.add(master)
        self.claims_ns[master] = now + self._settings.demote_timeout_ns
        return [AskMaster(master, known.orders.term)]

    def confirmed(self, failover: Failover, master: str, epoch: int) -> None:
        """A master says that it accepts nothing under an epoch below this one."""
        if failover.stale.get(master, epoch + 1) <= epoch:
            del failover.stale[master]
            self._settle(failover)

    def powered_off(self, master: str) -> None:
        """A master is off; it restarts as a standby."""
        for failover in self._failovers.telling():
            if failover.stale.pop(master, None) is not None:
                self._settle(failover)

    def due(self, now: int) -> list[Output]:
        """The orders to those that have not confirmed in time."""
        out: list[Output] = []
        for failover in self._failovers.telling():
            if failover.tell_ns is not None and now >= failover.tell_ns:
                out += self._tell(now, failover)
        for master in [master for master, at in self.claims_ns.items() if now >= at]:
            del self.claims_ns[master]
            if self._known.statuses[master] is Status.HEALTHY:
                out += self.claimed(now, master)
        return out

    def next_ns(self) -> int:
        """When somebody is told again (nanoseconds); `NEVER` if nobody is."""
        told_ns = self._failovers.told_next_ns()
        return min(told_ns, *self.claims_ns.values()) if self.claims_ns else told_ns

    def _tell(self, now: int, failover: Failover) -> list[Output]:
        for master in [m for m in failover.stale if not self._may_accept(m, failover)]:
            del failover.stale[master]  # it was promoted anew since
        self._settle(failover)
        if failover.stale:
            failover.tell_ns = now + failover.tell_pause_ns
            longest_ns = LONGEST * self._settings.demote_retry_ns
            failover.tell_pause_ns = min(2 * failover.tell_pause_ns, longest_ns)
        return [
            self._known.orders.issue(Demote(failover.id, failover.partitions, master, epoch))
            for master, epoch in failover.stale.items()
        ]

    def _may_accept(self, master: str, failover: Failover) -> bool:
        epochs = (self._known.writers.epoch(master, p) for p in failover.partitions)
        return any(0 < epoch < failover.stale[master] for epoch in epochs)

    def _settle(self, failover: Failover) -> None:
        if failover.stale:
            self._failovers.tell(failover)
        else:
            failover.tell_ns = None
            self._failovers.told(failover)
