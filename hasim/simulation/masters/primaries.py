"""The roles of a master: whose writes it accepts, and by which order."""

from __future__ import annotations

from collections.abc import Callable

from hasim.model import Cause, Ownership


class Primaries:
    """By partition that it is primary of, the epoch of the order; `changed` is told of changes.

    `term` is the highest of which it has heard, granted to a control plane's `claim`. `may_lead`
    says whether it has a lease, where those are needed. All of it is kept through restarts.
    """

    id: str

    def __init__(self, changed: Callable[[], None]) -> None:
        self.primaries: dict[str, int] = {}
        self._floors: dict[str, int] = {}
        self.term = 1
        self.claim = ""
        self.may_lead = True
        self._changed = changed

    def obeys(self, term: int) -> bool:
        """Whether it does as it is told under a term: not if it has heard of a later one."""
        if term < self.term:
            return False
        if term > self.term:
            self.term, self.claim = term, ""
        return True

    def grant(self, term: int, claim: str) -> None:
        """A control plane asks for a term: it is granted if it is later than all heard of.

        Also the latest, where that is known by an order under it, and granted to nobody.
        """
        if term > self.term or (term == self.term and not self.claim):
            self.term, self.claim = term, claim

    def known(self) -> tuple[Ownership, ...]:
        """The highest epoch that it has heard of each partition, and whether it writes under it."""
        heard = {**self._floors, **self.primaries}
        return tuple(
            Ownership(partition, self.id if partition in self.primaries else "", epoch)
            for partition, epoch in heard.items()
        )

    def promote(self, partitions: tuple[str, ...], epoch: int) -> Cause:
        """Accept writes for `partitions` under `epoch`, unless a newer order forbids it."""
        if any(epoch < self._floors.get(p, 0) for p in partitions):
            return Cause.REJECTED
        for partition in partitions:
            self.primaries[partition] = epoch
            self._floors[partition] = epoch
        self._changed()
        return Cause.OK

    def demote(self, partitions: tuple[str, ...], epoch: int) -> None:
        """Stop accepting writes under any epoch below `epoch`."""
        for partition in partitions:
            self._floors[partition] = max(epoch, self._floors.get(partition, 0))
            if self.primaries.get(partition, epoch) < epoch:
                del self.primaries[partition]
        self._changed()

    def forget_roles(self) -> None:
        """A fenced master comes back as a standby of everything."""
        self.primaries.clear()
