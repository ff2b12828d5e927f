"""Who may accept writes: the record that makes sure that there is never a second one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hasim.model import Partition


@dataclass(slots=True)
class Writers:
    """By partition: every master that may accept its writes, with the highest epoch it was given.

    A master is on record from the moment in which it is told to promote itself,
    whether or not it answers, until it is known to be off or has itself said that it
    accepts nothing under that epoch.
    """

    epochs: dict[str, dict[str, int]]

    @classmethod
    def at_start(cls, partitions: Iterable[Partition]) -> Writers:
        """Each partition's owner, under epoch 1."""
        return cls({partition.id: {partition.owner: 1} for partition in partitions})

    def of(self, partitions: Iterable[str]) -> list[str]:
        """Whoever may accept writes for any of the partitions, in a fixed order."""
        return list(dict.fromkeys(m for p in partitions for m in self.epochs[p]))

    def accepts(self, master: str, partition: str) -> bool:
        """Whether `master` may accept writes for the partition."""
        return master in self.epochs[partition]

    def told_to_promote(self, master: str, partition: str, epoch: int) -> None:
        """An order to promote itself is on its way to `master`."""
        self.epochs[partition][master] = epoch

    def powered_off(self, master: str) -> None:
        """`master` is off; it restarts as a standby of everything."""
        for writers in self.epochs.values():
            writers.pop(master, None)

    def stopped(self, master: str, partitions: Iterable[str], epoch: int) -> None:
        """`master` said itself that it accepts the partitions' writes under no epoch below."""
        for partition in partitions:
            writers = self.epochs[partition]
            if writers.get(master, epoch) < epoch:
                del writers[master]
