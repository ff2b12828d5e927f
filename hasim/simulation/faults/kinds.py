"""Every kind of fault: what it does to the world, and the cure that takes it back.

A kind is a function that injects the fault and returns its cure. Adding one
takes a settings class, a function and a line in `INJECTORS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hasim.simulation.faults.scene import Scene
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import LinkFault, master_endpoint
from hasim.simulation.settings.faults import (
    BackupDies,
    ErrorRate,
    Fault,
    LatencySpike,
    NetworkPartition,
    PacketLoss,
    Slow,
)
from hasim.truth import FaultCured, FaultStarted

Cure = Callable[[], None]
Injector = Callable[[Scene, Any, list[SimMaster]], Cure]


def _counter(attribute: str) -> Injector:
    """A fault that is a count on a master, so that overlapping ones end independently."""

    def inject(scene: Scene, fault: Fault, masters: list[SimMaster]) -> Cure:
        def add(amount: int) -> None:
            for master in masters:
                setattr(master, attribute, getattr(master, attribute) + amount)
                master.update_condition()

        add(1)
        return lambda: add(-1)

    return inject


def _slow(scene: Scene, fault: Slow, masters: list[SimMaster]) -> Cure:
    for master in masters:
        master.speeds.append(fault.speed)
        master.update_condition()

    def cure() -> None:
        for master in masters:
            master.speeds.remove(fault.speed)
            master.update_condition()

    return cure


def _error_rate(scene: Scene, fault: ErrorRate, masters: list[SimMaster]) -> Cure:
    for master in masters:
        master.error_rates.append(fault.rate)
        master.update_condition()

    def cure() -> None:
        for master in masters:
            master.error_rates.remove(fault.rate)
            master.update_condition()

    return cure


def _on_links(scene: Scene, faults: list[LinkFault]) -> Cure:
    scene.network.begin(*faults)
    scene.changed()

    def heal() -> None:
        scene.network.end(*faults)
        scene.changed()

    return heal


def _partition(scene: Scene, fault: NetworkPartition, masters: list[SimMaster]) -> Cure:
    others = {"all": None, "clients": scene.gateways, "monitor": scene.observers}[fault.scope]
    to, from_ = fault.direction in ("both", "to"), fault.direction in ("both", "from")
    ends = [master_endpoint(master.id) for master in masters]
    return _on_links(scene, [LinkFault(end, others, to, from_, drops=True) for end in ends])


def _packet_loss(scene: Scene, fault: PacketLoss, masters: list[SimMaster]) -> Cure:
    ends = [master_endpoint(master.id) for master in masters]
    return _on_links(scene, [LinkFault(end, loss=fault.loss) for end in ends])


def _latency_spike(scene: Scene, fault: LatencySpike, masters: list[SimMaster]) -> Cure:
    ends = [master_endpoint(master.id) for master in masters]
    return _on_links(scene, [LinkFault(end, extra_ns=fault.extra_ns) for end in ends])


def _transfer_failure(scene: Scene, fault: Fault, masters: list[SimMaster]) -> Cure:
    def tear(by: int) -> None:
        for master in masters:
            scene.traps.tear(master.id, by)

    tear(1)
    return lambda: tear(-1)


def _backup_dies(scene: Scene, fault: BackupDies, masters: list[SimMaster]) -> Cure:
    """Arms a trap; the crash that it springs is a fault of its own, cured with this one."""
    watched = {master.id for master in masters}
    crash_cures: list[Cure] = []

    def trap(master: str) -> bool:
        if master not in watched or crash_cures:
            return False
        crash_cures.append(begin(scene, "crash", fault, [scene.masters[master]]))
        return True

    scene.traps.promotions.append(trap)

    def cure() -> None:
        scene.traps.promotions.remove(trap)
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


def begin(scene: Scene, kind: str, fault: Any, masters: list[SimMaster]) -> Cure:
    """Inject a fault now, and journal it; the returned cure ends it."""
    number = next(scene.numbers)
    ids = tuple(master.id for master in masters)
    scene.record(FaultStarted(number, kind, ids, is_impairing(kind, fault), _detail(fault)))
    heal = INJECTORS[kind](scene, fault, masters)

    def cure() -> None:
        scene.record(FaultCured(number))
        heal()

    return cure


def _detail(fault: Fault) -> str:
    """The strength of a fault in the words of the scenario: ``speed 0.1``."""
    common = {"kind", "target", "at", "every", "schedule", "for_"}
    return ", ".join(
        f"{name.removesuffix('_ns')} {value}"
        for name, value in vars(fault).items()
        if name not in common
    )
