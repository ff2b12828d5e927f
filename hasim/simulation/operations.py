"""Operations on their way from a scenario to the control plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hasim.events import (
    AcknowledgeFailover,
    AddMaster,
    CheckMaster,
    ConfirmOff,
    DrainMaster,
    ExecuteFailover,
    Input,
    RecordFailure,
    RecordRecovery,
    RemoveMaster,
    RollBackFailover,
    StartMaintenance,
    StopMaintenance,
    SwitchAlgorithm,
    SwitchOver,
    UndrainMaster,
)
from hasim.simulation.clock import INPUT, Call, Clock
from hasim.simulation.settings.operations import AnyOperation

INPUTS: dict[str, Callable[[Any], Input]] = {
    "switch-algorithm": lambda o: SwitchAlgorithm(o.algorithm),
    "drain": lambda o: DrainMaster(o.master),
    "undrain": lambda o: UndrainMaster(o.master),
    "maintenance": lambda o: StartMaintenance(o.master),
    "end-maintenance": lambda o: StopMaintenance(o.master),
    "add": lambda o: AddMaster(o.master),
    "remove": lambda o: RemoveMaster(o.master),
    "declare-failed": lambda o: RecordFailure(o.master),
    "declare-healthy": lambda o: RecordRecovery(o.master),
    "check": lambda o: CheckMaster(o.master),
    "switchover": lambda o: SwitchOver(
        o.to, o.master or None, (o.partition,) if o.partition else ()
    ),
    "acknowledge": lambda o: AcknowledgeFailover(o.master),
    "fail-over": lambda o: ExecuteFailover(o.master),
    "confirm-off": lambda o: ConfirmOff(o.master),
    "roll-back": lambda o: RollBackFailover(o.failover),
}
"""By what is to be done, the control plane's input."""


def schedule_operations(
    env: Clock, operations: Sequence[AnyOperation], feed: Callable[[Input], None]
) -> None:
    """Put every operation on the clock; the operator sits where the control plane is."""
    for operation in operations:
        item = INPUTS[operation.do](operation)
        Call(env, operation.at_ns, INPUT, lambda call: feed(call.load), item)
