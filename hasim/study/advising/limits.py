"""Which cells keep the limits: simultaneous intervals, and more work only where they do not decide.

Each look at each cell and limit has its share of the error (Bonferroni). A true value lies on one
side of its limit, so that only one end of an interval can be wrong about it: the whole share stands
at that end.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from hasim.measures.catalogue import find
from hasim.measures.catalogue.estimators import Rate
from hasim.scenario.expectations import Expectation
from hasim.study.advising.sampling import Runs, Source
from hasim.study.advising.terms import Terms
from hasim.study.estimates.expectations import KEEPS
from hasim.study.estimates.statistics import Interval, rate_interval
from hasim.study.estimates.summary import interval
from hasim.units import SECOND, YEAR

LOOKS = 5
"""The first look, and four times as much work four times."""
GROWTH = 4
Standing = Literal["feasible", "infeasible", "undecided"]
OfCell = Callable[[Expectation, Runs, float, bool], Interval | None]
"""A limit, what was seen, a level, and whether the runs decide, to an interval that these alone
could not give; None where that of the runs is to count."""
Rare = Callable[[int], OfCell]
"""The same of each cell."""


@dataclass(frozen=True)
class Kept:
    """One limit in one cell: its interval when it was last looked at, and what follows."""

    limit: Expectation
    found: Interval
    standing: Standing
    needed: int | None = None
    """Replications that would decide it, as far as can be told; None if nothing tells."""
    rare: bool = False
    """Whether the interval is not that of the runs, which do not tell."""


@dataclass(frozen=True)
class Checked:
    """A cell after its last look."""

    cell: int
    standing: Standing
    replications: int
    limits: tuple[Kept, ...]

    @property
    def needed(self) -> int | None:
        """Replications that would decide all limits; None if nothing tells."""
        open_ = [one.needed for one in self.limits if one.standing == "undecided"]
        return None if None in open_ else max((n for n in open_ if n is not None), default=0)


def check(
    cells: Sequence[int], terms: Terms, source: Source, rare: Rare | None = None
) -> dict[int, Checked]:
    """Every cell as feasible, infeasible or undecided, with the work that each needed."""
    found = {c: Checked(c, "feasible", 0, ()) for c in cells}
    if not terms.limits:
        return found
    share = share_of_error(terms, len(cells))
    left, replications = list(cells), terms.first
    for _ in range(LOOKS):
        replications = min(replications, terms.most)
        source.take(left, replications)
        for cell in left:
            runs = source.runs(cell, replications)
            kept = kept_limits(terms.limits, runs, 1 - 2 * share, rare and rare(cell))
            found[cell] = Checked(cell, standing_of(kept), replications, kept)
        left = [cell for cell in left if _may_be_decided(found[cell], source, terms, share)]
        if not left or replications >= terms.most:
            break
        replications *= GROWTH
    return found


def _may_be_decided(checked: Checked, source: Source, terms: Terms, share: float) -> bool:
    """Whether more work may show a cell to keep the limits.

    It may not where a rate would still be unknown if nothing were ever seen: what is undecided or
    breaks a limit is not recommended, whichever of the two it is.
    """
    if checked.standing != "undecided":
        return False
    (run,) = source.runs(checked.cell, 1)
    for kept in checked.limits:
        estimator = find(kept.limit.measure).estimator
        if kept.rare or kept.standing != "undecided" or not isinstance(estimator, Rate):
            continue
        least = rate_interval(0, terms.most * estimator.exposure(run), 1 - 2 * share)
        if kept.limit.op in ("<", "<=") and not KEEPS[kept.limit.op](least.high, kept.limit.bound):
            return False
    return True


def share_of_error(terms: Terms, cells: int) -> float:
    """The error that one look at one limit of one cell may make."""
    return terms.error / 2 / (cells * len(terms.limits) * LOOKS)


def kept_limits(
    limits: Sequence[Expectation], runs: Runs, level: float, rare: OfCell | None = None
) -> tuple[Kept, ...]:
    """How each limit stands, by two-sided intervals at a level.

    `rare` may know better than the runs.
    """
    found = []
    for limit in limits:
        kept = _kept(limit, simultaneous(limit.measure, runs, level), len(runs))
        known = rare and rare(limit, runs, level, kept.standing != "undecided")
        if known is not None:
            kept = dataclasses.replace(_kept(limit, known, len(runs)), rare=True)
        found.append(kept)
    return tuple(found)


def least_replications(limit: Expectation, terms: Terms, horizon_s: float, cells: int = 2) -> int:
    """Replications without any event that show a rate per year to be below its limit.

    The exact upper bound of a Poisson rate without events is ln(1 / error) over the exposure.
    """
    years = math.log(1 / share_of_error(terms, cells)) / limit.bound
    return math.ceil(years * (YEAR / SECOND) / horizon_s)


def standing_of(kept: Sequence[Kept]) -> Standing:
    """What follows of all limits together."""
    standings = {one.standing for one in kept}
    if "infeasible" in standings:
        return "infeasible"
    return "undecided" if "undecided" in standings else "feasible"


def _kept(limit: Expectation, found: Interval, replications: int) -> Kept:
    keeps = KEEPS[limit.op]
    ends = (found.low, found.high) if limit.op in ("<", "<=") else (found.high, found.low)
    best, worst = ends
    if found.value is None:
        return Kept(limit, found, "undecided")
    if keeps(worst, limit.bound):
        return Kept(limit, found, "feasible")
    if not keeps(best, limit.bound):
        return Kept(limit, found, "infeasible")
    return Kept(limit, found, "undecided", _needed(limit, found, replications))


def simultaneous(measure: str, runs: Runs, level: float) -> Interval:
    """The interval of a measure; of a rate the hull of the exact and of the ratio estimator's.

    The ratio estimator knows that events come in clusters, and covers too little where there are
    few; the Poisson interval is exact for few, and knows nothing of clusters.
    """
    estimator = find(measure).estimator
    found = interval(measure, runs, None, level)
    if not isinstance(estimator, Rate):
        return found
    events = sum(map(estimator.events, runs))
    exact = rate_interval(events, sum(map(estimator.exposure, runs)), level)
    low, high = min(found.low, exact.low), max(found.high, exact.high)
    return dataclasses.replace(found, low=max(low, 0.0), high=high)


def _needed(limit: Expectation, found: Interval, replications: int) -> int | None:
    """By how much the work must grow until the nearer end is at the limit: its square root.

    Without events there is no end below, and the upper one falls with the work itself.
    """
    value, bound = found.value or 0.0, limit.bound
    if value == 0.0 and math.isfinite(found.high) and bound > 0:
        return math.ceil(replications * found.high / bound)
    half = found.high - value if value < bound else value - found.low
    gap = abs(bound - value)
    if not math.isfinite(half) or gap <= 1e-9 * abs(bound):
        return None
    return math.ceil(replications * max(1.0, half / gap) ** 2)
