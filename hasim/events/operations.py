"""What an operator may order at run time: inputs of a control plane, too."""

from __future__ import annotations

from hasim.record import record


@record
class StartMaintenance:
    """Operator: take `master` out of service; its silence is no failure."""

    master: str


@record
class StopMaintenance:
    """Operator: `master` is back; it must prove its health first."""

    master: str


@record
class DrainMaster:
    """Operator: send `master` no new stateless messages; what it owns stays with it."""

    master: str


@record
class UndrainMaster:
    """Operator: `master` takes stateless messages again."""

    master: str


@record
class AddMaster:
    """Operator: `master` is part of the cluster from now on; it must prove its health first."""

    master: str


@record
class RemoveMaster:
    """Operator: `master` leaves the cluster; what it owns moves to a backup."""

    master: str


@record
class SwitchAlgorithm:
    """Operator: balance with another algorithm from now on."""

    algorithm: str


@record
class RecordFailure:
    """Operator, or another service: `master` has failed, on their word."""

    master: str
    reason: str = "operator"


@record
class RecordRecovery:
    """Operator, or another service: `master` is healthy, on their word."""

    master: str
    reason: str = "operator"


@record
class CheckMaster:
    """Operator: ask `master` now."""

    master: str


@record
class ExecuteFailover:
    """Operator: move what `master` owns to a backup, whatever the verdict on it is."""

    master: str
    reason: str = "operator"


@record
class SwitchOver:
    """Operator: what `master` owns, or these `partitions`, is handed over to the master `to`.

    One of the two is given. The owner lives, and nothing is lost; whoever cannot take over now is
    refused.
    """

    to: str
    master: str | None = None
    partitions: tuple[str, ...] = ()
    reason: str = "operator"


@record
class AcknowledgeFailover:
    """Operator: the last failovers from and to `master` are looked into; their block ends."""

    master: str


@record
class RollBackFailover:
    """Operator: take back what a failover has begun with its candidate, and try the next one."""

    failover: int
    reason: str = "operator"


@record
class ConfirmOff:
    """Operator: `master`, which is not declared healthy, is known to be off, on their word."""

    master: str


OPERATIONS = (
    *(StartMaintenance, StopMaintenance, DrainMaster, UndrainMaster),
    *(AddMaster, RemoveMaster, SwitchAlgorithm),
    *(RecordFailure, RecordRecovery, CheckMaster, ExecuteFailover, RollBackFailover),
    *(ConfirmOff, SwitchOver, AcknowledgeFailover),
)
"""What an operator may order at run time."""
