"""The runs behind a budget: worlds with one fault, with two, with none, and plain ones."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from hasim.measures import Measured, measure
from hasim.measures.availability import Downtime
from hasim.measures.causes import CAUSES
from hasim.simulation.faults.settings import AnyFault, RegionOutage
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.run import collector_paused, simulate
from hasim.simulation.settings import WorldSettings
from hasim.simulation.streams import Stream
from hasim.study.rare.estimate import Pair, Run
from hasim.study.rare.rates import FaultClass, Target
from hasim.units import HOUR, SECOND, seconds

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded

Measure = Literal["uptime", "uptime.mean"]
WARM_UP_NS = 60 * SECOND
"""At least this long, and two probe intervals, a world runs before the first fault."""
QUIET_NS = HOUR
QUIET_MESSAGES = 10**6
"""A quiet run is an hour long, or as long as so many messages take if that is less."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: which class, which of its targets, when, for how long (nanoseconds)."""

    klass: int
    target: int
    start_ns: int
    duration_ns: int
    draw: float

    @property
    def end_ns(self) -> int:
        """When it is cured."""
        return self.start_ns + self.duration_ns


@dataclass(frozen=True, slots=True)
class Double:
    """Two strikes and the window, from the start of the first, that the second was drawn in."""

    first: Strike
    second: Strike
    window_ns: int

    @property
    def possible(self) -> bool:
        """Whether the second can be: a process does not strike while its own fault lasts."""
        same = (self.first.klass, self.first.target) == (self.second.klass, self.second.target)
        return not same or self.second.start_ns >= self.first.end_ns


@dataclass(frozen=True)
class Design:
    """Everything about the runs of one cell.

    Runs without a fault last `quiet_ns`, plain ones `plain_ns`. `after_ns` is the time after a
    cure until all traces of a fault are gone, and so part of each window.
    """

    world: WorldSettings
    classes: tuple[FaultClass, ...]
    seed: int
    quiet_ns: int
    plain_ns: int = 0

    @property
    def after_ns(self) -> int:
        """A restart after a fence, each step of a failover at its timeout, probes until healthy.

        What is still under way then is found out: see `Run.open_end`.
        """
        world, failover, detection = self.world, self.world.failover, self.world.detection
        steps_ns = (
            failover.fencing.timeout_ns
            + failover.transfer_timeout_ns
            + failover.promote_timeout_ns
            + failover.redirect_timeout_ns
            + failover.retry_interval_ns
        )
        probes_ns = (detection.rise + 2) * detection.interval_ns
        return world.fencing_device.restart_ns + steps_ns + probes_ns

    @property
    def groups(self) -> int:
        """Kinds of runs: one for each class, pairs, quiet ones, plain ones."""
        return len(self.classes) + 3

    def single(self, replication: int, klass: int) -> Strike:
        """The fault of a run that has one: a target at random, somewhere in the probes' rhythm."""
        draws = Stream(self.seed, replication, "rare:single")
        return self._strike(klass, draws, self._first_ns(draws))

    def double(self, replication: int) -> Double:
        """The faults of a run that has two, each in proportion to its class's intensity."""
        draws = Stream(self.seed, replication, "rare:pair")
        first = self._strike(self._drawn(draws), draws, self._first_ns(draws))
        window_ns = first.duration_ns + self.after_ns
        later_ns = first.start_ns + round(draws.uniform() * window_ns)
        return Double(first, self._strike(self._drawn(draws), draws, later_ns), window_ns)

    def end_ns(self, *strikes: Strike) -> int:
        """The horizon of a run with these faults."""
        return max(strike.end_ns for strike in strikes) + self.after_ns

    def struck(self, horizon_ns: int, *strikes: Strike) -> WorldSettings:
        """The world with these faults alone."""
        faults = tuple(self._fault(strike) for strike in strikes)
        return dataclasses.replace(self.world, horizon_ns=horizon_ns, faults=faults)

    def plain(self) -> WorldSettings:
        """The world with all faults at their rates, to be simulated at length."""
        faults: list[AnyFault] = []
        for one in self.classes:
            mean_ns = max(1, round(SECOND / (one.rate.per_s.value or 1.0)))
            law = one.fault.every if one.rate.origin == "every" else None
            every = Exponential(mean_ns=mean_ns) if law is None else law
            faults += [
                dataclasses.replace(one.fault, target=target, at=(), schedule=None, every=every)
                for target in one.targets
            ]
        return dataclasses.replace(self.world, horizon_ns=self.plain_ns, faults=tuple(faults))

    def _first_ns(self, draws: Stream) -> int:
        interval_ns = self.world.detection.interval_ns
        # Whole probe intervals, so that the fault meets every phase of the probes alike.
        spread_ns = interval_ns * math.ceil(WARM_UP_NS / interval_ns)
        return max(WARM_UP_NS, 2 * interval_ns) + round(draws.uniform() * spread_ns)

    def _drawn(self, draws: Stream) -> int:
        weights = np.cumsum([one.kind.intensity.value or 0.0 for one in self.classes])
        found = int(np.searchsorted(weights, draws.uniform() * weights[-1], side="right"))
        return min(found, len(weights) - 1)

    def _strike(self, klass: int, draws: Stream, start_ns: int) -> Strike:
        one = self.classes[klass]
        target = int(draws.uniform() * len(one.targets))
        duration_ns = max(1, round(float(one.fault.for_.quantile(draws.uniforms())[0])))
        return Strike(klass, target, start_ns, duration_ns, draws.uniform())

    def _fault(self, strike: Strike) -> AnyFault:
        one = self.classes[strike.klass]
        return dataclasses.replace(
            one.fault,
            target=self._resolved(one, one.targets[strike.target], strike.draw),
            at=(Constant(mean_ns=strike.start_ns),),
            every=None,
            schedule=None,
            for_=Constant(mean_ns=strike.duration_ns),
        )

    def _resolved(self, one: FaultClass, target: Target, draw: float) -> Target:
        """A random target drawn here: with another fault beside it, it must stay the same."""
        if target != "random":
            return target
        masters = self.world.masters
        if isinstance(one.fault, RegionOutage):
            regions = list(dict.fromkeys(master.region for master in masters))
            return f"region:{regions[int(draw * len(regions))]}"
        return masters[int(draw * len(masters))].id


