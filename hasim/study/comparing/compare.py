"""Two runs, or the cells of one, compared replication by replication.

With the same seed both meet the same arrivals, service demands and
faults (common random numbers), so that the difference of each pair of
replications is due to what was changed, and its interval is far narrower than
those of the two runs or cells.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hasim.measures.catalogue import Shown, find
from hasim.scenario.baseline import baseline_problems, partner
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.replications import Replications
from hasim.study.estimates.statistics import holm
from hasim.study.estimates.summary import paired

if TYPE_CHECKING:
    from hasim.measures import Measured

MEASURES: Sequence[str] = Shown("comparison")
"""What is compared unless others are asked for: means and shares that each replication has."""

Outcome = Literal["same", "better", "worse", "changed", "undecided"]


class CompareError(ValueError):
    """Two runs that cannot be compared; the message says why."""


@dataclass(frozen=True)
class Compared:
    """One measure of one cell: the mean difference (second run minus first) and what it means.

    `cell` is the number of the cell in the first run, `varied` what is varied in it.
    `baseline` is the number of the cell that is subtracted, in a comparison within one run.
    `p` is the two-sided p-value of the paired t-test, after Holm's correction
    for all differences of the comparison. `verdict` is "same" if no
    replication differs, "better" or "worse" ("changed" if the measure is neutral) if p
    is below 5 %, else "undecided".
    """

    cell: int
    varied: Mapping[str, Any]
    measure: str
    difference: Estimate
    p: float
    verdict: Outcome
    baseline: int | None = None


Run = Sequence[tuple[int, Mapping[str, Any], Mapping[int, "Measured"]]]
"""Number, varied settings and, by replication, what was measured, of each cell."""


def compare(first: Run, second: Run, measures: Sequence[str] = MEASURES) -> list[Compared]:
    """The paired differences of all cells that both runs have, by measure.

    Raises CompareError if the runs have no cell or no two replications in common.
    """
    others = {_key(varied): measured for _, varied, measured in second}
    pairs = [
        _Pair(cell, varied, measured, others[_key(varied)])
        for cell, varied, measured in first
        if _key(varied) in others
    ]
    if not pairs:
        raise CompareError("the runs have no cell in common: they vary different settings")
    return _compared(pairs, measures)


def against(
    run: Run, baseline: Mapping[str, Any], measures: Sequence[str] = MEASURES
) -> list[Compared]:
    """The paired differences of the cells of a run and their baseline, by measure.

    `baseline` maps varied settings to the values of the cell that is subtracted (see
    `hasim.scenario.baseline.partner`); Holm's correction is for all differences together.
    Raises CompareError if no cell has these values or none has a partner, or if two cells have
    no two replications in common.
    """
    for _, message in baseline_problems(baseline, [varied for _, varied, _ in run]):
        raise CompareError(f"baseline {_shown(baseline)}: {message}")
    cells = [(number, varied) for number, varied, _ in run]
    measured = {number: found for number, _, found in run}
    partners = {number: partner(varied, baseline, cells) for number, varied in cells}
    pairs = [
        _Pair(number, varied, measured[base], measured[number], base)
        for number, varied in cells
        if (base := partners[number]) is not None
    ]
    if not pairs:
        raise CompareError(f"baseline {_shown(baseline)}: no other cell to compare with it")
    return _compared(pairs, measures)


@dataclass(frozen=True)
class _Pair:
    """Two cells by replication: what was measured before and after."""

    cell: int
    varied: Mapping[str, Any]
    before: Mapping[int, Measured]
    after: Mapping[int, Measured]
    baseline: int | None = None


def _compared(pairs: Sequence[_Pair], measures: Sequence[str]) -> list[Compared]:
    found: list[tuple[_Pair, Estimate]] = []
    for pair in pairs:
        both = sorted(pair.before.keys() & pair.after.keys())
        if len(both) < 2:
            raise CompareError(f"two replications in common are needed, found {len(both)}")
        before, after = (
            Replications.of([side[r] for r in both]) for side in (pair.before, pair.after)
        )
        found += [(pair, paired(before, after, measure)) for measure in measures]
    known = [row for row in found if row[-1].value is not None]
    adjusted = holm([p_value(difference) for _, difference in known])
    return [
        Compared(
            pair.cell,
            pair.varied,
            difference.measure,
            difference,
            p,
            _verdict(difference, p),
            pair.baseline,
        )
        for (pair, difference), p in zip(known, adjusted, strict=True)
    ]


def p_value(difference: Estimate) -> float:
    """Two-sided p-value of a difference, from its 95 % interval by Student's t.

    If all pairs differ by the same amount there is no variance to go by: then that of the sign
    test, 2/2^n, the least that n pairs can show.
    """
    from scipy.special import stdtr, stdtrit

    value, low, high = difference.value, difference.low, difference.high
    if not value or low is None or high is None or math.isinf(high - low):
        return 1.0
    if high == low:
        return min(1.0, 2 * 0.5**difference.n)
    freedom = difference.n - 1
    error = (high - low) / 2 / stdtrit(freedom, 0.975)
    return float(2 * stdtr(freedom, -abs(value) / error))


def _verdict(difference: Estimate, p: float) -> Outcome:
    if difference.value == difference.low == difference.high == 0:
        return "same"
    if p >= 0.05:
        return "undecided"
    measure = find(difference.measure)
    if measure.neutral:
        return "changed"
    more = (difference.value or 0) > 0
    return "better" if more == (measure.better == "more") else "worse"


def _key(varied: Mapping[str, Any]) -> str:
    return json.dumps(varied, sort_keys=True, default=str)


def _shown(varied: Mapping[str, Any]) -> str:
    return ", ".join(f"{path}={value}" for path, value in varied.items())
