"""Settings of operations: what operators do at run time."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.services.balancing.names import names as names_of_algorithms
from hasim.settings import Choice, Name, count, duration, settings


@settings
class Operation:
    """What every operation has: when it is ordered."""

    do: str
    """What is done."""
    at_ns: Annotated[int, duration("When the operator orders it.")]


@settings
class Switch(Operation):
    """Balance with another algorithm from then on."""

    do: Literal["switch-algorithm"]
    algorithm: Annotated[str, Name(names_of_algorithms)]
    """The new algorithm."""


@settings
class OnMaster(Operation):
    """An operation on one master."""

    master: str
    """The master."""


@settings
class Drain(OnMaster):
    """No new stateless messages; those under way end, and what it owns stays with it.

    Sticky sessions move to other masters at once, as in Envoy; HAProxy would let them stay.
    """

    do: Literal["drain"]


@settings
class Undrain(OnMaster):
    """It takes stateless messages again (without slow start: it was never away)."""

    do: Literal["undrain"]


@settings
class Maintenance(OnMaster):
    """Out of service: no messages, no probes; its silence is no failure. What it owns is handed
    over; until somebody can take it, it goes on serving that."""

    do: Literal["maintenance"]


@settings
class EndMaintenance(OnMaster):
    """Back in service, after its health is proven."""

    do: Literal["end-maintenance"]


@settings
class Add(OnMaster):
    """It joins the cluster (a master that was `absent`, or removed), after its health is proven."""

    do: Literal["add"]


@settings
class Remove(OnMaster):
    """It leaves the cluster: no messages, no probes; what it owns is handed over to a backup."""

    do: Literal["remove"]


@settings
class DeclareFailed(OnMaster):
    """The operator says that it has failed: it is failed over, and must prove its health."""

    do: Literal["declare-failed"]


@settings
class DeclareHealthy(OnMaster):
    """The operator says that it is healthy; what the evidence says from then on counts."""

    do: Literal["declare-healthy"]


@settings
class Check(OnMaster):
    """It is asked at once, whatever the interval says."""

    do: Literal["check"]


@settings
class Switchover(Operation):
    """A healthy owner hands over to a named master: that catches up, then the owner stops, and
    nothing is lost. Refused, and called off, where that master cannot take over. Source: Patroni
    switchover, orchestrator graceful-master-takeover, Vitess PlannedReparentShard."""

    do: Literal["switchover"]
    to: str
    """The master that takes over."""
    master: str = ""
    """The master that hands over all that it owns; or else `partition`."""
    partition: str = ""
    """The only partition that moves."""


@settings
class Acknowledge(OnMaster):
    """The last failovers from and to it are looked into: what the block after them holds (`block`)
    begins. Source: orchestrator ack-recovery."""

    do: Literal["acknowledge"]


@settings
class FailOver(OnMaster):
    """What it owns is failed over to a backup, whatever the verdict on it is."""

    do: Literal["fail-over"]


@settings
class ConfirmOff(OnMaster):
    """The operator knows that it is off: whoever waits for that promotes a backup.

    The word is believed, as a fencing device's is, but not of a master that is declared healthy.
    Kubernetes' taint out-of-service, Pacemaker's `stonith_admin --confirm`.
    """

    do: Literal["confirm-off"]


@settings
class RollBack(Operation):
    """What a failover has begun with its candidate is taken back; the next candidate is tried.

    Where there is nothing to take back, the order is refused, and changes nothing.
    """

    do: Literal["roll-back"]
    failover: Annotated[int, count("The number of the failover; the first of a run is 1.")] = 1


AnyOperation = Annotated[
    Switch
    | Drain
    | Undrain
    | Maintenance
    | EndMaintenance
    | Add
    | Remove
    | DeclareFailed
    | DeclareHealthy
    | Check
    | Switchover
    | Acknowledge
    | FailOver
    | ConfirmOff
    | RollBack,
    Choice(tag="do"),
]
