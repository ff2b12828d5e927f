"""Tier 2: is a measure worse than the baseline by more than its margin?

Non-inferiority by paired differences. With d the difference of a replication (worse is
positive) and M the margin, the measure passes if the one-sided 95 % upper bound of the mean of
d lies below M, and is a regression if the lower bound lies above M; else it is inconclusive.

Many measures and several looks, without more than 5 % false alarms:

- A regression is claimed by Holm's method over the measures of the whole suite. Measures of
  which no replication differs cannot fail and do not count (Tarone, Biometrics 46, 1990).
- A pass of the gate needs a pass of every measure, each at the full level (intersection-union
  test; Berger, Technometrics 24, 1982).
- Verdicts are looked at again as replications are added: the 5 % are split evenly over the
  planned looks (Bonferroni), so bounds are those at 5 % / looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from hasim.measures.catalogue import find
from hasim.study.estimates.statistics import Floats, holm
from hasim.study.gate.quantities import worse_by

ALPHA = 0.05
SEEN = 5
"""Replications that must differ before Student's t is believed; until then, the cap decides."""

Verdict = Literal["pass", "regression", "inconclusive"]
Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Paired:
    """One measure of one cell, replication by replication, before it is judged.

    `differences` are those of the replications with a value in both, worse positive. `lost`
    counts those that have a value in the baseline only, `gained` those in the candidate only.
    """

    cell: str
    measure: str
    margin: float
    differences: Floats
    baseline: float | None
    current: float | None
    correlation: float | None
    lost: int
    gained: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of one measure of one cell.

    `baseline` and `current` are means over the `n` replications that have a value in both;
    `difference` is the mean paired difference, worse positive, between the one-sided bounds
    `lower` and `upper`, all in `unit`. `p` is the p-value of "worse by more than the margin"
    after the corrections. `correlation` is that of the pairs: near 0, they have lost their
    common luck. `lost` counts replications whose value is gone, `gained` those of which the
    baseline has none. `reason` is for people.
    """

    cell: str
    measure: str
    unit: str
    more_is_better: bool
    margin: float
    n: int
    baseline: float | None
    current: float | None
    difference: float | None
    lower: float
    upper: float
    p: float
    correlation: float | None
    lost: int
    gained: int
    verdict: Verdict
    reason: str = ""

    @property
    def identical(self) -> bool:
        """Whether no replication differs."""
        differ = self.difference or self.lower or self.upper
        return self.difference is not None and not (self.lost or self.gained or differ)

    @property
    def better(self) -> bool:
        """Whether the measure has improved, with the confidence of the bounds."""
        return self.upper < 0

    @property
    def badness(self) -> tuple[int, float]:
        """For sorting: the verdict first, then the difference in margins."""
        rank = {"pass": 0, "inconclusive": 1, "regression": 2}[self.verdict]
        difference = self.difference or 0.0
        if self.margin:
            return rank, difference / self.margin
        return rank, math.copysign(math.inf, difference) if difference else 0.0


def pair(cell: str, measure: str, margin: float, before: Values, after: Values) -> Paired:
    """The paired differences of the replications that both have, in the same order."""
    both = [(b, a) for b, a in zip(before, after, strict=True) if b is not None and a is not None]
    differences = np.array([worse_by(measure, b, a) for b, a in both], dtype=np.float64)
    lost = sum(b is not None and a is None for b, a in zip(before, after, strict=True))
    gained = sum(b is None and a is not None for b, a in zip(before, after, strict=True))
    baseline = math.fsum(b for b, _ in both) / len(both) if both else None
    current = math.fsum(a for _, a in both) / len(both) if both else None
    return Paired(
        cell, measure, margin, differences, baseline, current, _correlation(both), lost, gained
    )


def _correlation(both: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's; None if either side does not vary."""
    if len(both) < 2:
        return None
    before, after = np.array(both).T
    if not np.ptp(before) or not np.ptp(after):
        return None
    return float(np.corrcoef(before, after)[0, 1])


def judge(
    pairs: Sequence[Paired], *, looks: int, at_cap: Sequence[bool], changed: Sequence[bool]
) -> list[Comparison]:
    """The verdicts on all measures of a suite.

    `looks` is the number of planned looks; `at_cap` says for each pair whether there are no more
    replications, `changed` whether the fingerprints of its cell differ.
    """
    levels = [bounds(one.differences, ALPHA / looks) for one in pairs]
    raw = [exceeds(one.differences, one.margin) for one in pairs]
    may_fail = [place for place, one in enumerate(pairs) if one.differences.any()]
    adjusted = dict(zip(may_fail, holm([raw[place] for place in may_fail]), strict=True))
    found = []
    for place, one in enumerate(pairs):
        p = min(1.0, adjusted.get(place, 1.0) * looks)
        verdict, reason = _verdict(one, levels[place][1], p, at_cap[place], changed[place])
        found.append(_comparison(one, levels[place], p, verdict, reason))
    return found


def _verdict(
    one: Paired, upper: float, p: float, at_cap: bool, changed: bool
) -> tuple[Verdict, str]:
    if p < ALPHA:
        return "regression", "worse by more than the margin"
    if one.lost:
        return "inconclusive", f"{one.lost} replications have lost their value"
    # A value that is new is no harm where the behaviour has changed, if most can be compared.
    if one.gained and (not changed or one.gained > len(one.differences)):
        return "inconclusive", f"{one.gained} replications have no value in the baseline"
    if not len(one.differences):
        return "pass", "no value in either"
    differing = int(np.count_nonzero(one.differences))
    if not differing and (at_cap or not changed):
        return "pass", "no replication differs"
    if upper >= one.margin and differing:
        return "inconclusive", "the difference may be more or less than the margin"
    if differing < SEEN and not at_cap:
        return "inconclusive", f"{differing} replications differ: too few to judge by"
    return "pass", "not worse by more than the margin"


def _comparison(
    one: Paired, level: tuple[float, float], p: float, verdict: Verdict, reason: str
) -> Comparison:
    measure = find(one.measure)
    n = len(one.differences)
    return Comparison(
        cell=one.cell,
        measure=one.measure,
        unit=measure.unit,
        more_is_better=measure.better == "more",
        margin=one.margin,
        n=n,
        baseline=one.baseline,
        current=one.current,
        difference=float(one.differences.mean()) if n else None,
        lower=level[0],
        upper=level[1],
        p=p,
        correlation=one.correlation,
        lost=one.lost,
        gained=one.gained,
        verdict=verdict,
        reason=reason,
    )


def bounds(differences: Floats, alpha: float) -> tuple[float, float]:
    """One-sided lower and upper Student t bounds of the mean, each with error `alpha`."""
    n = len(differences)
    if n < 2:
        return -math.inf, math.inf
    mean = float(differences.mean())
    deviation = float(differences.std(ddof=1))
    if deviation == 0:
        return mean, mean
    half = float(special.stdtrit(n - 1, 1 - alpha)) * deviation / math.sqrt(n)
    return mean - half, mean + half


def exceeds(differences: Floats, margin: float) -> float:
    """The one-sided p-value of the t test that the mean is at most `margin`.

    If all differences are equal there is no variance to go by: then that of the sign test,
    1/2^n, the least that n pairs can show.
    """
    n = len(differences)
    if n < 2:
        return 1.0
    above = float(differences.mean()) - margin
    deviation = float(differences.std(ddof=1))
    if np.ptp(differences) == 0 or deviation == 0:
        return 0.5**n if above > 0 else 1.0
    return float(special.stdtr(n - 1, -above * math.sqrt(n) / deviation))
