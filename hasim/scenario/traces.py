"""Recorded inputs: arrivals, round-trip times, jitter, outages, read from CSV files.

Every file is read once for each way in which it is asked for; the arrays
that come out are shared, and read-only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hasim.scenario.csvtable import Table, TraceError, read_table, whole_number
from hasim.scenario.sent import state_of
from hasim.settings.validation import Where, nearest
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import JitterTrace, MatrixTrace, TraceArrivals, WorldSettings
from hasim.simulation.settings.faults import OutageTrace
from hasim.units import LONGEST_NS, format_duration

T = TypeVar("T")
Outages = list[list[tuple[int, int]]]
_CACHE: dict[tuple[Any, ...], Any] = {}
MOST_COUNTED = 10_000_000
"""Round-trip times of one recording at most, each as often as it was seen: 80 MB."""


def read_recorded(world: WorldSettings) -> tuple[Recorded, list[tuple[Where, TraceError]]]:
    """All traces of a world, and what is wrong with them by the place of the setting.

    Paths are taken as they are: relative ones count from the working directory.
    """
    errors: list[tuple[Where, TraceError]] = []

    def read(where: Where, reader: Callable[[Any], T], trace: Any, otherwise: T) -> T:
        try:
            return _once(reader, trace)
        except TraceError as error:
            errors.append((where, error))
            return otherwise

    network, arrivals = world.network, world.traffic.arrivals
    none: NDArray[Any] | None = None
    recorded = Recorded(
        arrivals_ns=read(("traffic", "arrivals"), read_arrivals, arrivals, none)
        if isinstance(arrivals, TraceArrivals)
        else None,
        rtt_ns=read(("network", "rtt"), read_matrix, network.rtt, {})
        if isinstance(network.rtt, MatrixTrace)
        else {},
        jitter=read(("network", "jitter"), read_jitter, network.jitter, none)
        if isinstance(network.jitter, JitterTrace)
        else None,
        outages={
            index: read(("faults", index, "schedule"), read_outages, fault.schedule, [])
            for index, fault in enumerate(world.faults)
            if fault.schedule is not None
        },
    )
    return recorded, errors


def _once(reader: Callable[[Any], T], trace: Any) -> T:
    """The reader's result, from the cache unless the file has changed."""
    path = Path(getattr(trace, "trace", None) or trace.matrix)
    try:
        key = (reader.__name__, repr(trace), *state_of(path))
    except OSError:
        return reader(trace)  # which says what is wrong with the file
    if key not in _CACHE:
        _CACHE[key] = reader(trace)
    result: T = _CACHE[key]
    return result


def read_arrivals(trace: TraceArrivals) -> NDArray[np.int64]:
    """Sorted arrival times in nanoseconds from the first one on, divided by the time scale."""
    table = read_table(Path(trace.trace), {"column": trace.column})
    times = np.sort(table.times("column", trace.unit))
    return _frozen(_scaled(times - times[0], trace.time_scale, table.file))


def read_matrix(trace: MatrixTrace) -> dict[tuple[str, str], int]:
    """Nanoseconds by (source, destination); a pair given one way only holds both ways."""
    settings = {"source": trace.source, "destination": trace.destination, "column": trace.column}
    table = read_table(Path(trace.matrix), settings)
    values = table.times("column", trace.unit)
    matrix: dict[tuple[str, str], int] = {}
    broken = []
    rows = zip(
        table.columns["source"], table.columns["destination"], values, table.lines, strict=True
    )
    for source, destination, value, line in rows:
        if (source, destination) in matrix:
            broken.append((line, "", f"{source!r} to {destination!r} is given twice"))
        if value < 0:
            broken.append((line, trace.column, "must not be negative"))
        matrix[source, destination] = int(value)
    table.refuse(broken)
    for (source, destination), rtt in list(matrix.items()):
        matrix.setdefault((destination, source), rtt)
    return matrix


def read_jitter(trace: JitterTrace) -> NDArray[np.float64]:
    """Sorted ratios of each round-trip time to the median of its pair.

    A value of zero lies below the resolution of the recording, or is missing,
    and is left out.
    """
    pair = {f"pair.{index}": column for index, column in enumerate(trace.pair)}
    counted = {"count": trace.count} if trace.count else {}
    table = read_table(Path(trace.trace), {"column": trace.column, **pair, **counted})
    values = table.numbers("column")
    names = list(zip(*(table.columns[key] for key in pair), strict=True)) if pair else []
    groups = {name: index for index, name in enumerate(dict.fromkeys(names))}
    group = np.array([groups[name] for name in names] or [0] * len(values))
    if counted:
        counts = _counts(table)
        values, group = np.repeat(values, counts), np.repeat(group, counts)
    seen = values > 0
    values, group = values[seen], group[seen]
    if not len(values):
        raise TraceError(table.file, settings=[("column", f"{trace.column!r} holds only zeros")])
    order = np.lexsort((values, group))
    values, group = values[order], group[order]
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    parts = [part / np.median(part) for part in np.split(values, starts[1:])]
    return _frozen(np.sort(np.concatenate(parts)))


