"""Injects the faults of a scenario into a world, and journals what it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hasim.simulation.clock import FAULT, Call
from hasim.simulation.faults.kinds import INJECTORS, Cure, is_impairing
from hasim.simulation.faults.schedule import Span, occurrences, replayed
from hasim.simulation.faults.settings import Fault
from hasim.simulation.faults.targets import resolve
from hasim.simulation.master import SimMaster
from hasim.simulation.streams import Stream
from hasim.truth import FaultCured, FaultStarted

if TYPE_CHECKING:
    from hasim.simulation.world import World

Targets = Callable[[], list[SimMaster]]


def schedule_faults(world: World) -> None:
    """Put every occurrence of every fault on the clock."""
    for index, fault in enumerate(world.settings.faults):
        for targets, spans in _plan(world, index, fault):
            for start, duration in spans:
                Call(world.env, start, FAULT, _strike, (world, fault, targets, duration))


def _plan(world: World, index: int, fault: Fault) -> list[tuple[Targets, list[Span]]]:
    """Pairs of targets and their schedule."""
    horizon_ns = world.settings.horizon_ns
    each: list[Targets] = [_fixed(master) for master in world.masters.values()]
    if fault.schedule is not None:
        single = fault.target != "each"
        targets = [_resolving(world, index, fault, 0)] if single else each
        spans = replayed(
            index,
            world.recorded,
            len(targets),
            horizon_ns,
            seed=world.seed,
            replication=world.replication,
        )
        return list(zip(targets, spans, strict=True))
    if fault.target == "each":
        return [
            (target, occurrences(fault, _draws(world, f"{index}:{number}"), horizon_ns))
            for number, target in enumerate(each)
        ]
    spans_of_one = occurrences(fault, _draws(world, f"{index}"), horizon_ns)
    return [
        (_resolving(world, index, fault, number), [span])
        for number, span in enumerate(spans_of_one)
    ]


def _draws(world: World, name: str) -> Stream:
    return Stream(world.seed, world.replication, f"fault:{name}")


def _fixed(master: SimMaster) -> Targets:
    return lambda: [master]


def _resolving(world: World, index: int, fault: Fault, number: int) -> Targets:
    draw = _draws(world, f"{index}:target:{number}").uniform()
    return lambda: resolve(world, fault, draw)


def _strike(event: Call) -> None:
    world, fault, targets, duration = event.load
    cure = begin(world, fault.kind, fault, targets())
    Call(world.env, duration, FAULT, lambda _: cure())


def begin(world: World, kind: str, fault: Any, masters: list[SimMaster]) -> Cure:
    """Inject a fault now; the returned cure ends it."""
    number = world.next_fault()
    ids = tuple(master.id for master in masters)
    world.record(FaultStarted(number, kind, ids, is_impairing(kind, fault), _detail(fault)))
    heal = INJECTORS[kind](world, fault, masters)

    def cure() -> None:
        world.record(FaultCured(number))
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
