"""The runs behind a budget: worlds with one fault or several, with none, and plain ones."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hasim.measures import Measured, measure
from hasim.scenario import sent
from hasim.simulation.laws import Constant, Exponential, longest_ns, whole_ns
from hasim.simulation.run import collector_paused, simulate
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.faults import AnyFault, RegionOutage
from hasim.simulation.streams import Stream, generator
from hasim.study.rare.estimate import Pair, Run
from hasim.study.rare.rates import FaultClass, Target
from hasim.study.rare.shortfalls import Measure, by_mistake, causes_of, lost_s
from hasim.study.rare.strikes import (
    Candidates,
    Floats,
    Integers,
    Several,
    Strike,
    Strikes,
    chosen,
)
from hasim.study.rare.waiting import KEPT
from hasim.units import HOUR, SECOND, seconds

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded

AFTERWARDS = 0.01
"""What the time after the cures counts beside that with all faults at once, of three and more:
most that these add is without enough masters; what they add to each other's failovers is less."""
STREAMS = {2: "rare:pair", 3: "rare:triple", 4: "rare:quadruple"}
"""What faults at a time are drawn from, by how many there are."""
CANDIDATES = {2: 4096, 3: 16_384, 4: 16_384}
"""Faults at a time that those to be simulated are chosen among, by how many there are.

The more there are, the longer and the rarer the windows that matter. So many that their mean
importance varies less from choice to choice (of faults of exponential length by 5, 8 and 20 %)
than what is simulated of the chosen ones; they take 1 and 4 ms, the runs of three 90.
"""
WARM_UP_NS = 60 * SECOND
"""At least this long, and two probe intervals, a world runs before the first fault."""
QUIET_NS = HOUR
QUIET_MESSAGES = 10**6
"""A quiet run is an hour long, or as long as so many messages take if that is less."""


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
    most: int = 2
    """How many faults at a time there are runs with."""

    @property
    def after_ns(self) -> int:
        """A restart after a fence, each step of a failover at its timeout, probes until healthy.

        What is still under way then is found out: see `Run.open_end`.
        """
        return max(map(_after_ns, self.world.apart))

    @property
    def fence_fails(self) -> float | None:
        """How likely an order to the fencing device fails, if that is left to chance.

        A fence that fails is rare and costs much: half of the runs with one fault have the
        first order fail, the others have it succeed, and each counts as much as it is likely.
        """
        fails = self.world.fencing_device.fails
        return fails if 0 < fails < 1 and not self.world.tiers else None

    @property
    def groups(self) -> int:
        """Kinds of runs: one for each class, pairs, quiet ones, plain ones, those of three, ..."""
        return len(self.classes) + 1 + self.most

    def order(self, number: int) -> int:
        """How many faults a run has; 0 for one without any, and for a plain one."""
        beyond = number % self.groups - len(self.classes)
        return 1 if beyond < 0 else {0: 2, 1: 0, 2: 0}.get(beyond, beyond)

    def single(self, replication: int, klass: int) -> Strike:
        """The fault of a run that has one: a target at random, somewhere in the probes' rhythm."""
        draws = Stream(self.seed, replication, "rare:single")
        start_ns = self._first_ns(draws.uniforms())
        own = np.array([draws.uniforms() for _ in range(3)])
        return self._of_class(np.array([klass]), own, start_ns).at(0)

    def several(self, order: int, replication: int) -> Several:
        """The faults of a run that has so many: of the candidates, as likely as they matter."""
        found, draw = self.candidates(order, replication)
        place, ratio = chosen(self._importance(found), draw)
        windows_s = math.prod(seconds(int(window_ns[place])) for window_ns in found.windows_ns)
        return Several(tuple(of.at(place) for of in found.strikes), windows_s * ratio)

    def candidates(self, order: int, replication: int) -> tuple[Candidates, float]:
        """So many faults each, and a uniform to choose by.

        Each fault in proportion to its class's intensity; one after the other, until the traces of
        those before it are gone.
        """
        draws, count = generator(self.seed, replication, STREAMS[order]), CANDIDATES[order]
        each = [draws.random((4, count)) for _ in range(order)]
        phases, *gaps = draws.random((order, count))
        strikes = [self._strikes(each[0], self._first_ns(phases))]
        windows_ns: list[Integers] = []
        for own, gap in zip(each[1:], gaps, strict=True):
            ends_ns = np.max([one.end_ns for one in strikes], axis=0)
            windows_ns.append(ends_ns + self.after_ns - strikes[-1].start_ns)
            strikes.append(self._strikes(own, strikes[-1].start_ns + _part(windows_ns[-1], gap)))
        return Candidates(tuple(strikes), tuple(windows_ns)), float(draws.random())

    def _importance(self, found: Candidates) -> Floats:
        """About what they may add, times the windows: for how long all of them are there."""
        *before, last = found.strikes
        together_ns = np.min([one.end_ns for one in before], axis=0) - last.start_ns
        if self.world.repair.crews != 1:
            together_ns = np.minimum(together_ns, last.duration_ns)
        after_ns = self.after_ns if len(found.strikes) == 2 else self.after_ns * AFTERWARDS
        may_add = np.maximum(0, together_ns) + after_ns
        windows = np.prod([of.astype(np.float64) for of in found.windows_ns], axis=0)
        return np.where(found.possible, windows * may_add, 0.0)

    def end_ns(self, *strikes: Strike) -> int:
        """The horizon of a run with these faults, if they wait for each other's repair as well."""
        ends = [strike.end_ns for strike in strikes]
        if self.world.repair.crews == 1:
            ends.append(strikes[0].end_ns + sum(strike.duration_ns for strike in strikes[1:]))
        return max(ends) + self.after_ns

    def about(self, number: int) -> tuple[str, int, int]:
        """What a run is for, how many simulations it takes, and how long one is (nanoseconds)."""
        group = number % self.groups
        if group < len(self.classes):
            return self.classes[group].name, 1, self.end_ns(self.single(number, group))
        if order := self.order(number):
            several = self.several(order, number)
            return "overlap", (2**order - 1) * bool(several.weight), self.end_ns(*several.strikes)
        if group == len(self.classes) + 1:
            return "no fault", 1, self.quiet_ns
        return "plain", 1, self.plain_ns

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

    def _first_ns(self, draws: Floats) -> Integers:
        period_ns = max(tier.detection.period_ns for tier in self.world.apart)
        # Whole periods, so that the fault meets every phase of the probes alike.
        spread_ns = period_ns * math.ceil(WARM_UP_NS / period_ns)
        return max(WARM_UP_NS, 2 * period_ns) + np.rint(draws * spread_ns).astype(np.int64)

    def _strikes(self, draws: Floats, start_ns: Integers) -> Strikes:
        """Faults of any class; `draws` are uniforms of shape (4, number)."""
        weights = np.cumsum([one.kind.intensity.value or 0.0 for one in self.classes])
        klass = np.searchsorted(weights, draws[0] * weights[-1], side="right")
        return self._of_class(np.minimum(klass, len(weights) - 1), draws[1:], start_ns)

    def _of_class(self, klass: Integers, draws: Floats, start_ns: Integers) -> Strikes:
        """Faults of these classes; `draws` are uniforms of shape (3, number)."""
        target, duration_ns = np.zeros_like(klass), np.zeros_like(start_ns)
        for number, one in enumerate(self.classes):
            own = klass == number
            target[own] = (draws[0, own] * len(one.targets)).astype(np.int64)
            lasting = whole_ns(one.fault.for_, draws[1, own]).astype(np.int64)
            duration_ns[own] = np.maximum(1, lasting)
        return Strikes(klass, target, start_ns, duration_ns, draws[2])

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
        if isinstance(one.fault, RegionOutage):
            regions = list(dict.fromkeys(master.region for master in self.world.all_masters))
            return f"region:{regions[int(draw * len(regions))]}"
        names = self.world.struck_by(one.fault)
        return names[int(draw * len(names))]


