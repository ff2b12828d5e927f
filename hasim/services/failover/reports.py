"""What masters have said of themselves: how far their copies are, and how busy they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hasim.events import Replica


@dataclass(slots=True)
class Report:
    """The last report of a master, and when it was heard (nanoseconds): evidence has an age."""

    at_ns: int
    copies: dict[str, Replica]

    @classmethod
    def of(cls, now: int, copies: Iterable[Replica]) -> Report:
        """One that is heard now."""
        return cls(now, {copy.partition: copy for copy in copies})

    def position(self, partitions: Iterable[str]) -> int:
        """The writes received of some partitions, all together; -1 without a copy of each."""
        own = [self.copies.get(partition) for partition in partitions]
        return -1 if None in own else sum(copy.received for copy in own if copy is not None)

    def has_unapplied(self, partitions: Iterable[str]) -> bool:
        """Whether it had received writes of some partitions that it had not applied."""
        own = [self.copies[partition] for partition in partitions if partition in self.copies]
        return any(copy.applied < copy.received for copy in own)

    def behind_at(self, now: int, partitions: Iterable[str]) -> int | None:
        """For how long it may by now have missed writes; None without a copy of each (ns)."""
        own = [self.copies.get(partition) for partition in partitions]
        if not own or None in own:
            return None
        return now - self.at_ns + max(copy.behind_ns for copy in own if copy is not None)
