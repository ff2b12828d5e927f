"""What every master is to the routing: may it take messages, does it drain, is it there at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hasim.model import Cluster, Ownership, RoutingTable
from hasim.services.frozen import freeze, thaw


class Standing:
    """The parts of a routing table, by master and by partition, as they are at present.

    Lists in the order of the cluster's masters: `eligible` (may take messages), `draining`
    (gets what it owns alone), `away` (absent, removed or in maintenance; eligible as long as
    nobody has taken over what it owns). `owners` are those
    of the partitions. The control plane changes it by its verdicts, a gateway by the tables
    that it is sent.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.ids = tuple(master.id for master in cluster.masters)
        self.index = {master: number for number, master in enumerate(self.ids)}
        self.eligible = [not master.absent for master in cluster.masters]
        self.draining = [False] * len(self.ids)
        self.away = [master.absent for master in cluster.masters]
        self.owners = {p.id: Ownership(p.id, p.owner, 1) for p in cluster.partitions}

    def table(self, version: int, algorithm: str, term: int = 1) -> RoutingTable:
        """All of it as a routing table."""
        return RoutingTable(
            version,
            self.named(self.eligible),
            tuple(self.owners.values()),
            algorithm,
            self.named(self.draining),
            self.named(self.away),
            term,
        )

    def take(self, table: RoutingTable) -> None:
        """All of it as a routing table says."""
        for flags, of in (
            (self.eligible, table.eligible),
            (self.draining, table.draining),
            (self.away, table.away),
        ):
            named = frozenset(of)
            flags[:] = [master in named for master in self.ids]
        self.owners = {owner.partition: owner for owner in table.owners}

    def named(self, flags: Sequence[bool]) -> tuple[str, ...]:
        """The masters with a flag, by name."""
        return tuple(master for master, flag in zip(self.ids, flags, strict=True) if flag)

    def owner_of(self, partition: str) -> str:
        """The owner of a partition. KeyError for an unknown one."""
        return self.owners[partition].owner

    def owns(self, master: str) -> bool:
        """Whether a master owns any partition."""
        return any(owner.owner == master for owner in self.owners.values())

    def release(self) -> None:
        """Who is away and was eligible for the sake of what it owned, and owns nothing any more,
        gets no messages."""
        for index, master in enumerate(self.ids):
            if self.away[index] and self.eligible[index] and not self.owns(master):
                self.eligible[index] = self.draining[index] = False

    def is_eligible(self, master: str) -> bool:
        """Whether a master may take messages. KeyError for an unknown one."""
        return self.eligible[self.index[master]]

    def eligible_masters(self) -> list[str]:
        """Masters that may take messages."""
        return list(self.named(self.eligible))

    def usable_masters(self) -> list[str]:
        """Masters that may take stateless messages: eligible and not drained."""
        flags = zip(self.ids, self.eligible, self.draining, strict=True)
        return [master for master, eligible, draining in flags if eligible and not draining]

    def freeze(self) -> dict[str, Any]:
        """The state as plain data."""
        return {
            "eligible": freeze(self.eligible),
            "draining": freeze(self.draining),
            "away": freeze(self.away),
            "owners": freeze(self.owners),
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self.eligible[:] = data["eligible"]
        self.draining[:] = data["draining"]
        self.away[:] = data["away"]
        self.owners = thaw(dict[str, Ownership], data["owners"])
