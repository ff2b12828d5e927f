"""False failovers that are too rare for runs: their rate by splitting, for a limit on them."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.measures import Measured
from hasim.measures.catalogue.totals import years
from hasim.scenario.expectations import Expectation
from hasim.scenario.loader import Loaded
from hasim.simulation.settings import WorldSettings
from hasim.study.advising.candidates import Point, study_of
from hasim.study.advising.limits import OfCell
from hasim.study.advising.sampling import Runs
from hasim.study.estimates.statistics import Interval, proportion_interval, rate_interval
from hasim.study.rare.combine import scaled
from hasim.study.rare.falsely import false_failovers, uncovered
from hasim.units import YEAR

MISTAKEN, NEEDLESS = "failovers.mistaken", "failovers.needless"
"""The measures that have such a rate. Needless are failovers begun by the declaration of a healthy
master, and those for faults that are cured too early: these are seen in runs, and counted as often
as faults strike."""
HALF_WIDTH = 0.5
"""Relative to the estimate: a limit is rarely so near, and intervals of many settings are wide."""


def covers(world: WorldSettings) -> bool:
    """Whether splitting has all declarations of healthy masters: none are by a fault's doing."""
    return not uncovered(world) and all(fault.impairing for fault in world.faults)


class RareRates:
    """The rates of the points of a scenario, each estimated when it is first asked for."""

    def __init__(self, loaded: Loaded, points: Sequence[Point], jobs: int | None) -> None:
        self._loaded, self._points, self._jobs = loaded, points, jobs
        self._known: dict[tuple[int, float], Interval | None] = {}

    def of_cell(self, cell: int) -> OfCell:
        """Those of one point; None for other measures, and where the method covers it not.

        Runs with faults as frequent as never say nothing of those that a year has: then needless
        failovers are estimated, whatever the runs say.
        """
        projected = self._loaded.scenario.projection is not None

        def rate(limit: Expectation, runs: Runs, level: float, decided: bool) -> Interval | None:
            if limit.measure == MISTAKEN:
                return None if decided else self._mistaken(cell, level)
            if limit.measure != NEEDLESS or (decided and not projected):
                return None
            # Each of the two may be wrong half as often.
            within = 1 - (1 - level) / 2
            mistaken = self._mistaken(cell, within)
            return mistaken and _sum(mistaken, self._early(runs, within))

        return rate

    def _mistaken(self, cell: int, level: float) -> Interval | None:
        if (cell, level) not in self._known:
            self._known[cell, level] = self._estimated(cell, level)
        return self._known[cell, level]

    def _estimated(self, cell: int, level: float) -> Interval | None:
        plan = study_of(self._loaded, [self._points[cell]], 1)
        point = plan.cells[0]
        if not covers(point.world):
            return None
        found = false_failovers(
            point.world,
            plan.recorded_of(point),
            seed=self._loaded.scenario.seed,
            half_width=HALF_WIDTH,
            jobs=self._jobs,
            level=level,
        )
        return found.told

    def _early(self, runs: Runs, level: float) -> Interval:
        """Needless failovers a year for faults, which are as frequent as projected, if they are."""
        needless = sum(map(_early_failovers, runs))
        projection = self._loaded.scenario.projection
        if projection is None:
            return rate_interval(needless, sum(map(years, runs)), level)
        faults = sum(len({one.fault for one in run.incidents}) for run in runs)
        share = proportion_interval(min(needless, faults), faults, level)
        return scaled(share, len(runs[0].masters) * YEAR / projection.mtbf_ns)


def _early_failovers(run: Measured) -> int:
    return sum(one.needless and not one.mistaken for one in run.failovers)


def _sum(one: Interval, other: Interval) -> Interval:
    """The interval that holds if both hold."""
    value = None if None in (one.value, other.value) else (one.value or 0) + (other.value or 0)
    method = f"{one.method}; faults: {other.method}"
    return Interval(value, one.low + other.low, one.high + other.high, one.n, method)
