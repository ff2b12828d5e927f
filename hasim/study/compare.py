"""Two runs of the same faults and messages, compared replication by replication.

With the same seed both runs meet the same arrivals, service demands and
faults (common random numbers), so that the difference of each pair of
replications is due to what was changed, and its interval is far narrower than
those of the two runs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hasim.study.estimate import Estimate
from hasim.study.statistics import holm
from hasim.study.summary import paired

if TYPE_CHECKING:
    from hasim.measures import Measured

MEASURES = (
    "detection_time.mean",
    "detected",
    "failover_time.mean",
    "outage.mean",
    "uptime",
    "uptime.mean",
    "uptime.stateless",
    "success",
    "mistakes",
    "rpo.writes",
    "attempts",
    "jain",
    "dual_primary",
)
"""What is compared: the means and shares that each replication has a value of."""

MORE_IS_BETTER = {"detected", "uptime", "uptime.mean", "uptime.stateless", "success", "goodput"}
NEITHER = {"attempts", "jain"}
"""How the load was served: a change may be the price or the fruit of better service."""

Outcome = Literal["same", "better", "worse", "changed", "undecided"]


class CompareError(ValueError):
    """Two runs that cannot be compared; the message says why."""


@dataclass(frozen=True)
class Compared:
    """One measure of one cell: the mean difference (second run minus first) and what it means.

    `cell` is the number of the cell in the first run, `varied` what is varied in it.
    `p` is the two-sided p-value of the paired t-test, after Holm's correction
    for all differences of the comparison. `verdict` is "same" if no
    replication differs, "better" or "worse" ("changed" for measures of load) if p
    is below 5 %, else "undecided".
    """

    cell: int
    varied: Mapping[str, Any]
    measure: str
    difference: Estimate
    p: float
    verdict: Outcome


Run = Sequence[tuple[int, Mapping[str, Any], Mapping[int, "Measured"]]]
"""Number, varied settings and, by replication, what was measured, of each cell."""


def compare(first: Run, second: Run, measures: Sequence[str] = MEASURES) -> list[Compared]:
    """The paired differences of all cells that both runs have, by measure.

    Raises CompareError if the runs have no cell or no two replications in common.
    """
    others = {_key(varied): measured for _, varied, measured in second}
    found: list[tuple[int, Mapping[str, Any], Estimate]] = []
    for cell, varied, measured in first:
        other = others.get(_key(varied))
        if other is None:
            continue
        both = sorted(measured.keys() & other.keys())
        if len(both) < 2:
            raise CompareError(f"two replications in common are needed, found {len(both)}")
        before, after = [measured[r] for r in both], [other[r] for r in both]
        found += [(cell, varied, paired(before, after, measure)) for measure in measures]
    if not found:
        raise CompareError("the runs have no cell in common: they vary different settings")
    known = [row for row in found if row[-1].value is not None]
    adjusted = holm([p_value(difference) for _, _, difference in known])
    return [
        Compared(cell, varied, difference.measure, difference, p, _verdict(difference, p))
        for (cell, varied, difference), p in zip(known, adjusted, strict=True)
    ]


def p_value(difference: Estimate) -> float:
    """Two-sided p-value of a mean difference, from its 95 % Student t interval."""
    from scipy.special import stdtr, stdtrit

    value, low, high = difference.value, difference.low, difference.high
    if not value or low is None or high is None or math.isinf(high - low):
        return 1.0
    if high == low:  # all pairs differ by the same amount
        return 0.0
    freedom = difference.n - 1
    error = (high - low) / 2 / stdtrit(freedom, 0.975)
    return float(2 * stdtr(freedom, -abs(value) / error))


def _verdict(difference: Estimate, p: float) -> Outcome:
    if difference.value == difference.low == difference.high == 0:
        return "same"
    if p >= 0.05:
        return "undecided"
    if difference.measure in NEITHER:
        return "changed"
    more = (difference.value or 0) > 0
    return "better" if more == (difference.measure in MORE_IS_BETTER) else "worse"


def _key(varied: Mapping[str, Any]) -> str:
    return json.dumps(varied, sort_keys=True, default=str)
