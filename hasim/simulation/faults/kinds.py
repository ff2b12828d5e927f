"""Every kind of fault: what it does to the world, and the cure that takes it back.

A kind is a function that injects the fault and returns its cure. Adding one
takes a settings class, a function and a line in `INJECTORS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import OBSERVER, LinkFault, gateway_endpoint, master_endpoint
from hasim.simulation.settings.faults import (
    BackupDies,
    ErrorRate,
    Fault,
    LatencySpike,
    NetworkPartition,
    PacketLoss,
    Slow,
)

if TYPE_CHECKING:
    from hasim.simulation.world import World

Cure = Callable[[], None]
Injector = Callable[["World", Any, list[SimMaster]], Cure]


def _counter(attribute: str) -> Injector:
    """A fault that is a count on a master, so that overlapping ones end independently."""

    def inject(world: World, fault: Fault, masters: list[SimMaster]) -> Cure:
        def add(amount: int) -> None:
            for master in masters:
                setattr(master, attribute, getattr(master, attribute) + amount)
                master.update_condition()

        add(1)
        return lambda: add(-1)

    return inject


def _slow(world: World, fault: Slow, masters: list[SimMaster]) -> Cure:
    for master in masters:
        master.speeds.append(fault.speed)
        master.update_condition()

    def cure() -> None:
        for master in masters:
            master.speeds.remove(fault.speed)
            master.update_condition()

    return cure


def _error_rate(world: World, fault: ErrorRate, masters: list[SimMaster]) -> Cure:
    for master in masters:
        master.error_rates.append(fault.rate)
        master.update_condition()

    def cure() -> None:
        for master in masters:
            master.error_rates.remove(fault.rate)
            master.update_condition()

    return cure


def _on_links(world: World, faults: list[LinkFault]) -> Cure:
    world.network.begin(*faults)
    world.changed()

    def heal() -> None:
        world.network.end(*faults)
        world.changed()

    return heal


def _partition(world: World, fault: NetworkPartition, masters: list[SimMaster]) -> Cure:
    clients = frozenset(gateway_endpoint(region) for region in world.gateways)
    others = {"all": None, "clients": clients, "monitor": frozenset([OBSERVER])}[fault.scope]
    to, from_ = fault.direction in ("both", "to"), fault.direction in ("both", "from")
    ends = [master_endpoint(master.id) for master in masters]
    return _on_links(world, [LinkFault(end, others, to, from_, drops=True) for end in ends])


def _packet_loss(world: World, fault: PacketLoss, masters: list[SimMaster]) -> Cure:
    ends = [master_endpoint(master.id) for master in masters]
    return _on_links(world, [LinkFault(end, loss=fault.loss) for end in ends])


def _latency_spike(world: World, fault: LatencySpike, masters: list[SimMaster]) -> Cure:
    ends = [master_endpoint(master.id) for master in masters]
    return _on_links(world, [LinkFault(end, extra_ns=fault.extra_ns) for end in ends])


def _transfer_failure(world: World, fault: Fault, masters: list[SimMaster]) -> Cure:
    torn = world.torn_transfers
    for master in masters:
        torn[master.id] = torn.get(master.id, 0) + 1

    def cure() -> None:
        for master in masters:
            torn[master.id] -= 1

    return cure


def _backup_dies(world: World, fault: BackupDies, masters: list[SimMaster]) -> Cure:
    """Arms a trap; the crash that it springs is a fault of its own, cured with this one."""
    from hasim.simulation.faults.injector import begin

    watched = {master.id for master in masters}
    crash_cures: list[Cure] = []

    def trap(master: str) -> bool:
        if master not in watched or crash_cures:
            return False
        crash_cures.append(begin(world, "crash", fault, [world.masters[master]]))
        return True

    world.promotion_traps.append(trap)

    def cure() -> None:
        world.promotion_traps.remove(trap)
        for cure_crash in crash_cures:
            cure_crash()

    return cure


INJECTORS: dict[str, Injector] = {
    "crash": _counter("crashes"),
    "power-off": _counter("offs"),
    "hang": _counter("hangs"),
    "slow": _slow,
    "error-rate": _error_rate,
    "partition": _partition,
    "region-outage": _counter("offs"),
    "backup-dies": _backup_dies,
    "transfer-failure": _transfer_failure,
    "packet-loss": _packet_loss,
    "latency-spike": _latency_spike,
}


def is_impairing(kind: str, fault: Fault) -> bool:
    """Whether a declaration under this fault is a detection and not a mistake.

    Crash, power-off, hang, region outage, a partition from the clients, a speed
    factor of 0.5 or less, an error rate of 10 % or more.
    """
    if kind == "slow":
        return isinstance(fault, Slow) and fault.speed <= 0.5
    if kind == "error-rate":
        return isinstance(fault, ErrorRate) and fault.rate >= 0.1
    if kind == "partition":
        return isinstance(fault, NetworkPartition) and fault.scope in ("all", "clients")
    return kind in ("crash", "power-off", "hang", "region-outage")