@dataclass(frozen=True, slots=True)
class Trial:
    """What run `number` of a cell gave."""

    cell: int
    number: int
    found: Run | Pair


@dataclass(frozen=True)
class Trials:
    """The work of the executor: run `number` of a cell, whose remainder by the groups says which.

    Every run has a replication number of its own, so that runs are independent of each
    other; only the three runs behind a `Pair` share theirs (common random numbers).
    """

    loaded: Loaded
    designs: tuple[Design, ...]
    of: Measure

    def __call__(self, cell: int, number: int) -> Trial:
        """Simulate it, and measure what was lost."""
        with collector_paused():
            return Trial(cell, number, self._found(cell, number))

    def _found(self, cell: int, number: int) -> Run | Pair:
        design = self.designs[cell]
        group = number % design.groups
        if group < len(design.classes):
            strike = design.single(number, group)
            world = design.struck(design.end_ns(strike), strike)
            return self._run(cell, world, number)
        if group == len(design.classes):
            return self._pair(cell, number)
        if group == len(design.classes) + 1:
            world = design.struck(design.quiet_ns)
            return self._run(cell, world, number)
        return self._run(cell, design.plain(), number)

    def _pair(self, cell: int, number: int) -> Pair:
        design = self.designs[cell]
        double = design.double(number)
        window_s = seconds(double.window_ns)
        if not double.possible:
            return Pair((0.0,) * len(CAUSES), window_s, 0.0)
        both = (double.first, double.second)
        horizon_ns = design.end_ns(*both)
        runs = [
            self._run(cell, design.struck(horizon_ns, *strikes), number)
            for strikes in (both, both[:1], both[1:])
        ]
        excess = (
            together - one - other
            for together, one, other in zip(*(run.down_s for run in runs), strict=True)
        )
        open_end = any(run.open_end for run in runs)
        return Pair(tuple(excess), window_s, seconds(horizon_ns), open_end)

    def _run(self, cell: int, world: WorldSettings, number: int) -> Run:
        point = self.loaded.cells[cell]
        journal = simulate(
            world,
            self.loaded.recorded_of(point),
            seed=self.loaded.scenario.seed,
            replication=number,
            scenario=self.loaded.scenario.name,
            cell=dict(point.varied),
        )
        return run_of(measure(journal), self.of)


def run_of(measured: Measured, of: Measure) -> Run:
    """A run as the estimator sees it: `uptime` of the service, or of the mean partition."""
    rows: tuple[Downtime, ...] = (measured.service,) if of == "uptime" else measured.partitions
    return Run(
        down_s=tuple(sum(getattr(row, f"{c}_s") for row in rows) / len(rows) for c in CAUSES),
        span_s=measured.horizon_s,
        open_end=measured.service.down_at_end,
        failovers_s=tuple(f.failover_s for f in measured.failovers if f.failover_s is not None),
        mistakes=len(measured.mistakes),
    )
