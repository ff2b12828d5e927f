"""What the orchestrator knows of the cluster: verdicts, owners, epochs, who may accept writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hasim.model import Cluster, Diagnosis, Master, Status
from hasim.services.failover.failover import Failover
from hasim.services.failover.failures import Failures
from hasim.services.failover.moved import Moved
from hasim.services.failover.orders import OpenOrder, Orders
from hasim.services.failover.owners import Owners
from hasim.services.failover.reports import Report
from hasim.services.failover.selection.candidate import Candidate
from hasim.services.failover.writers import Writers
from hasim.services.frozen import freeze, thaw

EPOCH_BITS = 32
LEARNED: Mapping[str, Any] = {
    "statuses": dict[str, Status],
    "epochs": dict[str, int],
    "writers": Writers,
    "silent": set[str],
    "unsure": set[str],
    "off_by_word": set[str],
    "moved": dict[str, Moved],
    "diagnoses": dict[str, Diagnosis],
    "failed_ns": dict[str, int],
    "failures": dict[str, Failures],
    "reports": dict[str, Report],
    "waited_for": dict[str, tuple[str, ...]],
    "in_flight": dict[str, dict[str, int]],
}
"""What a snapshot has as it stands, with its type."""


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
    moved: dict[str, Moved] = field(default_factory=dict)
    """By partition: its last move from an owner that had failed, unless that is acknowledged."""
    diagnoses: dict[str, Diagnosis] = field(default_factory=dict)
    """By master: how it had failed when it last had."""
    failed_ns: dict[str, int] = field(default_factory=dict)
    """When the own detection last declared a master failed (nanoseconds)."""
    failures: dict[str, Failures] = field(default_factory=dict)
    """How often masters were declared failed, who ever was."""
    silent: set[str] = field(default_factory=set)
    """Masters that have not said what they accept, since the term began."""
    unsure: set[str] = field(default_factory=set)
    """Masters whose leases the term has heard of, and that have not said since what they accept."""
    off_by_word: set[str] = field(default_factory=set)
    """Masters that are off, an operator says, and have given no sign of life since."""

    reports: dict[str, Report] = field(default_factory=dict)
    """What masters have told of their copies last."""
    waited_for: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By partition, the standbys for whose copies its owner waits, as that has told last."""
    in_flight: dict[str, dict[str, int]] = field(default_factory=dict)
    """Requests in flight at a master, by what each gateway has reported last."""
    rtt_ns: dict[str, int] = field(default_factory=dict)
    """The mean round trip from the gateways to a master (nanoseconds)."""
    now_ns: int = 0
    """When something was heard last."""

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
            rtt_ns={
                master.id: sum(row[place] for row in cluster.rtt_ns) // (len(cluster.rtt_ns) or 1)
                for place, master in enumerate(cluster.masters)
            },
        )

    def freeze(self) -> dict[str, Any]:
        """All that it has learned, as plain data: see `thaw`."""
        return {
            **{name: freeze(getattr(self, name)) for name in LEARNED},
            "owners": freeze(self.owners.by_partition),
            "term": self.orders.term,
            "orders_issued": self.orders.issued,
            "orders_open": freeze(self.orders.open),
        }

    def thaw(self, data: dict[str, Any]) -> None:
        """Know what was frozen, of the same cluster."""
        for name, kind in LEARNED.items():
            setattr(self, name, thaw(kind, data[name]))
        self.owners = Owners(thaw(dict[str, str], data["owners"]))
        self.orders = Orders(data["orders_issued"], thaw(list[OpenOrder], data["orders_open"]))
        self.orders.term = data["term"]

    def candidate(self, master: Master, partitions: Sequence[str]) -> Candidate:
        """What is known of a master that may take over these partitions."""
        report = self.reports.get(master.id)
        return Candidate(
            master,
            owned=len(self.owners.owned(master.id)),
            in_flight=sum(self.in_flight.get(master.id, {}).values()),
            rtt_ns=self.rtt_ns.get(master.id, 0),
            position=-1 if report is None else report.position(partitions),
        )

    def still_owns(self, master: str) -> bool:
        """Whether `master`, if it lives, accepts writes for all that it is the owner of."""
        return all(self.writers.accepts(master, p) for p in self.owners.owned(master))

    def accepts_any(self, failover: Failover) -> bool:
        """Whether the owner of a failover may still accept writes for any of its partitions."""
        return any(self.writers.accepts(failover.master, p) for p in failover.partitions)

    def outbid(self, partitions: Iterable[str], epoch: int) -> int:
        """The epoch of an order to stop: this one, and above all of the terms before.

        Nobody is promoted under it then: else a late word of a master that has stopped could not be
        told from one of a master that was promoted since, and has restarted. What was promoted in
        an earlier term this one may not have heard of.
        """
        epoch = max(epoch, self.orders.term - 1 << EPOCH_BITS)
        for partition in partitions:
            self.epochs[partition] = max(self.epochs[partition], epoch)
        return epoch

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
