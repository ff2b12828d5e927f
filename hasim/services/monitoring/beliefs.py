"""What the other services said last: statuses, owners, failovers, who is served."""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.events import (
    AlgorithmSwitched,
    Event,
    FailoverChanged,
    OwnerChanged,
    RoutingConverged,
    ServiceFailed,
    StatusChanged,
    TermBegun,
)
from hasim.model import Cluster, Diagnosis, Status

TIER = "tier"
"""Stands for the partitions of a tier without state, which has none."""
OUT = frozenset({Status.FAILED, Status.RECOVERING, Status.MAINTENANCE})
"""Whoever has one of these gets no messages."""
ENDED = ("completed", "cancelled", "failed")
"""The terminal states of a failover."""


@dataclass(slots=True)
class MasterBelief:
    """The last verdict on a master, and when it was given."""

    status: Status = Status.UNKNOWN
    diagnosis: Diagnosis = Diagnosis.NONE
    reason: str = ""
    since_ns: int = 0


@dataclass(slots=True)
class PartitionBelief:
    """Owner and service of a partition.

    `moved` is set between a confirmed new owner and the routing's convergence.
    """

    owner: str
    epoch: int = 1
    served: bool = True
    moved: bool = False
    since_ns: int = 0


@dataclass(slots=True)
class FailoverBelief:
    """A failover that has not ended, with its present state."""

    master: str
    partitions: list[str]
    state: str
    candidate: str
    declared_ns: int
    since_ns: int


@dataclass(slots=True)
class Beliefs:
    """The monitor's picture of the cluster, built from events alone.

    A partition is unserved from the declared failure of its owner (or from the
    declaration of a failover that names it) until one of: a new owner was
    confirmed and every gateway routes to it; its failover completed or was
    cancelled; its owner is healthy again and no failover is under way. It is
    never believed served while its owner is declared failed. A cluster without
    partitions (a tier without state) is unserved as a whole while every master is out.
    """

    masters: dict[str, MasterBelief]
    partitions: dict[str, PartitionBelief]
    failovers: dict[int, FailoverBelief] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ENDED, 0))
    service_errors: dict[str, str] = field(default_factory=dict)
    algorithm: str | None = None
    routing_version: int | None = None
    unsettled: set[str] = field(init=False, repr=False, compare=False)
    """The partitions that are unserved or moved: few, so that a verdict need not look at all."""

    def __post_init__(self) -> None:
        known = self.partitions.items()
        self.unsettled = {p for p, belief in known if belief.moved or not belief.served}

    @classmethod
    def of(cls, cluster: Cluster) -> Beliefs:
        """The beliefs before the first event: nobody judged, everybody served."""
        first = {m.id: Status.MAINTENANCE if m.absent else Status.UNKNOWN for m in cluster.masters}
        return cls(
            {master: MasterBelief(status) for master, status in first.items()},
            {p.id: PartitionBelief(p.owner) for p in cluster.partitions},
        )

    def apply(self, now: int, event: Event) -> None:
        """Take over what an event says; events of no interest change nothing."""
        match event:
            case StatusChanged():
                self._status(now, event)
            case FailoverChanged():
                self._failover(now, event)
            case OwnerChanged(partition, owner, epoch):
                known = self.partitions[partition]
                if epoch >= known.epoch:
                    known.owner, known.epoch, known.moved = owner, epoch, True
                    self.unsettled.add(partition)
            case TermBegun(_, owners):
                for each in owners:
                    at = self.partitions[each.partition]
                    at.owner, at.epoch = each.owner, max(at.epoch, each.epoch)
            case RoutingConverged(version):
                self.routing_version = version
                for partition in list(self.unsettled):
                    if self.partitions[partition].moved:
                        self._serve(now, partition)
            case AlgorithmSwitched(_, new):
                self.algorithm = new
            case ServiceFailed(service, error):
                self.service_errors[service] = error

    def unserved(self) -> set[str]:
        """The partitions that are believed unserved; `TIER` if there are none, and it is."""
        if not self.partitions:
            return {TIER} if all(m.status in OUT for m in self.masters.values()) else set()
        return {p for p in self.unsettled if not self.partitions[p].served}

    def has_failover(self, master: str) -> bool:
        """Whether a failover of `master` is under way."""
        return any(f.master == master for f in self.failovers.values())

    def _status(self, now: int, event: StatusChanged) -> None:
        self.masters[event.master] = MasterBelief(event.new, event.diagnosis, event.reason, now)
        if event.new is Status.FAILED:
            for partition, known in self.partitions.items():
                if known.owner == event.master:
                    self._unserve(now, partition)
        elif event.new is Status.HEALTHY:
            busy = {p for f in self.failovers.values() for p in f.partitions}
            for partition in self.unsettled - busy:
                if self.partitions[partition].owner == event.master:
                    self._serve(now, partition)

    def _failover(self, now: int, event: FailoverChanged) -> None:
        if event.new in ENDED:
            self.failovers.pop(event.failover, None)
            self.ended[event.new] += 1
        else:
            known = self.failovers.get(event.failover)
            self.failovers[event.failover] = FailoverBelief(
                event.master,
                list(event.partitions),
                event.new,
                event.candidate,
                now if known is None else known.declared_ns,
                now,
            )
        if event.new == "declared":
            for partition in event.partitions:
                self._unserve(now, partition)
        elif event.new in ("completed", "cancelled"):
            for partition in event.partitions:
                self._serve(now, partition)

    def _serve(self, now: int, partition: str) -> None:
        known = self.partitions[partition]
        if self.masters[known.owner].status is Status.FAILED:
            return
        known.moved = False
        self.unsettled.discard(partition)
        if not known.served:
            known.served, known.since_ns = True, now

    def _unserve(self, now: int, partition: str) -> None:
        known = self.partitions[partition]
        known.moved = False
        self.unsettled.add(partition)
        if known.served:
            known.served, known.since_ns = False, now
