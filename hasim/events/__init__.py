"""What goes into the control plane and what comes out of it.

Inputs tell a service what happened; effects say what shall be done; events
say what a service concluded. All are small frozen dataclasses of plain data,
so that a journal of them can be written, read and replayed.
"""

from __future__ import annotations

from hasim.events.concluded import (
    AlertChanged,
    AlgorithmSwitched,
    Event,
    FailoverChanged,
    InputRefused,
    OwnerChanged,
    RoutingConverged,
    ServiceFailed,
    StatusChanged,
)
from hasim.events.effects import (
    Demote,
    DiscardTransfer,
    Effect,
    Fence,
    Promote,
    PublishRouting,
    SendProbe,
    SendReport,
    TransferState,
)
from hasim.events.inputs import (
    OPERATIONS,
    AddMaster,
    Copy,
    DemoteResult,
    DrainMaster,
    FenceResult,
    GatewayReport,
    Heartbeat,
    Input,
    MasterTraffic,
    ProbeReply,
    ProbeStretch,
    PromoteResult,
    RemoveMaster,
    RoutingAck,
    StartMaintenance,
    StopMaintenance,
    SwitchAlgorithm,
    TransferResult,
    UndrainMaster,
    WakeUp,
)

Output = Effect | Event

__all__ = [
    "OPERATIONS",
    "AddMaster",
    "AlertChanged",
    "AlgorithmSwitched",
    "Copy",
    "Demote",
    "DemoteResult",
    "DiscardTransfer",
    "DrainMaster",
    "Effect",
    "Event",
    "FailoverChanged",
    "Fence",
    "FenceResult",
    "GatewayReport",
    "Heartbeat",
    "Input",
    "InputRefused",
    "MasterTraffic",
    "Output",
    "OwnerChanged",
    "ProbeReply",
    "ProbeStretch",
    "Promote",
    "PromoteResult",
    "PublishRouting",
    "RemoveMaster",
    "RoutingAck",
    "RoutingConverged",
    "SendProbe",
    "SendReport",
    "ServiceFailed",
    "StartMaintenance",
    "StatusChanged",
    "StopMaintenance",
    "SwitchAlgorithm",
    "TransferResult",
    "TransferState",
    "UndrainMaster",
    "WakeUp",
]
