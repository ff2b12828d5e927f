"""Quantiles of message latency over replications, from their sketches."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hasim.measures import Measured
from hasim.sketch import bucket_value_ns, merge
from hasim.study.statistics import Floats, Interval, needed, unknown
from hasim.study.survival import cluster_draws, percentile_interval
from hasim.units import SECOND


def quantile(runs: Sequence[Measured], p: float, level: float) -> Interval:
    """Quantile of the latencies of all answered messages, in seconds, to the sketch's accuracy.

    Messages of one replication share its faults and queues, so replications are
    resampled (cluster bootstrap).
    """
    values_s, counts = _histogram(runs)
    n = int(counts.sum())
    if n == 0:
        return unknown(0, "cluster bootstrap", needed(p, level))
    busy = counts[counts.any(axis=1)]
    point = float(_quantiles(values_s, np.ones((1, len(busy))) @ busy, p)[0])
    statistics = _quantiles(values_s, cluster_draws(len(busy)) @ busy, p)
    found = percentile_interval(point, statistics, len(busy), n, level)
    short = needed(p, level)
    return Interval(point, found.low, found.high, n, found.method, short if n < short else None)


def resampled_quantile(runs: Sequence[Measured], p: float, draws: Floats) -> Floats:
    """The quantile for each row of how often each replication was drawn."""
    values_s, counts = _histogram(runs)
    if not counts.any():
        return np.full(len(draws), math.nan)
    return _quantiles(values_s, draws @ counts, p)


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


def _quantiles(values_s: Floats, counts: Floats, p: float) -> Floats:
    """For each row of counts, the value of the ceil(p n)-th smallest."""
    cumulated = np.cumsum(counts, axis=1)
    totals = cumulated[:, -1:]
    ranks = np.maximum(1, np.ceil(p * totals * (1 - 1e-12)))
    found = values_s[(cumulated >= ranks).argmax(axis=1)]
    return np.where(totals[:, 0] > 0, found, math.nan)
