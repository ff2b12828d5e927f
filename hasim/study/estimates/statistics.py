"""Confidence intervals: what a finite number of replications allows one to say.

All intervals are two-sided at `level`; the end of a 90 % interval is a one-sided
95 % bound. A bound that the data cannot give is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A point estimate (None without data) between two bounds, from `n` observations.

    `method` is the kind of interval in the literature's words. `needed` is the number
    of observations that both bounds take, where `n` falls short of it. `note` is what the reader
    has to know beside: how many were censored, or that the interval may be too narrow.
    """

    value: float | None
    low: float
    high: float
    n: int
    method: str
    needed: int | None = None
    note: str = ""


def unknown(n: int, method: str, needed: int | None = None) -> Interval:
    """No data: no point, no bounds."""
    return Interval(None, -math.inf, math.inf, n, method, needed)


# -- means and functions of means ------------------------------------------------


def t_quantile(level: float, degrees: float) -> float:
    """The two-sided quantile of Student's t distribution: 2.262 for 95 %, 9 degrees."""
    return float(special.stdtrit(degrees, (1 + level) / 2))


def t_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Student's t interval of the mean of independent observations."""
    array = np.asarray(values, dtype=np.float64)
    n, method = len(array), "Student t"
    if n == 0:
        return unknown(0, method)
    mean = float(array.mean())
    if n == 1:
        return Interval(mean, -math.inf, math.inf, 1, method)
    deviation = float(array.std(ddof=1))
    if deviation == 0:
        # No variation was seen, which does not prove that there is none: say so.
        return Interval(mean, mean, mean, n, f"{method}, all equal")
    half = t_quantile(level, n - 1) * deviation / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n, method)


def mean_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """The interval of a mean of independent observations whose law may be skewed.

    Student's t covers a skewed law too seldom: the mean of 20 exponential observations in 92 %,
    since small means come with small deviations. Hall's transformation (`transformed_quantiles`)
    takes that out; of a symmetric sample it is Student's t.
    """
    array = np.asarray(values, dtype=np.float64)
    found = t_interval(array, level)
    if len(array) < 3 or found.low == found.high:
        return found
    return _skewed(found, array, float(array.std(ddof=1)) / math.sqrt(len(array)), level)


def skewness(values: Floats) -> float:
    """Adjusted Fisher-Pearson skewness of 3 observations or more; 0 if all are equal."""
    n = len(values)
    centred = values - values.mean()
    variance = float((centred**2).mean())
    if not variance:
        return 0.0
    third = float((centred**3).mean())
    return third / math.sqrt(variance) ** 3 * math.sqrt(n * (n - 1)) / (n - 2)


def transformed_quantiles(
    skew: float, n: int, level: float = LEVEL, freedom: float | None = None
) -> tuple[float, float]:
    """Quantiles of (mean - mu) / standard error, lower and upper, for a skewed law.

    Hall's monotone cubic transformation g(T) = T + s T^2/3 + s^2 T^3/27 + s/6 with
    s = skewness / sqrt(n) makes Student's T nearly symmetric; its inverse at the two quantiles
    of Student's t bounds T (Hall, J. Royal Statistical Society B 54, 1992, 221-228). `freedom`
    are the degrees of freedom, n - 1 by default.
    """
    t, s = t_quantile(level, n - 1 if freedom is None else freedom), skew / math.sqrt(n)
    if abs(s) < 1e-9:
        return -t, t
    low, high = (3 / s * (float(np.cbrt(1 + s * (x - s / 6))) - 1) for x in (-t, t))
    return low, high


FEW = "few replications of a skewed measure"
"""A note: the interval may hold the truth less often than it says (results/statistics.md)."""
FEW_HALL = 20
HANDFUL = 5
"""Fewer replications that have incidents are too few for Student's t of skewed times: those of 2
to 4 exponential times covered 91 to 93 %; see results/statistics.md for what is done instead."""
SKEWED = 1.0
"""From this skewness on a sample is taken to be skewed (that of an exponential law is 2)."""


