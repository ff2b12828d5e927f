"""Recorded arrivals: a time for each, or a count for each bin of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hasim.scenario.tables.dialect import Dialect
from hasim.scenario.tables.errors import TraceError, printable
from hasim.scenario.tables.numbers import whole
from hasim.scenario.tables.table import Table, read_table
from hasim.scenario.tables.times import times
from hasim.scenario.traces.scaling import from_first, frozen, scaled
from hasim.simulation.recorded import Bins
from hasim.simulation.settings.recordings import TableFile, TraceArrivals
from hasim.units import SECOND, format_duration

Ints = NDArray[np.int64]
REGULAR = 0.9
"""Times of which so many are one step from the one before are those of bins."""
FEWEST_BINS = 3
MOST_COUNTED = 10**15
"""Messages of one recording at most; those of one run are far fewer."""


def read_arrivals(trace: TraceArrivals) -> Ints:
    """Sorted arrival times in nanoseconds from the first one on, divided by the time scale.

    Raises TraceError, also for what looks like counts per bin.
    """
    table = read_table(trace.file, {"column": trace.column}, trace)
    found = np.sort(times(table, ("column",), trace)["column"])
    if trace.rows == "auto":
        _refuse_bins(table, found, trace)
    return frozen(scaled(from_first(found, table.file), trace.time_scale, table.file))


def read_bins(trace: TraceArrivals) -> Bins:
    """The bins of a file with counts, from the first one on, divided by the time scale.

    Rows of one time are added up. Raises TraceError.
    """
    assert trace.count_ is not None, "the file has a column with counts"
    wanted = {"column": trace.column, "count": trace.count_}
    table = read_table(trace.file, wanted, trace)
    starts = times(table, ("column",), trace)["column"]
    counts = whole(table, "count", trace.decimal)
    first, place = np.unique(starts, return_inverse=True)
    total = np.zeros(len(first), dtype=np.int64)
    np.add.at(total, place, counts)
    # As floats: a sum of whole numbers may be too large for 64 bits.
    if (messages := counts.sum(dtype=np.float64)) > MOST_COUNTED:
        text = f"makes {messages:.0e} messages; the most is {MOST_COUNTED:.0e}"
        raise TraceError(table.file, settings=[("count", text)])
    if not total.any():
        raise TraceError(table.file, settings=[("count", "all counts are zero: no messages")])
    width = _width(table, starts, first, trace)
    edges = from_first(np.append(first, first[-1] + width), table.file)
    ends = np.minimum(edges[:-1] + width, edges[1:])
    return Bins(
        start_ns=frozen(scaled(edges[:-1], trace.time_scale, table.file)),
        end_ns=frozen(scaled(ends, trace.time_scale, table.file)),
        count=frozen(total),
    )


def step_of(first: Ints) -> int:
    """The most common step between sorted times that differ; 0 if there is none."""
    steps, often = np.unique(np.diff(first), return_counts=True)
    return int(steps[np.argmax(often)]) if len(steps) else 0


def _width(table: Table, starts: Ints, first: Ints, trace: TraceArrivals) -> int:
    """How long a bin is; raises TraceError if the times do not fit it."""
    width = trace.bin_ns if trace.bin_ns is not None else step_of(first)
    if not width:
        text = "needs a length: the file has only one bin, which does not tell (bin: 1m)"
        raise TraceError(table.file, settings=[("bin", text)])
    close = np.flatnonzero(np.diff(first) < width)
    if len(close):
        shown = format_duration(width)
        late = first[close + 1]
        places = [int(np.argmax(starts == time)) for time in late]
        text = f"begins before the bin before it is over (bin: {shown})"
        table.refuse([(place, "column", text) for place in places])
    return width


# -- what counts look like --------------------------------------------------------------


def _refuse_bins(table: Table, found: Ints, trace: TraceArrivals) -> None:
    """Raise TraceError if each row seems to stand for a bin of time and the messages in it."""
    step = regular_step(found)
    if not step:
        return
    counts = _columns_of_counts(table, trace)
    if not counts:
        return
    name = counts[0]
    text = (
        f"its times are all {format_duration(step)} apart, and {name} holds whole numbers: these "
        f"are counts per bin, and {len(found)} rows would be {len(found)} messages. Say "
        f"`count: {name}`, or `rows: arrivals` if each row is one arrival"
    )
    raise TraceError(table.file, settings=[("column", f"{table.file.name}: {text}")])


def regular_step(found: Ints) -> int:
    """The step of sorted times that are those of bins, in nanoseconds; 0 if they are not."""
    if len(found) < FEWEST_BINS:
        return 0
    step = step_of(found)
    steps = np.diff(found)
    if step < SECOND or (steps <= 0).any() or (steps == step).mean() < REGULAR:
        return 0
    return step


def _columns_of_counts(table: Table, trace: TraceArrivals) -> list[str | int]:
    """The columns beside the times that hold whole numbers, by name if that can be shown."""
    plain = TableFile(delimiter=trace.delimiter, header=trace.header, decimal=trace.decimal)
    found: list[str | int] = []
    for number in range(1, table.dialect.width + 1):
        other = read_table(table.file, {"count": number}, plain)
        try:
            values = whole(other, "count", trace.decimal)
        except TraceError:
            continue
        name = _name(table.dialect, number)
        if trace.column not in (name, number) and values.any():
            found.append(name)
    return found


def _name(dialect: Dialect, number: int) -> str | int:
    """The name of a column, or its number if the name is none, is not its own, or unprintable."""
    name = dialect.names[number - 1] if dialect.names else ""
    own = name and dialect.names.count(name) == 1 and printable(name) == name
    return name if own else number