def _part(window_ns: Integers, shares: Floats) -> Integers:
    """A moment of each window."""
    return np.rint(shares * window_ns).astype(np.int64)


def _after_ns(tier: WorldSettings) -> int:
    """How long after a cure the masters of one tier, and who looks after them, may be busy.

    In a tier without state nothing is fenced or moved.
    """
    if tier.stateless:
        return tier.detection.recovery_ns
    failover = tier.failover
    steps_ns = (
        failover.fencing.longest_ns
        + failover.transfer_timeout_ns
        + failover.promote_timeout_ns
        + failover.redirect_timeout_ns
        + failover.retry_interval_ns
    )
    return longest_ns(tier.fencing_device.restart) + steps_ns + tier.detection.recovery_ns


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
    other; only the runs behind a `Pair` share theirs (common random numbers).
    """

    loaded: Loaded
    designs: tuple[Design, ...]
    of: Measure
    traces: Mapping[str, bytes] = field(default_factory=dict)
    """What is in its files, where the work goes to a machine that does not have them."""

    def __call__(self, cell: int, number: int) -> Trial:
        """Simulate it, and measure what was lost."""
        sent.use(self.traces)
        with collector_paused():
            return Trial(cell, number, self._found(cell, number))

    def _found(self, cell: int, number: int) -> Run | Pair:
        design = self.designs[cell]
        group = number % design.groups
        if group < len(design.classes):
            return self._single(cell, number, group)
        if order := design.order(number):
            several = design.several(order, number)
            return self._excess(cell, number, several.weight, *several.strikes)
        if group == len(design.classes) + 1:
            found = self._run(cell, design.struck(design.quiet_ns), number)
            if not found.mistakes:
                return found
            return dataclasses.replace(found, down_s=by_mistake(found.down_s, self.of))
        return self._run(cell, design.plain(), number)

    def _single(self, cell: int, number: int, klass: int) -> Run:
        design = self.designs[cell]
        strike = design.single(number, klass)
        world = design.struck(design.end_ns(strike), strike)
        fails = design.fence_fails
        if fails is None:
            return self._run(cell, world, number)
        outcome = number // design.groups % 2
        found = self._run(cell, world, number, first_fence_fails=bool(outcome))
        chance = fails if outcome else 1 - fails
        return dataclasses.replace(found, outcome=outcome, chance=chance)

    def _excess(self, cell: int, number: int, weight: float, *strikes: Strike) -> Pair:
        """What several faults add to what fewer of them do, by inclusion and exclusion."""
        if not weight:
            return Pair((0.0,) * len(causes_of(self.of)), 0.0, 0.0)
        design, count = self.designs[cell], len(strikes)
        horizon_ns = design.end_ns(*strikes)
        excess, open_end = np.zeros(len(causes_of(self.of))), False
        for size in range(count, 0, -1):
            for some in itertools.combinations(strikes, size):
                run = self._run(cell, design.struck(horizon_ns, *some), number)
                excess += (-1) ** (count - size) * np.array(run.down_s)
                open_end |= run.open_end
        return Pair(tuple(excess.tolist()), weight, seconds(horizon_ns), open_end)

    def _run(
        self,
        cell: int,
        world: WorldSettings,
        number: int,
        first_fence_fails: bool | None = None,
    ) -> Run:
        point = self.loaded.cells[cell]
        journal = simulate(
            world,
            self.loaded.recorded_of(point),
            seed=self.loaded.scenario.seed,
            replication=number,
            scenario=self.loaded.scenario.name,
            cell=dict(point.varied),
            first_fence_fails=first_fence_fails,
        )
        return run_of(measure(journal), self.of)


def run_of(measured: Measured, of: Measure) -> Run:
    """A run as the estimator sees it: what it lost, of the measure that is asked for."""
    open_end = measured.service.down_at_end
    if of == "uptime.k_of_n" and measured.k_of_n is not None:
        open_end = measured.k_of_n.down_at_end
    return Run(
        down_s=lost_s(measured, of),
        span_s=measured.horizon_s,
        open_end=open_end,
        failovers_s=tuple(f.failover_s for f in measured.failovers if f.failover_s is not None),
        mistakes=len(measured.mistakes),
        followed_s=tuple(
            sum(getattr(row, f"{kept}_s") for row in measured.followed) for kept in KEPT
        ),
    )
