"""Injects the faults of a scenario into a world, and journals what it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hasim.simulation.clock import FAULT, Call
from hasim.simulation.faults.kinds import INJECTORS, Cure, is_impairing
from hasim.simulation.faults.schedule import Span, occurrences, replayed
from hasim.simulation.faults.targets import resolve
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.settings.faults import AnyFault, Fault
from hasim.simulation.streams import Stream
from hasim.truth import FaultCured, FaultStarted

if TYPE_CHECKING:
    from hasim.simulation.world import World

Targets = Callable[[], list[SimMaster]]
Process = list[tuple[Targets, Span]]
"""The occurrences of one process in order: whom each strikes, when, and for how long."""


def schedule_faults(world: World) -> None:
    """Put every occurrence of every fault on the clock.

    With repair crews, which may be late, a renewal process goes on when it is cured.
    """
    crews = world.settings.repair.crews
    for index, fault in enumerate(world.settings.faults):
        for process in _plan(world, index, fault):
            if crews and fault.every is not None:
                _go_on(world, fault, process, 0, 0)
                continue
            for targets, (start, duration) in process:
                Call(world.env, start, FAULT, _strike, (world, fault, targets, duration))


def _go_on(world: World, fault: AnyFault, process: Process, number: int, late_ns: int) -> None:
    """Put one occurrence on the clock, so much later than planned, and the next at its cure."""
    if number == len(process):
        return
    targets, (start, duration) = process[number]

    def strike(_: Call) -> None:
        cure = begin(world, fault.kind, fault, targets())
        world.crews.mend(duration, lambda: cured(cure))

    def cured(cure: Cure) -> None:
        cure()
        _go_on(world, fault, process, number + 1, world.env.now - start - duration)

    Call(world.env, start + late_ns - world.env.now, FAULT, strike)


def _plan(world: World, index: int, fault: Fault) -> list[Process]:
    """The processes of a fault."""
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
        return [[(one, span) for span in own] for one, own in zip(targets, spans, strict=True)]
    if fault.target == "each":
        spans = [
            occurrences(fault, _draws(world, f"{index}:{n}"), horizon_ns) for n in range(len(each))
        ]
        return [[(one, span) for span in own] for one, own in zip(each, spans, strict=True)]
    spans_of_one = occurrences(fault, _draws(world, f"{index}"), horizon_ns)
    return [
        [
            (_resolving(world, index, fault, number), span)
            for number, span in enumerate(spans_of_one)
        ]
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
    world.crews.mend(duration, begin(world, fault.kind, fault, targets()))


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
