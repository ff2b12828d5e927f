"""Quantiles of message latency over replications, from their sketches."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from hasim import sketch
from hasim.measures import Measured
from hasim.measures.load import Latencies
from hasim.sketch import Cells, merge, middle_ns, numbers_of
from hasim.study.estimates import effective
from hasim.study.estimates.replications import Replications, Runs, remembered
from hasim.study.estimates.statistics import Floats, Interval, needed, ratio_interval, unknown
from hasim.study.estimates.survival import cluster_draws
from hasim.units import SECOND

MOST_CELLS = 20_000
"""So many different latencies of all replications are told apart; more go into buckets."""


def quantile(runs: Runs, p: float, level: float) -> Interval:
    """Quantile of the latencies of all answered messages, in seconds.

    Messages of one replication share its faults and queues: the interval is that of
    their effective number (`hasim.study.estimates.effective`). Latencies that were put together
    in a cell are known only to lie in it: the interval runs from the least latency of its lower
    cell to the greatest of its upper one.
    """
    found = _histogram(runs)
    cells, counts = found.cells, found.counts
    n, short = int(counts.sum()), needed(p, level)
    if n == 0:
        return unknown(0, effective.METHOD, short)
    busy = counts[counts.any(axis=1)]
    shares = np.cumsum(busy.sum(axis=0)) / n
    point = middle_ns(cells[int(np.searchsorted(shares, p - 1e-12))]) / SECOND
    short_of = short if n < short else None
    if len(busy) < 2:
        return Interval(point, -math.inf, math.inf, n, effective.METHOD, short_of)
    place = effective.turning_place(shares, p)
    share, draws = float(shares[place]), cluster_draws(len(busy))
    resampled = (draws @ busy[:, : place + 1].sum(axis=1)) / (draws @ busy.sum(axis=1))
    effect = effective.design_effect(resampled, share * (1 - share) / n, n, len(busy), level)
    sizes = np.full(len(shares), n / effect)
    places = np.arange(len(cells), dtype=float)
    low, high = effective.quantile_bounds(places, shares, sizes, p, level)
    return Interval(point, _end(cells, low, 0), _end(cells, high, 1), n, effective.METHOD, short_of)


def mean(runs: Runs, level: float) -> Interval:
    """The mean latency of all answered messages, in seconds: a ratio of sums over replications.

    Latencies that were put together in a cell lie anywhere in it: the interval runs from what
    their least would give to what their greatest would.
    """
    sums = [_sums(run) for run in runs]
    counts = [count for *_, count in sums]
    least, middle, greatest = (
        ratio_interval([one[side] for one in sums], counts, level) for side in range(3)
    )
    return replace(middle, low=min(least.low, middle.low), high=max(greatest.high, middle.high))


def mean_of_one(run: Measured) -> float | None:
    """The mean latency of one replication, in seconds."""
    total_s, count = total_of(run)
    return total_s / count if count else None


def total_of(run: Measured) -> tuple[float, float]:
    """The sum of the latencies of one replication, in seconds, and their number."""
    cells = [cell for row in run.latencies for cell in row.cells]
    return sum(middle_ns(cell) * cell[2] for cell in cells) / SECOND, float(
        sum(n for *_, n in cells)
    )


def _sums(run: Measured) -> tuple[float, float, float, float]:
    """The latencies summed up by the least, the middle and the greatest of their cells; count."""
    cells = [cell for row in run.latencies for cell in row.cells]
    middle_s, count = total_of(run)
    return (
        sum(least * count for least, _, count in cells) / SECOND,
        middle_s,
        sum(greatest * count for _, greatest, count in cells) / SECOND,
        count,
    )


def with_failed(runs: Runs) -> Runs:
    """The same with each message that was not answered by its deadline as one that took so long.

    Without those whose deadline lies beyond the end of the run and that were not answered by then.
    """
    return remembered(runs, "with failed messages", _with_failed)


def _with_failed(runs: Runs) -> Runs:
    found = []
    for run in runs:
        answered = sum(cell[2] for row in run.latencies for cell in row.cells)
        open_ = sum(row.messages - row.in_time for row in run.messages if not row.settled)
        failed, at_ns = run.load.messages - answered - open_, round(run.deadline_s * SECOND)
        accuracy = next((row.accuracy for row in run.latencies), sketch.ACCURACY)
        rows = run.latencies
        if failed > 0:
            late = Latencies(klass="failed", accuracy=accuracy, cells=((at_ns, at_ns, failed),))
            rows = (*rows, late)
        found.append(replace(run, latencies=rows))
    return Replications.of(found)


def _end(cells: Cells, place: float, side: int) -> float:
    """The least (0) or greatest (1) latency of a cell, in seconds; a bound that is none stays."""
    return cells[int(place)][side] / SECOND if math.isfinite(place) else place


def quantile_of_one(p: float, run: Measured) -> float | None:
    """The quantile of one replication by itself, in seconds: replications can then be paired."""
    accuracies = {row.accuracy for row in run.latencies}
    if len(accuracies) != 1:
        return None
    found = sketch.quantile(merge((row.cells for row in run.latencies), *accuracies), p)
    return None if found is None else found / SECOND


def weighted_quantiles(runs: Runs, weights: Floats, p: float) -> Floats:
    """The quantile in seconds for each row of how much each replication weighs."""
    histogram = _histogram(runs)
    totals = weights @ histogram.counts
    with np.errstate(invalid="ignore"):
        shares = np.cumsum(totals, axis=1) / totals.sum(axis=1, keepdims=True)
    if not len(histogram.cells):
        return np.full(len(weights), math.nan)
    found = histogram.middles_s[np.argmax(shares >= p - 1e-12, axis=1)]
    return np.where(totals.any(axis=1), found, math.nan)


def resampled_share(runs: Runs, latency_s: float, draws: Floats) -> Floats:
    """The share at or below a latency for each row of how often each replication was drawn."""
    found = _histogram(runs)
    counts = found.counts
    below = counts[:, found.middles_s <= latency_s].sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((draws @ below) / (draws @ counts.sum(axis=1)))


@dataclass(frozen=True)
class _Histogram:
    """The cells of all runs, and how many latencies each replication (row) has in them."""

    cells: Cells
    counts: Floats

    @functools.cached_property
    def middles_s(self) -> Floats:
        """What each cell stands for, in seconds."""
        return np.array([middle_ns(cell) / SECOND for cell in self.cells])


def _histogram(runs: Runs) -> _Histogram:
    """Each different latency is a cell as long as the runs keep them and they are few."""
    return remembered(runs, "histogram of latencies", _counted)


def _counted(runs: Runs) -> _Histogram:
    accuracies = {row.accuracy for run in runs for row in run.latencies}
    if len(accuracies) > 1:
        raise ValueError(f"latency sketches of different accuracies: {sorted(accuracies)}")
    of_run = [[cell for row in run.latencies for cell in row.cells] for run in runs]
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(of_run)), np.int64)
    least, greatest, number = flat.reshape(-1, 3).T
    if not len(least):
        return _Histogram((), np.zeros((len(runs), 0)))
    keys = np.unique(least) if (least == greatest).all() else None
    if keys is None or len(keys) > MOST_CELLS:
        keys, place = np.unique(numbers_of(least, *accuracies), return_inverse=True)
    else:
        place = np.searchsorted(keys, least)
    lowest = np.full(len(keys), np.iinfo(np.int64).max)
    highest = np.zeros(len(keys), dtype=np.int64)
    np.minimum.at(lowest, place, least)
    np.maximum.at(highest, place, greatest)
    rows = np.repeat(np.arange(len(runs)), [len(cells) for cells in of_run])
    counts = np.zeros((len(runs), len(keys)))
    np.add.at(counts, (rows, place), number)
    total = counts.sum(axis=0).astype(np.int64)
    columns = lowest.tolist(), highest.tolist(), total.tolist()
    return _Histogram(tuple(zip(*columns, strict=True)), counts)
