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
from hasim.simulation.settings.places import EACH, lies_in, place_of, places_at
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
        self._injected = 0

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

    def inject(self, fault: AnyFault) -> tuple[str, ...]:
        """A fault strikes now, whatever its schedule says; the names of whom.

        Of its law of durations it lasts the mean.
        """
        self._injected += 1
        struck = self._resolving(-self._injected, fault, 0)()
        duration = max(1, round(fault.for_.mean_ns))
        Call(self._env, 0, FAULT, self._strike, (fault, lambda: struck, duration))
        return tuple(one.id for one in struck)

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
        units = self._units(fault)
        if fault.schedule is not None:
            targets = [one for one, _ in units] or [self._resolving(index, fault, 0)]
            spans = replayed(
                index,
                self._recorded,
                len(targets),
                horizon_ns,
                together=fault.schedule.together,
                seed=seed,
                replication=replication,
            )
            return [[(one, span) for span in own] for one, own in zip(targets, spans, strict=True)]
        if units:
            return [
                [(one, span) for span in occurrences(fault, draws, horizon_ns, part)]
                for (one, part), draws in (
                    (unit, self._draws(f"{index}:{n}")) for n, unit in enumerate(units)
                )
            ]
        spans_of_one = occurrences(fault, self._draws(f"{index}"), horizon_ns)
        return [
            [
                (self._resolving(index, fault, number), span)
                for number, span in enumerate(spans_of_one)
            ]
        ]

    def _units(self, fault: Fault) -> list[tuple[Targets, float]]:
        """Who has a schedule of its own, and which share of the failures it is of; if any do."""
        masters = self._scene.masters.values()
        places = [place_of(master.settings) for master in masters]
        if isinstance(fault.target, str) and fault.target.startswith(EACH):
            level = fault.target.removeprefix(EACH)
            return [(self._at(place), 1.0) for place in places_at(level, places)]
        if fault.target != "each":
            return []
        struck = self._scene.pool(fault).values()
        units = [(_fixed(one), fault.common.alone) for one in struck]
        for level, beta in fault.common.shares.items():
            units += [(self._at(place), beta) for place in places_at(level, places)]
        return units

    def _at(self, place: str) -> Targets:
        """The masters of a place."""
        masters = self._scene.masters.values()
        return lambda: [m for m in masters if lies_in(place_of(m.settings), place)]

    def _draws(self, name: str) -> Stream:
        return Stream(*self._source, f"fault:{name}")

    def _resolving(self, index: int, fault: Fault, number: int) -> Targets:
        """Who is struck is seen when it begins; the luck of that is drawn beforehand."""
        draw = self._draws(f"{index}:target:{number}").uniform()
        return lambda: resolve(self._scene, fault, draw)


def _fixed(one: Named) -> Targets:
    return lambda: [one]
