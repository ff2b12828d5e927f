"""Puts the faults of a scenario on the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hasim.simulation.clock import FAULT, Call, Clock
from hasim.simulation.faults.declared import Declared
from hasim.simulation.faults.repair import Crews
from hasim.simulation.faults.scene import Scene
from hasim.simulation.faults.schedule import Span, occurrences, replayed
from hasim.simulation.faults.targets import resolve
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings.faults import AnyFault, Fault, RepairSettings
from hasim.simulation.settings.faults.fault import Cure, Named
from hasim.simulation.streams import Stream

Targets = Callable[[], list[Named]]
Process = list[tuple[Targets, Span]]
"""The occurrences of one process in order: whom each strikes, when, and for how long."""


class Injector:
    """Draws when each fault begins, whom it strikes and how long it lasts, before the start."""

    def __init__(
        self,
        env: Clock,
        scene: Scene,
        repair: RepairSettings,
        recorded: Recorded,
        *,
        seed: int,
        replication: int,
    ) -> None:
        self._env = env
        self._scene = scene
        self._crews = Crews(env, repair.crews)
        self._late = repair.crews > 0
        self._recorded = recorded
        self.declared = Declared()
        self._source = (seed, replication)

    def schedule(self, faults: Sequence[AnyFault], horizon_ns: int) -> None:
        """Put every occurrence before the horizon on the clock.

        With repair crews, which may be late, a renewal process goes on when it is cured.
        """
        for index, fault in enumerate(faults):
            for process in self._plan(index, fault, horizon_ns):
                late = self._late or fault.from_ == "declaration"
                if late and fault.every is not None and fault.needs_repair:
                    self._go_on(fault, process, 0, 0)
                    continue
                for targets, (start, duration) in process:
                    Call(self._env, start, FAULT, self._strike, (fault, targets, duration))

    def _strike(self, event: Call) -> None:
        fault, targets, duration = event.load
        struck = targets()
        self._end(fault, struck, duration, self._scene.begin(fault, struck, duration))

    def _end(self, fault: AnyFault, struck: list[Named], duration: int, cure: Cure) -> None:
        """See to it that the fault is cured."""
        if not fault.needs_repair:
            Call(self._env, duration, FAULT, lambda _: cure())
        elif fault.from_ == "declaration":
            names = [master.id for master in struck]
            self.declared.wait_for(names, lambda: self._crews.mend(duration, cure))
        else:
            self._crews.mend(duration, cure)

    def _go_on(self, fault: AnyFault, process: Process, number: int, late_ns: int) -> None:
        """Put one occurrence on the clock, so much later than planned, and the next at its cure."""
        if number == len(process):
            return
        targets, (start, duration) = process[number]

        def strike(_: Call) -> None:
            struck = targets()
            cure = self._scene.begin(fault, struck, duration)
            self._end(fault, struck, duration, lambda: cured(cure))

        def cured(cure: Cure) -> None:
            cure()
            self._go_on(fault, process, number + 1, self._env.now - start - duration)

        Call(self._env, start + late_ns - self._env.now, FAULT, strike)

    def _plan(self, index: int, fault: Fault, horizon_ns: int) -> list[Process]:
        """The processes of a fault."""
        seed, replication = self._source
        each: list[Targets] = [_fixed(one) for one in self._scene.pool(fault).values()]
        if fault.schedule is not None:
            single = fault.target != "each"
            targets = [self._resolving(index, fault, 0)] if single else each
            spans = replayed(
                index,
                self._recorded,
                len(targets),
                horizon_ns,
                seed=seed,
                replication=replication,
            )
            return [[(one, span) for span in own] for one, own in zip(targets, spans, strict=True)]
        if fault.target == "each":
            spans = [
                occurrences(fault, self._draws(f"{index}:{n}"), horizon_ns)
                for n in range(len(each))
            ]
            return [[(one, span) for span in own] for one, own in zip(each, spans, strict=True)]
        spans_of_one = occurrences(fault, self._draws(f"{index}"), horizon_ns)
        return [
            [
                (self._resolving(index, fault, number), span)
                for number, span in enumerate(spans_of_one)
            ]
        ]

    def _draws(self, name: str) -> Stream:
        return Stream(*self._source, f"fault:{name}")

    def _resolving(self, index: int, fault: Fault, number: int) -> Targets:
        """Who is struck is seen when it begins; the luck of that is drawn beforehand."""
        draw = self._draws(f"{index}:target:{number}").uniform()
        return lambda: resolve(self._scene, fault, draw)


def _fixed(one: Named) -> Targets:
    return lambda: [one]
