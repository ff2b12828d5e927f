"""What the orchestrator knows of the cluster: verdicts, owners, epochs, who may accept writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hasim.model import Cluster, Master, Status
from hasim.services.failover.failover import Failover
from hasim.services.failover.orders import Orders
from hasim.services.failover.owners import Owners
from hasim.services.failover.writers import Writers

EPOCH_BITS = 32


@dataclass(slots=True)
class Known:
    """Shared by the parts of the orchestrator; only its own inputs change it.

    `owners` are those that confirmed last, and may be behind the truth; `epochs` are the
    highest that were ever ordered, whether or not anybody obeyed. What may go wrong lies
    between the two, and `writers` keeps the account of it. `orders` are all that were given.
    """

    masters: dict[str, Master]
    statuses: dict[str, Status]
    owners: Owners
    epochs: dict[str, int]
    writers: Writers
    orders: Orders
    homes: dict[str, str] = field(default_factory=dict)
    """The first owner of each partition."""
    moved_ns: dict[str, int] = field(default_factory=dict)
    """When a partition was last moved from an owner that had failed (nanoseconds)."""
    failed_ns: dict[str, int] = field(default_factory=dict)
    """When the own detection last declared a master failed (nanoseconds)."""
    silent: set[str] = field(default_factory=set)
    """Masters that have not said what they accept, since the term began."""

    @classmethod
    def at_start(cls, cluster: Cluster) -> Known:
        """Nobody has a verdict; every partition is with its first owner, under epoch 1."""
        return cls(
            masters={master.id: master for master in cluster.masters},
            statuses={master.id: Status.UNKNOWN for master in cluster.masters},
            owners=Owners({p.id: p.owner for p in cluster.partitions}),
            epochs={p.id: 1 for p in cluster.partitions},
            writers=Writers.at_start(cluster.partitions),
            orders=Orders(),
            homes={p.id: p.owner for p in cluster.partitions},
        )

    def still_owns(self, master: str) -> bool:
        """Whether `master`, if it lives, accepts writes for all that it is the owner of."""
        return all(self.writers.accepts(master, p) for p in self.owners.owned(master))

    def accepts_any(self, failover: Failover) -> bool:
        """Whether the owner of a failover may still accept writes for any of its partitions."""
        return any(self.writers.accepts(failover.master, p) for p in failover.partitions)

    def next_epoch(self, partitions: Sequence[str]) -> int:
        """One above all that was ever ordered for any of the partitions; it holds for all.

        The high 32 bits are the terms before the present one, so that epochs of two terms are
        never the same (ZooKeeper's zxid: the epoch of the leader, then a counter).
        Masters obey the highest epoch that they have heard of: an order that comes late, after
        a newer one, changes nothing.
        """
        epoch = 1 + max(self.epochs[partition] for partition in partitions)
        epoch = max(epoch, (self.orders.term - 1 << EPOCH_BITS) + 1)
        self.epochs.update(dict.fromkeys(partitions, epoch))
        return epoch
