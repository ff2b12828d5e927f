"""Faults by kind: settings, whether a kind impairs, and what it does. A line here lists one.

Everything else (schema, `hasim algorithms`, checks, journal) follows from the class of a kind.
"""

from typing import Annotated

from hasim.settings import Choice
from hasim.simulation.settings.faults.fault import Fault
from hasim.simulation.settings.faults.on_answers import DoubledAnswers, LostAnswers
from hasim.simulation.settings.faults.on_gateways import GatewayCrash
from hasim.simulation.settings.faults.on_links import (
    LatencySpike,
    LinkFault,
    NetworkPartition,
    PacketLoss,
)
from hasim.simulation.settings.faults.on_masters import (
    Crash,
    ErrorRate,
    Hang,
    PowerOff,
    RegionOutage,
    Slow,
)
from hasim.simulation.settings.faults.on_observers import (
    ObserverCrash,
    ObserverHang,
    ObserverPartition,
    ObserverSlow,
)
from hasim.simulation.settings.faults.on_orders import BackupDies, TransferFailure
from hasim.simulation.settings.faults.on_parts import (
    AddedDelay,
    Deadlock,
    DiskStall,
    LyingHealth,
    ReplicationLag,
)
from hasim.simulation.settings.faults.repair import RepairSettings
from hasim.simulation.settings.faults.stalls import LinkStall, ObserverStall, Stall

AnyFault = Annotated[
    Crash
    | PowerOff
    | Hang
    | Slow
    | AddedDelay
    | ErrorRate
    | DiskStall
    | Deadlock
    | LyingHealth
    | ReplicationLag
    | NetworkPartition
    | RegionOutage
    | BackupDies
    | TransferFailure
    | PacketLoss
    | LatencySpike
    | LinkFault
    | Stall
    | LinkStall
    | ObserverStall
    | GatewayCrash
    | ObserverCrash
    | ObserverHang
    | ObserverPartition
    | ObserverSlow
    | LostAnswers
    | DoubledAnswers,
    Choice(tag="kind"),
]

__all__ = [
    "AddedDelay",
    "AnyFault",
    "BackupDies",
    "Crash",
    "Deadlock",
    "DiskStall",
    "DoubledAnswers",
    "ErrorRate",
    "Fault",
    "GatewayCrash",
    "Hang",
    "LatencySpike",
    "LinkFault",
    "LinkStall",
    "LostAnswers",
    "LyingHealth",
    "NetworkPartition",
    "ObserverCrash",
    "ObserverHang",
    "ObserverPartition",
    "ObserverSlow",
    "ObserverStall",
    "PacketLoss",
    "PowerOff",
    "RegionOutage",
    "RepairSettings",
    "ReplicationLag",
    "Slow",
    "Stall",
    "TransferFailure",
]