def _counts(table: Table) -> NDArray[np.int64]:
    """How often each row counts; all together at most `MOST_COUNTED` times."""
    counts = table.convert("count", whole_number, np.int64).astype(np.int64)
    # As floats: a sum of whole numbers may be too large for 64 bits.
    if (total := counts.sum(dtype=np.float64)) > MOST_COUNTED:
        message = f"makes {total:,.0f} values; the most is {MOST_COUNTED:,}"
        raise TraceError(table.file, settings=[("count", message)])
    return counts


def read_outages(trace: OutageTrace) -> Outages:
    """Disjoint (start, end) per resource in nanoseconds from the earliest start of all.

    Rows that do not match `where`, that end before they start, or that last
    longer than `longest` are left out; then overlapping outages of one
    resource become one, and resources with fewer than `least_outages` are left out.
    """
    filters = {f"where.{column}": column for column in trace.where}
    settings = {"start": trace.start, "end": trace.end, "resource": trace.resource, **filters}
    table = read_table(Path(trace.trace), settings)
    starts, ends = table.times("start", trace.unit), table.times("end", trace.unit)
    kept = (ends > starts) & (ends - starts <= trace.longest_ns) & _matching(table, trace)
    by_resource: dict[str, list[tuple[int, int]]] = {}
    for index in np.lexsort((ends, starts)):
        if kept[index]:
            spans = by_resource.setdefault(table.columns["resource"][index], [])
            _merge(spans, int(starts[index]), int(ends[index]))
    enough = [s for _, s in sorted(by_resource.items()) if len(s) >= trace.least_outages]
    if not enough:
        most = max(map(len, by_resource.values()), default=0)
        raise TraceError(
            table.file,
            settings=[("least_outages", f"no resource has so many; the most is {most}")],
        )
    return _from_zero(enough, trace.time_scale, table.file)


def _matching(table: Table, trace: OutageTrace) -> NDArray[np.bool_]:
    """Which rows have, in every column of `where`, one of its values."""
    kept = np.ones(len(table.lines), dtype=np.bool_)
    vain = []
    for column, values in trace.where.items():
        cells = table.columns[f"where.{column}"]
        known = dict.fromkeys(cells)
        for value in values:
            if value not in known:
                hint = nearest(value, list(known)[:20])
                vain.append((f"where.{column}", f"no row has the value {value!r}{hint}"))
        kept &= np.array([cell in values for cell in cells])
    if vain:
        raise TraceError(table.file, settings=vain)
    return kept


def _merge(spans: list[tuple[int, int]], start: int, end: int) -> None:
    """Add a span that starts no earlier than those before it; overlapping ones become one."""
    if spans and start <= spans[-1][1]:
        spans[-1] = (spans[-1][0], max(spans[-1][1], end))
    else:
        spans.append((start, end))


def _from_zero(resources: list[list[tuple[int, int]]], time_scale: float, file: Path) -> Outages:
    first = min(spans[0][0] for spans in resources)
    scaled = []
    for spans in resources:
        times = _scaled(np.array(spans, dtype=np.int64) - first, time_scale, file)
        scaled.append([(int(start), int(end)) for start, end in times if end > start])
    return scaled


def _scaled(times: NDArray[np.int64], time_scale: float, file: Path) -> NDArray[np.int64]:
    if time_scale == 1:
        return times
    longest = int(times.max())
    if longest >= LONGEST_NS * time_scale:
        shown = format_duration(longest)
        message = f"too small: {shown} divided by it are more than 292 years"
        raise TraceError(file, settings=[("time_scale", message)])
    return np.rint(times / time_scale).astype(np.int64)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array


def span_problem(world: WorldSettings, recorded: Recorded) -> str:
    """Why the recorded arrivals do not fill the run; empty if they do."""
    if recorded.arrivals_ns is None:
        return ""
    span = int(recorded.arrivals_ns[-1])
    if span >= world.horizon_ns:
        return ""
    return (
        f"the trace lasts {format_duration(span)}, less than the horizon, "
        f"{format_duration(world.horizon_ns)}"
    )
