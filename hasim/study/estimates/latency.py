"""Quantiles of message latency over replications, from their sketches."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hasim import sketch
from hasim.measures import Measured
from hasim.sketch import bucket_value_ns, merge
from hasim.study.estimates import effective
from hasim.study.estimates.statistics import Floats, Interval, needed, unknown
from hasim.study.estimates.survival import cluster_draws
from hasim.units import SECOND


def quantile(runs: Sequence[Measured], p: float, level: float) -> Interval:
    """Quantile of the latencies of all answered messages, in seconds, to the sketch's accuracy.

    Messages of one replication share its faults and queues: the interval is that of
    their effective number (`hasim.study.estimates.effective`).
    """
    values_s, counts = _histogram(runs)
    n, short = int(counts.sum()), needed(p, level)
    if n == 0:
        return unknown(0, effective.METHOD, short)
    busy = counts[counts.any(axis=1)]
    shares = np.cumsum(busy.sum(axis=0)) / n
    point = float(values_s[np.searchsorted(shares, p - 1e-12)])
    short_of = short if n < short else None
    if len(busy) < 2:
        return Interval(point, -math.inf, math.inf, n, effective.METHOD, short_of)
    place = effective.turning_place(shares, p)
    share, draws = float(shares[place]), cluster_draws(len(busy))
    resampled = (draws @ busy[:, : place + 1].sum(axis=1)) / (draws @ busy.sum(axis=1))
    effect = effective.design_effect(resampled, share * (1 - share) / n, n, len(busy), level)
    sizes = np.full(len(shares), n / effect)
    low, high = effective.quantile_bounds(values_s, shares, sizes, p, level)
    return Interval(point, low, high, n, effective.METHOD, short_of)


def quantile_of_one(p: float, run: Measured) -> float | None:
    """The quantile of one replication by itself, in seconds: replications can then be paired."""
    accuracies = {row.accuracy for row in run.latencies}
    if len(accuracies) != 1:
        return None
    found = sketch.quantile(merge(row.buckets for row in run.latencies), p, *accuracies)
    return None if found is None else found / SECOND


def resampled_share(runs: Sequence[Measured], latency_s: float, draws: Floats) -> Floats:
    """The share at or below a latency for each row of how often each replication was drawn."""
    values_s, counts = _histogram(runs)
    below = counts[:, values_s <= latency_s].sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((draws @ below) / (draws @ counts.sum(axis=1)))


def _histogram(runs: Sequence[Measured]) -> tuple[Floats, Floats]:
    """The buckets' latencies in seconds, and how many each replication (row) has in them."""
    accuracies = {row.accuracy for run in runs for row in run.latencies}
    if len(accuracies) > 1:
        raise ValueError(f"latency sketches of different accuracies: {sorted(accuracies)}")
    merged = [dict(merge(row.buckets for row in run.latencies)) for run in runs]
    buckets = sorted({bucket for one in merged for bucket in one})
    place = {bucket: column for column, bucket in enumerate(buckets)}
    counts = np.zeros((len(runs), len(buckets)))
    for row, one in enumerate(merged):
        for bucket, count in one.items():
            counts[row, place[bucket]] = count
    values_s = [bucket_value_ns(b, accuracy) / SECOND for accuracy in accuracies for b in buckets]
    return np.array(values_s), counts
