"""False failovers that are too rare for runs: their rate by splitting, for a limit on them."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.scenario.loader import Loaded
from hasim.study.advising.candidates import Point, study_of
from hasim.study.advising.limits import OfCell
from hasim.study.estimates.statistics import Interval
from hasim.study.rare.falsely import false_failovers

RARE = "failovers.mistaken"
"""The measure that has such a rate: failovers begun by the declaration of a healthy master."""


class RareRates:
    """The rates of the points of a scenario, each estimated when it is first asked for."""

    def __init__(self, loaded: Loaded, points: Sequence[Point], jobs: int | None) -> None:
        self._loaded, self._points, self._jobs = loaded, points, jobs
        self._known: dict[int, Interval | None] = {}

    def of_cell(self, cell: int) -> OfCell:
        """Those of one point; None for other measures, and where the method covers it not."""

        def rate(measure: str, level: float) -> Interval | None:
            if measure != RARE:
                return None
            if cell not in self._known:
                self._known[cell] = self._estimated(cell, level)
            return self._known[cell]

        return rate

    def _estimated(self, cell: int, level: float) -> Interval | None:
        plan = study_of(self._loaded, [self._points[cell]], 1)
        point = plan.cells[0]
        found = false_failovers(
            point.world,
            plan.recorded_of(point),
            seed=self._loaded.scenario.seed,
            jobs=self._jobs,
            level=level,
        )
        return found.told
