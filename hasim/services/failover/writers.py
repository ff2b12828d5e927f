"""Who may accept writes: the record that makes sure that there is never a second one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hasim.model import Partition


@dataclass(slots=True)
class Writers:
    """By partition: every master that may accept its writes, with the highest epoch it was given.

    `told` has the number of the order by which it was told so; who is not in it was never told.

    A master is on record from the moment in which it is told to promote itself,
    whether or not it answers, until it is known to be off or has itself said that it
    accepts nothing under that epoch.
    """

    epochs: dict[str, dict[str, int]]
    told: dict[str, dict[str, int]] = field(default_factory=dict)

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

    def taken_by(self, master: str) -> list[str]:
        """The partitions whose writes `master` may accept, in their order."""
        # As a plain loop over all: each of many masters is asked for as it starts.
        return [partition for partition, writers in self.epochs.items() if master in writers]

    def epoch(self, master: str, partition: str) -> int:
        """The highest epoch that `master` was given; 0 if it accepts nothing of the partition."""
        return self.epochs[partition].get(master, 0)

    def told_to_promote(self, master: str, partition: str, epoch: int, order: int) -> None:
        """Order number `order`, to promote itself, is on its way to `master`."""
        self.epochs[partition][master] = epoch
        self.told.setdefault(partition, {})[master] = order

    def deposed(self, partition: str, by: str) -> None:
        """Whoever else had the partition stops when it meets the newer token of `by`.

        It may have met it although nobody heard of that promotion: it is not counted upon.
        """
        told = self.told.get(partition, {})
        for master in [master for master in self.epochs[partition] if master != by]:
            del self.epochs[partition][master]
            told.pop(master, None)

    def powered_off(self, master: str, order: int) -> None:
        """Order number `order` switched `master` off; it restarted as a standby of everything.

        What it was told to take after that order was given, it may have taken after the restart.
        """
        for partition, writers in self.epochs.items():
            told = self.told.get(partition, {})
            if told.get(master, 0) < order:
                writers.pop(master, None)
                told.pop(master, None)

    def lapsed(self, master: str, awaited: Iterable[int]) -> None:
        """`master` had no lease for a while, and accepts nothing that it was told before.

        Of orders that still await an answer nobody knows whether they came before or after.
        """
        may_come = set(awaited)
        for partition, writers in self.epochs.items():
            told = self.told.get(partition, {})
            if told.get(master, 0) not in may_come:
                writers.pop(master, None)
                told.pop(master, None)

    def stopped(self, master: str, partitions: Iterable[str], epoch: int) -> None:
        """`master` said itself that it accepts the partitions' writes under no epoch below."""
        for partition in partitions:
            writers = self.epochs[partition]
            if writers.get(master, epoch) < epoch:
                del writers[master]
                self.told.get(partition, {}).pop(master, None)
