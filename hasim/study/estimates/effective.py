"""Shares and quantiles of observations that come in clusters, by their effective number.

Incidents of one replication share its faults and queues, and censored ones tell less: n such
observations say as much as n' independent ones would. An interval for n' independent
observations then covers (Korn, Graubard, Survey Methodology 24, 1998; Dorey, Korn, Statistics in
Medicine 6, 1987). How much less they tell is the *design effect*: the variance of the share over
bootstrap resamples of whole replications, over what it were for independent observations.

Taking the percentiles of the resampled quantile itself, as the plain cluster bootstrap does,
covers p95 in 84 to 92 % with 10 to 50 replications: resamples know no longer times than the
longest that was seen. See results/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from hasim.study.estimates.statistics import LEVEL, Floats, Interval, t_quantile, unknown

METHOD = "cluster bootstrap"
PAIRED = "paired cluster bootstrap"


def design_effect(
    resampled: Floats, independent: float, n: int, clusters: int, level: float = LEVEL
) -> float:
    """How many of `n` observations in `clusters` say as much as one independent observation.

    `resampled` are the values of a share over bootstrap resamples of the clusters, `independent`
    is its variance if all observations were independent. Few clusters know their own variance
    badly, so Student's t counts for them instead of for n. At least 1 (the truncation of Parker et
    al., NCHS Data Presentation Standards for Proportions, 2017).
    """
    if independent <= 0 or clusters < 2:
        return 1.0
    variance = float(resampled.var()) * clusters / (clusters - 1)
    few = (t_quantile(level, clusters - 1) / t_quantile(level, max(n - 1, 1))) ** 2
    return max(1.0, variance / independent * few)


def share_bounds(shares: Floats, sizes: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Jeffreys' interval of each share of so many (effective, perhaps broken) observations.

    Equal tails of Beta(k + 1/2, n - k + 1/2), and 0 and 1 where none or all were hit (Brown, Cai,
    DasGupta, Statistical Science 16, 2001); of the intervals with an effective number one of the
    best (Franco et al., J. Survey Statistics and Methodology 7, 2019).
    """
    tail = (1 - level) / 2
    hits = shares * sizes
    misses = np.maximum(sizes - hits, 0.0)
    low = np.where(shares > 0, special.betaincinv(hits + 0.5, misses + 0.5, tail), 0.0)
    high = np.where(shares < 1, special.betaincinv(hits + 0.5, misses + 0.5, 1 - tail), 1.0)
    return low, high


def share_interval(hits: Floats, counts: Floats, draws: Floats, level: float = LEVEL) -> Interval:
    """The share of hits among observations in clusters; `hits` and `counts` are by cluster.

    `draws` says how often each cluster is in each resample. Neither all nor none may be hits, which
    would hide how much the clusters differ; every cluster has an observation.
    """
    n, clusters = int(counts.sum()), len(counts)
    share = float(hits.sum() / n)
    if clusters < 2:
        return Interval(share, -math.inf, math.inf, n, METHOD)
    resampled = (draws @ hits) / (draws @ counts)
    effect = design_effect(resampled, share * (1 - share) / n, n, clusters, level)
    low, high = share_bounds(np.array([share]), np.array([n / effect]), level)
    return Interval(share, float(low[0]), float(high[0]), n, METHOD)


def turning_place(shares: Floats, p: float) -> int:
    """The place of the p-quantile among growing shares, or the last below 1 if that comes first.

    Where all observations lie below, their share has no variance to compare with.
    """
    reached = int(np.searchsorted(shares, p - 1e-9))
    below_one = int(np.searchsorted(shares, 1 - 1e-12)) - 1
    return max(0, min(reached, below_one, len(shares) - 1))


def quantile_bounds(
    values: Floats, shares: Floats, sizes: Floats, p: float, level: float = LEVEL
) -> tuple[float, float]:
    """The bounds of the p-quantile, by inverting the intervals of the shares (Woodruff 1952).

    `shares` of the observations lie at or below `values` (both growing), each resting on so many
    `sizes`. A value is in the interval unless the share below it is surely less, or more, than p.
    With exact intervals of the shares this gives order statistics.
    """
    low, high = share_bounds(shares, sizes, level)
    upper = float(values[np.argmax(low >= p)]) if (low >= p).any() else math.inf
    # Before the first value nothing was hit: may the share be p all the same?
    if special.betaincinv(0.5, sizes[0] + 0.5, (1 + level) / 2) > p:
        return -math.inf, upper
    # If no share may be p, the quantile lies beyond the last value.
    return float(values[np.argmax(high > p)] if (high > p).any() else values[-1]), upper


Shares = Callable[[float, Floats], Floats]
"""(value, draws) -> the share at or below it, for each row of how often clusters are drawn."""


def difference_interval(
    first: tuple[Interval, Shares],
    second: tuple[Interval, Shares],
    draws: Floats,
    level: float = LEVEL,
) -> Interval:
    """The difference of two quantiles, second minus first, of pairs of clusters.

    The bootstrap draws the same pairs (`draws`) for both. It resamples the shares below the two
    quantiles, which are smooth, and not the quantiles, which jump between few values: a
    quantile misses by what its share misses over the density there (Bahadur, Annals of
    Mathematical Statistics 37, 1966), taken as the share inside the quantile's interval over its
    width (Woodruff 1952). It is not taken to be known better than to one observation, since few
    pairs may happen to agree. Student's t with a degree of freedom less than pairs. `n` is the
    number of pairs.
    """
    pairs = draws.shape[1]
    (one, shares), (other, other_shares) = first, second
    if one.value is None or other.value is None or math.isnan(other.value - one.value):
        return unknown(pairs, PAIRED)
    value = other.value - one.value
    at = one.value
    if one == other and np.array_equal(shares(at, draws), other_shares(at, draws), equal_nan=True):
        return Interval(value, value, value, pairs, f"{PAIRED}, all equal")
    if pairs < 2 or not math.isfinite(one.high - one.low + other.high - other.low):
        return Interval(value, -math.inf, math.inf, pairs, PAIRED)
    slopes = _slope(*first, pairs), _slope(*second, pairs)
    misses = slopes[1] * _missed(*second, draws) - slopes[0] * _missed(*first, draws)
    variance = float(np.nanvar(misses)) * pairs / (pairs - 1)
    variance = max(variance, max(slopes[0] / one.n, slopes[1] / other.n) ** 2)
    half = t_quantile(level, pairs - 1) * math.sqrt(variance)
    return Interval(value, value - half, value + half, pairs, PAIRED)


def _slope(found: Interval, shares: Shares, clusters: int) -> float:
    """By how much the quantile moves if the share below it does, inside its interval."""
    width = found.high - found.low
    whole = np.ones((1, clusters))
    return (
        width / float((shares(found.high, whole) - shares(found.low, whole))[0]) if width else 0.0
    )


def _missed(found: Interval, shares: Shares, draws: Floats) -> Floats:
    """By how much the share below the quantile is off in each resample."""
    at = found.value or 0.0
    return np.asarray(shares(at, np.ones((1, draws.shape[1]))) - shares(at, draws))
