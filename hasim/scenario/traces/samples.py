"""Recorded durations to draw from: round-trip times as jitter, or as times of service."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hasim.scenario.tables.errors import TraceError
from hasim.scenario.tables.numbers import durations, numbers, whole
from hasim.scenario.tables.table import Table, read_table
from hasim.scenario.traces.scaling import frozen
from hasim.simulation.settings.recordings import JitterTrace, SampleFile

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
MOST_COUNTED = 10_000_000
"""Values of one recording at most, each as often as it was seen: 80 MB."""


def read_jitter(trace: JitterTrace) -> Floats:
    """Sorted ratios of each round-trip time to the median of its pair.

    A value of zero lies below the resolution of the recording, or is missing,
    and is left out. Raises TraceError.
    """
    pair = {f"pair.{index}": column for index, column in enumerate(trace.pair)}
    table = _table(trace, pair)
    values = numbers(table, "column", trace.decimal)
    names = list(zip(*(table.texts(key) for key in pair), strict=True)) if pair else []
    groups = {name: index for index, name in enumerate(dict.fromkeys(names))}
    group = np.array([groups[name] for name in names] or [0] * len(values))
    counts = _counts(table, trace)
    values, group = np.repeat(values, counts), np.repeat(group, counts)
    seen = values > 0
    values, group = values[seen], group[seen]
    if not len(values):
        raise TraceError(table.file, settings=[("column", f"{trace.column!r} holds only zeros")])
    order = np.lexsort((values, group))
    values, group = values[order], group[order]
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    parts = [part / np.median(part) for part in np.split(values, starts[1:])]
    return frozen(np.sort(np.concatenate(parts)))


def read_samples(trace: SampleFile) -> Floats:
    """Sorted durations in nanoseconds, none of them negative. Raises TraceError."""
    table = _table(trace, {})
    values = durations(table, "column", trace.unit, trace.decimal)
    table.refuse([(int(i), "column", "must not be negative") for i in np.flatnonzero(values < 0)])
    if not values.any():
        raise TraceError(table.file, settings=[("column", f"{trace.column!r} holds only zeros")])
    return frozen(np.sort(np.repeat(values, _counts(table, trace))).astype(np.float64))


def _table(trace: JitterTrace | SampleFile, more: dict[str, str | int]) -> Table:
    counted: dict[str, str | int] = {} if trace.count_ is None else {"count": trace.count_}
    return read_table(trace.file, {"column": trace.column, **more, **counted}, trace)


def _counts(table: Table, trace: JitterTrace | SampleFile) -> Ints:
    """How often each row counts, at least once; all together at most `MOST_COUNTED` times."""
    if trace.count_ is None:
        return np.ones(len(table), dtype=np.int64)
    counts = whole(table, "count", trace.decimal, least=1)
    # As floats: a sum of whole numbers may be too large for 64 bits.
    if (total := counts.sum(dtype=np.float64)) > MOST_COUNTED:
        message = f"makes {total:,.0f} values; the most is {MOST_COUNTED:,}"
        raise TraceError(table.file, settings=[("count", message)])
    return counts