def _skewed(
    found: Interval, values: Floats, error: float, level: float, freedom: float | None = None
) -> Interval:
    """An interval of Student's t, with its quantiles replaced by Hall's.

    Fewer than `FEW_HALL` observations hardly know their skewness: then either bound is the wider
    one of the two (7 % wider on average; the mean of 5 exponential observations is covered in
    93 % instead of 92 %, that of 10 in 95 %; see results/statistics.md).
    Noted if there are fewer than 10 skewness^2 observations, so that what is left of the
    skewness matters: Cochran's rule for Student's t has 25 (Sampling Techniques, 1977, 2.15).
    """
    skew, n = skewness(values), len(values)
    low, high = transformed_quantiles(skew, n, level, freedom)
    mean = found.value or 0.0
    below, above = mean - high * error, mean - low * error
    if n < FEW_HALL:
        below, above = min(below, found.low), max(above, found.high)
    note = FEW if abs(skew) >= SKEWED and n < 10 * skew**2 else ""
    return Interval(found.value, below, above, found.n, f"{found.method}, Hall", note=note)


def effective_number(weights: Floats) -> float:
    """How many equal clusters know as much of a ratio as clusters of these sizes (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def jackknife_interval(
    sums: ArrayLike,
    statistic: Callable[[Floats], Floats],
    level: float = LEVEL,
    *,
    weights: Floats | None = None,
) -> Interval:
    """The jackknife with Student's t, for a function of sums over replications.

    `sums` has a row for each replication and a column for each sum; `statistic` maps
    arrays of totals (last axis: columns) to values. The point estimate is the
    statistic of all, its variance (n-1)/n sum (theta_-i - mean)^2 with theta_-i
    leaving replication i out (Efron, Tibshirani 1993, chapter 11), corrected for the
    skewness of the pseudo-values n theta - (n-1) theta_-i like that of a mean (`mean_interval`).
    With `weights`, how much each replication counts, the degrees of freedom are those of the
    effective number of replications: a few that hold most know the variance badly.
    """
    array = np.asarray(sums, dtype=np.float64)
    total = array.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(total))
        left_out = statistic(total - array) if len(array) > 1 else np.array([math.nan])
    return interval_of_left_out(value, left_out, len(array), level, weights=weights)


def interval_of_left_out(
    value: float,
    left_out: Floats,
    n: int,
    level: float = LEVEL,
    *,
    skewed: bool = True,
    weights: Floats | None = None,
) -> Interval:
    """The jackknife interval of a statistic, given its values with each observation left out.

    `skewed` allows for the skewness of the pseudo-values; a difference has none to speak of.
    Of fewer than `HANDFUL` the skewness cannot be seen: Student's t has a degree of freedom less.
    `weights` as in `jackknife_interval`.
    """
    method = "jackknife t"
    if not math.isfinite(value):
        return unknown(n, method)
    if not np.isfinite(left_out).all():
        # All that is known hangs on one replication.
        return Interval(value, -math.inf, math.inf, n, method)
    variance = (n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum())
    if not np.ptp(left_out):
        return Interval(value, value, value, n, f"{method}, all equal")
    error = math.sqrt(variance)
    # Two replications, however unequal, have a degree of freedom.
    freedom = n - 1 if weights is None else max(1.0, effective_number(weights) - 1)
    handful = skewed and n < HANDFUL
    half = t_quantile(level, max(1.0, freedom - 1) if handful else freedom) * error
    found = Interval(value, value - half, value + half, n, method)
    # The pseudo-values are the left-out values turned round: so is their skewness.
    return _skewed(found, -left_out, error, level, freedom) if skewed and n >= 3 else found


def ratio_interval(
    numerators: ArrayLike, denominators: ArrayLike, level: float = LEVEL
) -> Interval:
    """The ratio of two sums over replications, with its jackknife interval.

    The ratio estimator of regenerative simulation (Iglehart 1975): replications
    weigh by their denominators, and the interval allows for dependence inside one. `n` counts
    those that have anything: others tell nothing of the ratio.
    """
    sums = np.column_stack([np.asarray(numerators, float), np.asarray(denominators, float)])
    some = sums[sums.any(axis=1)]
    if not len(some):
        return unknown(0, "jackknife t")
    return jackknife_interval(some, lambda s: s[..., 0] / s[..., 1], level, weights=some[:, 1])


# -- shares and rates --------------------------------------------------------------


def proportion_interval(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Clopper and Pearson's exact interval of a share (Biometrika 26, 1934)."""
    method = "Clopper-Pearson"
    if n == 0:
        return unknown(0, method)
    tail = (1 - level) / 2
    low = float(special.betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = 1.0
    if successes < n:
        high = float(special.betaincinv(successes + 1, n - successes, 1 - tail))
    return Interval(successes / n, low, high, n, method)


def rate_interval(events: int, exposure: float, level: float = LEVEL) -> Interval:
    """Garwood's exact interval of a Poisson rate, in events per unit of exposure (1936)."""
    method = "exact Poisson"
    if exposure <= 0:
        return unknown(events, method)
    tail = (1 - level) / 2
    low = float(special.gammaincinv(events, tail)) if events else 0.0
    high = float(special.gammaincinv(events + 1, 1 - tail))
    return Interval(events / exposure, low / exposure, high / exposure, events, method)


# -- quantiles ---------------------------------------------------------------------


def order_statistics(n: int, p: float, level: float = LEVEL) -> tuple[int, int]:
    """Ranks (from 1) of the observations that bound the p-quantile, whatever the law.

    The quantile lies in [x_(l), x_(u)) with probability F(u-1) - F(l-1), where F is
    the binomial (n, p) distribution function; each tail is at most (1 - level)/2
    (David, Nagaraja, Order Statistics, 2003, 7.1). Rank 0 is no lower bound, n + 1
    no upper one.
    """
    tail = (1 - level) / 2
    cumulated = special.bdtr(np.arange(n + 1), n, p)
    lower = int(np.searchsorted(cumulated, tail, side="right"))
    upper = int(np.searchsorted(cumulated, 1 - tail, side="left")) + 1
    return lower, upper


def needed(p: float, level: float = LEVEL) -> int:
    """The smallest number of observations that bounds the p-quantile on both sides.

    72 for p95 and 368 for p99 at 95 %; at 90 % (a one-sided 95 % bound) 59 and 299.
    """
    tail = (1 - level) / 2
    return max(math.ceil(math.log(tail) / math.log(q)) for q in (p, 1 - p))


def quantile_interval(values: ArrayLike, p: float, level: float = LEVEL) -> Interval:
    """The distribution-free interval of a quantile of independent observations.

    The point is the ceil(p n)-th smallest, the bounds are `order_statistics`.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n, method = len(ordered), "order statistics"
    short = needed(p, level)
    if n == 0:
        return unknown(0, method, short)
    lower, upper = order_statistics(n, p, level)
    return Interval(
        float(ordered[rank(p, n) - 1]),
        float(ordered[lower - 1]) if lower >= 1 else -math.inf,
        float(ordered[upper - 1]) if upper <= n else math.inf,
        n,
        method,
        short if n < short else None,
    )


def rank(p: float, n: int) -> int:
    """ceil(p n), safe against p n being a rounding error above a whole number."""
    return max(1, math.ceil(p * n * (1 - 1e-12)))


# -- several comparisons -----------------------------------------------------------


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the given order (Scandinavian J. Statistics 6, 1979)."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for step, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - step) * p_values[index]))
        adjusted[index] = largest
    return adjusted


# -- availability --------------------------------------------------------------------


def renewal_reward(down_s: Floats | float, mtbf_s: float) -> Floats | float:
    """Long-run unavailability U = r D / (1 + r D) with r = 1 / MTBF.

    One fault per cycle: the mean time between failures `mtbf_s`, then the mean downtime
    `down_s` (renewal-reward theorem; Ross, Stochastic Processes, 1996, 3.6).
    """
    return down_s / (mtbf_s + down_s)
