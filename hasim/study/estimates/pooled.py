"""Intervals of durations that replications are pooled for: quantiles and means, censored or not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hasim.study.estimates import effective
from hasim.study.estimates.statistics import (
    LEVEL,
    Floats,
    Interval,
    interval_of_left_out,
    needed,
    quantile_interval,
    ratio_interval,
    unknown,
)
from hasim.study.estimates.survival import Sample, cluster_draws

KAPLAN_MEIER = "Kaplan-Meier"
ENOUGH = 8
"""So many clusters tell how much their durations have in common; tried out in
results/statistics.md."""

MANY = 100
"""So many resamples are followed together, duration by duration; fewer one by one."""


def quantile_of(pooled: Sample, p: float, level: float = LEVEL) -> Interval:
    """The Kaplan-Meier quantile of durations, of which a cluster may have several.

    Independent and all seen to their ends: order statistics, which are exact. Censored, or several
    in a cluster: Jeffreys' interval of the Kaplan-Meier share by the effective number of
    observations, inverted (`hasim.study.estimates.effective`). Censoring is taken to be independent
    of the duration. `needed` is set where there are fewer durations than order statistics would
    take.
    """
    n, short = len(pooled.times), needed(p, level)
    if n == 0:
        return unknown(0, "order statistics", short)
    point = float(pooled.quantiles(np.ones((1, n)), p)[0])
    clusters = pooled.clusters
    if clusters == n and pooled.observed.all():
        return quantile_interval(pooled.times, p, level)
    method = KAPLAN_MEIER if clusters == n else effective.METHOD
    if clusters < 2:
        return Interval(point, -math.inf, math.inf, n, method, short if n < short else None)
    times, shares, sizes = pooled.curve
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
    m, alone = pooled.clusters, pooled.numbered
    own = alone.cluster
    if pooled.observed.all():
        totals = np.bincount(own, weights=pooled.times)
        found = ratio_interval(totals, np.bincount(own), level)
        return replace(found, n=n)
    point = float(alone.restricted_means(np.ones((1, n)))[0])
    left_out = alone.leave_out(m, alone.restricted_means)
    found = interval_of_left_out(
        point, left_out, m, level, weights=np.bincount(own).astype(np.float64)
    )
    high = found.high if pooled.observed[-1] else math.inf
    return replace(found, high=high, n=n, method=f"restricted mean, {found.method}")


def _design_effect(
    pooled: Sample, times: Floats, shares: Floats, sizes: Floats, p: float, level: float
) -> float:
    """That of the share at the quantile, over resamples of clusters.

    If only a few clusters have durations beyond, or a small one that looks independent of all
    others, it may happen to be far too small, and just then the bounds look finite. So it
    is not taken to be less than further down, where enough clusters tell.
    """
    m, alone = pooled.clusters, pooled.numbered
    reached = effective.turning_place(shares, p)
    places = {reached, min(reached, _told_by_enough(alone, times, m))}

    def at(place: int) -> float:
        share = float(shares[place])
        resampled = resampled_share(alone, float(times[place]), cluster_draws(m))
        independent = share * (1 - share) / float(sizes[place])
        return effective.design_effect(resampled, independent, len(pooled.times), m, level)

    return max(map(at, sorted(places)))


def _told_by_enough(sample: Sample, times: Floats, clusters: int) -> int:
    """The last place among the times beyond which `ENOUGH` clusters, or all, have durations."""
    longest = np.zeros(clusters)
    np.maximum.at(longest, sample.cluster, sample.times)
    limit = np.sort(longest)[-min(ENOUGH, clusters)]
    return max(0, int(np.searchsorted(times, limit)) - 1)


def resampled_share(pooled: Sample, time: float, draws: Floats) -> Floats:
    """The Kaplan-Meier share at or below a time for each row of how often a cluster is drawn.

    Not a number where none of the clusters drawn has a duration, or the time is infinite.
    """
    until = int(np.searchsorted(pooled.times, time, side="right"))
    if until == 0 or not math.isfinite(time):
        return np.full(len(draws), math.nan)

    if pooled.observed.all():
        return _seen_share(pooled.cluster, until, draws)
    if len(draws) >= MANY:
        curves = pooled.resampled(draws)
        return np.where(curves.durations > 0, 1 - curves.survival(until), math.nan)

    def share(weights: Floats) -> Floats:
        found = 1 - pooled.survival(weights)[:, until - 1]
        return np.where(weights.any(axis=1), found, math.nan)

    return pooled.resample(draws, share)


def _seen_share(cluster: NDArray[np.int64], until: int, draws: Floats) -> Floats:
    """The share of the first `until` durations, if nothing is censored: they are counted."""
    clusters = draws.shape[1]
    hits = np.bincount(cluster[:until], minlength=clusters)
    with np.errstate(invalid="ignore"):
        return np.asarray((draws @ hits) / (draws @ np.bincount(cluster, minlength=clusters)))


def difference_of_means(first: Sample, second: Sample, level: float = LEVEL) -> Interval:
    """How much longer durations last on average in `second` than in `first`, pair by pair.

    The cluster of a duration is the number of its pair. If the longest of a side was
    censored, nothing is known of what would have come later, on either side: both means are then
    restricted to the time up to that (the areas under the two Kaplan-Meier curves; Royston,
    Parmar, BMC Medical Research Methodology 13, 2013). The jackknife leaves out one pair
    after the other. `n` is the number of pairs that have any duration.
    """
    method = "paired jackknife t"
    if not len(first.times) or not len(second.times):
        return unknown(0, method)
    pairs = np.union1d(first.cluster, second.cluster)
    one, other = (
        Sample(s.times, s.observed, np.searchsorted(pairs, s.cluster)) for s in (first, second)
    )
    ends = [float(s.times[-1]) for s in (one, other) if not s.observed[-1]]
    until = min(ends) if ends else None
    means = [_means(s, len(pairs), until) for s in (one, other)]
    value, left_out = means[1][0] - means[0][0], means[1][1] - means[0][1]
    # Sums in another order differ in the last bit: that is no difference between pairs.
    rounding = 1e-12 * max(means[0][0], means[1][0])
    value = value if abs(value) > rounding else 0.0
    left_out = np.where(np.abs(left_out - value) <= rounding, value, left_out)
    found = interval_of_left_out(float(value), left_out, len(pairs), level, skewed=False)
    counts = [f"{int((~s.observed).sum())} of {len(s.times)}" for s in (one, other)]
    note = (
        "" if one.observed.all() and other.observed.all() else f"censored: {' and '.join(counts)}"
    )
    if until is not None:
        method, note = f"{method}, restricted means", f"the first {until:.4g} s; {note}"
    return replace(found, method=method, note=note)


def _means(sample: Sample, clusters: int, until: float | None) -> tuple[float, Floats]:
    """The mean, restricted if need be: of all, and with each cluster left out."""
    if not sample.observed.all():

        def mean(weights: Floats) -> Floats:
            return sample.restricted_means(weights, until)

        whole = mean(np.ones((1, len(sample.times))))
        return float(whole[0]), sample.leave_out(clusters, mean)
    times = sample.times if until is None else np.minimum(sample.times, until)
    totals = np.bincount(sample.cluster, weights=times, minlength=clusters)
    counts = np.bincount(sample.cluster, minlength=clusters)
    with np.errstate(invalid="ignore"):
        left_out = (totals.sum() - totals) / (counts.sum() - counts)
    return float(totals.sum() / counts.sum()), left_out
