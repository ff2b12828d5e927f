"""Who owns what: by partition, and by master without a look at the others."""

from __future__ import annotations

from collections.abc import Mapping


class Owners:
    """The owner of each partition; the partitions are ranked as they are given."""

    def __init__(self, owners: Mapping[str, str]) -> None:
        self.by_partition = dict(owners)
        self._rank = {partition: rank for rank, partition in enumerate(owners)}
        self._owned: dict[str, set[str]] = {}
        for partition, master in owners.items():
            self._owned.setdefault(master, set()).add(partition)

    def of(self, partition: str) -> str:
        """The owner of a partition. KeyError for an unknown one."""
        return self.by_partition[partition]

    def owned(self, master: str) -> tuple[str, ...]:
        """The partitions that a master owns, by rank."""
        return tuple(sorted(self._owned.get(master, ()), key=self._rank.__getitem__))

    def counts(self) -> dict[str, int]:
        """How many partitions each master owns; who is not in it owns none."""
        return {master: len(owned) for master, owned in self._owned.items()}

    def change(self, partition: str, master: str) -> None:
        """The partition belongs to this master from now on."""
        self._owned[self.by_partition[partition]].discard(partition)
        self._owned.setdefault(master, set()).add(partition)
        self.by_partition[partition] = master
