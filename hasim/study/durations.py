"""Detection, failover, outage and first answer: durations that may be censored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from hasim.measures import Measured
from hasim.study import survival
from hasim.study.statistics import (
    Floats,
    Interval,
    needed,
    quantile_interval,
    ratio_interval,
    unknown,
)
from hasim.study.survival import Sample

Name = Literal["detection_time", "failover_time", "outage", "first_ok"]


def of_run(name: Name, run: Measured) -> list[tuple[float, bool]]:
    """(seconds, seen to its end) of each in one replication; what is excluded is left out."""
    pairs: list[tuple[float | None, float | None]]
    if name == "failover_time":
        pairs = [(f.failover_s, f.censored_s) for f in run.failovers]
    elif name == "detection_time":
        pairs = [(i.detection_s, i.censored_s) for i in run.incidents]
    elif name == "outage":
        pairs = [(i.outage_s, i.outage_censored_s) for i in run.incidents]
    else:
        pairs = [(i.first_ok_s, i.first_ok_censored_s) for i in run.incidents]
    found = []
    for complete_s, censored_s in pairs:
        if complete_s is not None:
            found.append((complete_s, True))
        elif censored_s is not None:
            found.append((censored_s, False))
    return found


def sample(name: Name, runs: Sequence[Measured]) -> Sample:
    """The durations of all replications; the cluster is the index of the replication."""
    rows = [(t, seen, index) for index, run in enumerate(runs) for t, seen in of_run(name, run)]
    return Sample.of(*zip(*rows, strict=True)) if rows else Sample.of([], [], [])


def quantile(name: Name, runs: Sequence[Measured], p: float, level: float) -> Interval:
    """The Kaplan-Meier quantile.

    If no replication has more than one duration, they are independent and
    the interval is that of order statistics; a censored duration then
    counts as infinite for the upper bound and as what was seen of it for the lower.
    Otherwise replications are resampled (cluster bootstrap).
    """
    pooled = sample(name, runs)
    n, short = len(pooled.times), needed(p, level)
    if n == 0:
        return unknown(0, "order statistics", short)
    point = float(pooled.quantiles(np.ones((1, n)), p)[0])
    clusters, own = np.unique(pooled.cluster, return_inverse=True)
    if len(clusters) == n:
        most = np.where(pooled.observed, pooled.times, math.inf)
        found = quantile_interval(pooled.times, p, level, most)
        return Interval(point, found.low, found.high, n, found.method, found.needed)
    alone = Sample(pooled.times, pooled.observed, own)
    statistics = alone.resample(
        survival.cluster_draws(len(clusters)), lambda weights: alone.quantiles(weights, p)
    )
    found = survival.percentile_interval(point, statistics, len(clusters), n, level)
    return Interval(point, found.low, found.high, n, found.method, short if n < short else None)


def mean(name: Name, runs: Sequence[Measured], level: float) -> Interval:
    """The mean: a ratio estimator, or, with censoring, the restricted mean.

    The restricted mean (the area under the Kaplan-Meier curve up to the longest
    duration) is too small if the longest is censored; then there is no upper bound.
    """
    pooled = sample(name, runs)
    n = len(pooled.times)
    if n == 0:
        return unknown(0, "jackknife t")
    clusters, own = np.unique(pooled.cluster, return_inverse=True)
    if pooled.observed.all():
        totals = np.bincount(own, weights=pooled.times)
        found = ratio_interval(totals, np.bincount(own), level)
        return Interval(found.value, found.low, found.high, n, found.method)
    alone = Sample(pooled.times, pooled.observed, own)
    point = float(alone.restricted_means(np.ones((1, n)))[0])
    draws = survival.cluster_draws(len(clusters))
    found = survival.percentile_interval(
        point, alone.resample(draws, alone.restricted_means), len(clusters), n, level
    )
    high = found.high if pooled.observed[-1] else math.inf
    return Interval(point, found.low, high, n, f"restricted mean, {found.method}")


def resampled_quantile(name: Name, runs: Sequence[Measured], p: float, draws: Floats) -> Floats:
    """The quantile for each row of how often each replication was drawn."""
    pooled = sample(name, runs)
    if not len(pooled.times):
        return np.full(len(draws), math.nan)
    return pooled.resample(draws, lambda weights: pooled.quantiles(weights, p))
