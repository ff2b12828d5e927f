"""Intervals of durations that replications are pooled for: quantiles and means, censored or not."""

from __future__ import annotations

import math

import numpy as np

from hasim.study import effective
from hasim.study.statistics import (
    LEVEL,
    Floats,
    Interval,
    interval_of_left_out,
    needed,
    quantile_interval,
    ratio_interval,
    unknown,
)
from hasim.study.survival import Sample, cluster_draws

KAPLAN_MEIER = "Kaplan-Meier"


def quantile_of(pooled: Sample, p: float, level: float = LEVEL) -> Interval:
    """The Kaplan-Meier quantile of durations, of which a cluster may have several.

    Independent and all seen to their ends: order statistics, which are exact. Censored, or several
    in a cluster: Jeffreys' interval of the Kaplan-Meier share by the effective number of
    observations, inverted (`hasim.study.effective`). Censoring is taken to be independent of the
    duration. `needed` is set where there are fewer durations than order statistics would take.
    """
    n, short = len(pooled.times), needed(p, level)
    if n == 0:
        return unknown(0, "order statistics", short)
    point = float(pooled.quantiles(np.ones((1, n)), p)[0])
    clusters = len(np.unique(pooled.cluster))
    if clusters == n and pooled.observed.all():
        return quantile_interval(pooled.times, p, level)
    method = KAPLAN_MEIER if clusters == n else effective.METHOD
    if clusters < 2:
        return Interval(point, -math.inf, math.inf, n, method, short if n < short else None)
    times, shares, sizes = _curve(pooled)
    if clusters < n:
        sizes = sizes / _design_effect(pooled, times, shares, sizes, p, level)
    low, high = effective.quantile_bounds(times, shares, sizes, p, level)
    return Interval(point, low, high, n, method, short if n < short else None)


def mean_of(pooled: Sample, level: float = LEVEL) -> Interval:
    """The mean of durations: a ratio of sums over clusters or, with censoring, restricted.

    The restricted mean (the area under the Kaplan-Meier curve up to the longest duration) is
    too small if the longest is censored; then there is no upper bound.
    """
    n = len(pooled.times)
    if n == 0:
        return unknown(0, "jackknife t")
    clusters, own = np.unique(pooled.cluster, return_inverse=True)
    if pooled.observed.all():
        totals = np.bincount(own, weights=pooled.times)
        found = ratio_interval(totals, np.bincount(own), level)
        return Interval(found.value, found.low, found.high, n, found.method)
    alone = Sample(pooled.times, pooled.observed, own)
    m = len(clusters)
    point = float(alone.restricted_means(np.ones((1, n)))[0])
    left_out = alone.resample(1 - np.eye(m), alone.restricted_means)
    found = interval_of_left_out(point, left_out, m, level)
    high = found.high if pooled.observed[-1] else math.inf
    return Interval(point, found.low, high, n, f"restricted mean, {found.method}")


def _curve(pooled: Sample) -> tuple[Floats, Floats, Floats]:
    """The Kaplan-Meier curve at each time: time, share by then, effective observations."""
    last = np.append(pooled.times[1:] > pooled.times[:-1], True)
    shares = 1 - pooled.survival(np.ones((1, len(last))))[0]
    return pooled.times[last], shares[last], pooled.effective_sizes()[last]


def _design_effect(
    pooled: Sample, times: Floats, shares: Floats, sizes: Floats, p: float, level: float
) -> float:
    """That of the share at the quantile, over resamples of clusters."""
    place = effective.turning_place(shares, p)
    clusters, own = np.unique(pooled.cluster, return_inverse=True)
    m, share = len(clusters), float(shares[place])
    alone = Sample(pooled.times, pooled.observed, own)
    resampled = resampled_share(alone, float(times[place]), cluster_draws(m))
    independent = share * (1 - share) / float(sizes[place])
    return effective.design_effect(resampled, independent, len(pooled.times), m, level)


def resampled_share(pooled: Sample, time: float, draws: Floats) -> Floats:
    """The Kaplan-Meier share at or below a time for each row of how often a cluster is drawn.

    Not a number where none of the clusters drawn has a duration, or the time is infinite.
    """
    until = int(np.searchsorted(pooled.times, time, side="right"))
    if until == 0 or not math.isfinite(time):
        return np.full(len(draws), math.nan)

    def share(weights: Floats) -> Floats:
        found = 1 - pooled.survival(weights)[:, until - 1]
        return np.where(weights.any(axis=1), found, math.nan)

    return pooled.resample(draws, share)
