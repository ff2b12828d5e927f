"""Every kind of fault: what it does to the world, and the cure that takes it back.

A kind is a function that injects the fault and returns its cure. Adding one
takes a settings class, a function and a line in `INJECTORS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import OBSERVER, Link, gateway_endpoint, master_endpoint
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


def _on_links(
    world: World, links: list[Link], inject: Callable[[Link], None], cure: Callable[[Link], None]
) -> Cure:
    for link in links:
        inject(link)
    world.changed()

    def heal() -> None:
        for link in links:
            cure(link)
        world.changed()

    return heal


def _links_of(world: World, masters: list[SimMaster]) -> list[Link]:
    return [
        link
        for master in masters
        for link in world.network.between(
            master_endpoint(master.id), world.network.endpoints, to=True, from_=True
        )
    ]


def _partition(world: World, fault: NetworkPartition, masters: list[SimMaster]) -> Cure:
    others = {
        "all": world.network.endpoints,
        "clients": [gateway_endpoint(region) for region in world.gateways],
        "monitor": [OBSERVER],
    }[fault.scope]
    links = [
        link
        for master in masters
        for link in world.network.between(
            master_endpoint(master.id),
            others,
            to=fault.direction in ("both", "to"),
            from_=fault.direction in ("both", "from"),
        )
    ]

    def change(amount: int) -> Callable[[Link], None]:
        def apply(link: Link) -> None:
            link.drops += amount

        return apply

    return _on_links(world, links, change(1), change(-1))


def _packet_loss(world: World, fault: PacketLoss, masters: list[SimMaster]) -> Cure:
    return _on_links(
        world,
        _links_of(world, masters),
        lambda link: link.add_loss(fault.loss),
        lambda link: link.remove_loss(fault.loss),
    )


def _latency_spike(world: World, fault: LatencySpike, masters: list[SimMaster]) -> Cure:
    def change(amount_ns: int) -> Callable[[Link], None]:
        def apply(link: Link) -> None:
            link.extra_ns += amount_ns

        return apply

    links = _links_of(world, masters)
    return _on_links(world, links, change(fault.extra_ns), change(-fault.extra_ns))


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
