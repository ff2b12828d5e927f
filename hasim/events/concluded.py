"""What a service concluded, for the others and for whoever reads the journal."""

from __future__ import annotations

from hasim.events.audited import FailoverConcluded
from hasim.model import Diagnosis, Ownership, Severity, Status
from hasim.record import record


@record
class StatusChanged:
    """The detection service changed its verdict on a master, and why."""

    master: str
    old: Status
    new: Status
    diagnosis: Diagnosis
    reason: str


@record
class FailoverChanged:
    """A failover took one step of its lifecycle.

    `old` and `new` are states of the lifecycle table, `trigger` the event that
    moved it; `candidate` is the backup concerned, or empty.
    """

    failover: int
    master: str
    partitions: tuple[str, ...]
    old: str
    new: str
    trigger: str
    candidate: str
    reason: str


@record
class OwnerChanged:
    """A partition has a new owner, confirmed by the owner itself."""

    partition: str
    owner: str
    epoch: int
    failover: int


@record
class OrderRefused:
    """An order that must be obeyed was refused: nobody listens at the master."""

    master: str
    reason: str


@record
class RoutingConverged:
    """Every gateway has acknowledged routing table `version`."""

    version: int


@record
class AlgorithmSwitched:
    """The balancing algorithm changed."""

    old: str
    new: str


@record
class AlertChanged:
    """An alert was raised, changed its severity, or was resolved."""

    alert: int
    subject: str
    severity: Severity
    text: str


@record
class ServiceFailed:
    """A service raised an exception; the others keep running."""

    service: str
    error: str


@record
class TermBegun:
    """A control plane acts under `term` from now on; who owns what, by all that it has heard."""

    term: int
    owners: tuple[Ownership, ...]
    reason: str


@record
class TermEnded:
    """A control plane acts under `term` no more: it was outbid, or leads no longer. It rests."""

    term: int


@record
class LeaderElected:
    """The others have elected this observer (`leader`) in a ballot; now it asks for a term."""

    leader: str
    ballot: int
    votes: tuple[str, ...]
    reason: str


@record
class InputRefused:
    """An input changed nothing: it cannot be, or it answers nothing that was asked.

    `input` names its class, `sender` whom it came from or is about.
    """

    input: str
    sender: str
    reason: str


Event = (
    StatusChanged
    | FailoverChanged
    | FailoverConcluded
    | OwnerChanged
    | OrderRefused
    | RoutingConverged
    | AlgorithmSwitched
    | AlertChanged
    | ServiceFailed
    | InputRefused
    | TermBegun
    | TermEnded
    | LeaderElected
)
