"""Recorded outages: a row for each, or the runs of failed checks in a log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hasim.scenario.tables.errors import TraceError
from hasim.scenario.tables.numbers import durations, is_nothing
from hasim.scenario.tables.table import Table, read_table
from hasim.scenario.tables.times import times
from hasim.scenario.traces.checklog import Runs, runs_of
from hasim.scenario.traces.scaling import scaled
from hasim.simulation.settings.recordings import CheckLog, OutageTrace, RecordedOutages
from hasim.units import LONGEST_NS

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Outages = list[list[tuple[int, int]]]
"""Disjoint (start, end) in nanoseconds, sorted, for each resource."""
Recording = OutageTrace | CheckLog


@dataclass(frozen=True)
class Found:
    """Outages as they stand in a file, in its own time: whose, from when, to when.

    `places` are their rows in the table. The end of an outage that is still open (`is_open`) is
    the last time in the file. `resources` have a part for each column that names them;
    `unnamed` are the lines, left out, in which one of these is empty.
    """

    table: Table
    resources: Sequence[tuple[str, ...]]
    starts: Ints
    ends: Ints
    is_open: Bools
    places: Ints
    unnamed: list[int]


def read_outages(trace: Recording) -> Outages:
    """Disjoint (start, end) per resource in nanoseconds from the earliest start of all.

    Rows that do not match `where`, that do not last at all, or that last longer than `longest`
    are left out; then overlapping outages of one resource become one, and resources with
    fewer than `least_outages` are left out. Raises TraceError.
    """
    return _outages(trace)[0]


def open_outages(trace: Recording) -> list[str]:
    """A sentence on outages without an end, and what they are taken for, and one on rows
    that do not name what failed."""
    return _outages(trace)[1]


def found_outages(trace: Recording) -> Found:
    """The outages as they stand in the file, in its own time. Raises TraceError."""
    return _from_checks(trace) if isinstance(trace, CheckLog) else _from_rows(trace)


def merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order of their starts, overlapping ones as one."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        _merge(found, start, end)
    return found


def _outages(trace: Recording) -> tuple[Outages, list[str]]:
    found = found_outages(trace)
    kept = (found.ends > found.starts) & (found.ends - found.starts <= trace.longest_ns)
    if trace.open == "left-out":
        kept &= ~found.is_open
    elif trace.open == "refused":
        text = "has no end (open: to-end, or left-out)"
        setting = "result" if isinstance(trace, CheckLog) else "end"
        places = found.places[found.is_open]
        found.table.refuse([(int(place), setting, text) for place in places])
    by_resource: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for index in np.lexsort((found.ends, found.starts)):
        if kept[index]:
            spans = by_resource.setdefault(found.resources[index], [])
            _merge(spans, int(found.starts[index]), int(found.ends[index]))
    enough = [s for _, s in sorted(by_resource.items()) if len(s) >= trace.least_outages]
    if not enough:
        _refuse_few(trace, found.table.file, max(map(len, by_resource.values()), default=0))
    return _from_zero(enough, trace.time_scale, found.table.file), _said(found, kept)


def _refuse_few(trace: RecordedOutages, file: Path, most: int) -> None:
    text = f"no resource has so many; the most is {most}"
    if not most:
        text = f"{file.name} has no outage at all (those longer than `longest` are left out)"
    raise TraceError(file, settings=[("least_outages", text)])


def _said(found: Found, kept: Bools) -> list[str]:
    """What was made of outages without an end, and how many there are."""
    said = []
    if lines := found.table.lines(found.places[kept & found.is_open]):
        one = "an outage without an end is" if len(lines) == 1 else "outages without an end are"
        text = "taken to last to the last time in the file (open: to-end)"
        said.append(f"{found.table.file}: {_where(lines)}: {one} {text}")
    if lines := found.unnamed:
        text = "left out: of what names the resource, something is empty"
        said.append(f"{found.table.file}: {_where(lines)}: {text}")
    return said


def _where(lines: list[int]) -> str:
    return f"line {lines[0]}" if len(lines) == 1 else f"{len(lines)} lines from {lines[0]} on"


# -- a row for each ---------------------------------------------------------------------


def _from_rows(trace: OutageTrace) -> Found:
    wanted: dict[str, str | int] = {"start": trace.start}
    if trace.duration_ is not None:
        wanted["duration"] = trace.duration_
    elif trace.lasts_ns is None:
        wanted["end"] = trace.end
    resource, named = trace.resource, tuple[str | int, ...]()
    if resource is not None:
        named = resource if isinstance(resource, tuple) else (resource,)
    several = isinstance(resource, tuple)
    parts = [f"resource.{part}" if several else "resource" for part in range(len(named))]
    wanted |= dict(zip(parts, named, strict=True))
    whole = _with_ways_out(trace, wanted)
    table, unnamed = whole, list[int]()
    if several:
        is_named = ~np.any([is_nothing(whole.columns[part]) for part in parts], axis=0)
        table, unnamed = whole.taken(is_named), whole.lines(np.flatnonzero(~is_named))
    resources: Sequence[tuple[str, ...]] = [("",)] * len(table)
    if named:
        resources = list(zip(*map(table.texts, parts), strict=True))
    starts, ends, is_open = _spans(trace, table)
    return Found(table, resources, starts, ends, is_open, np.arange(len(table)), unnamed)


def _with_ways_out(trace: OutageTrace, wanted: dict[str, str | int]) -> Table:
    """The table; a column that is missing is told with what can stand in its place."""
    ways_out = {
        "end": "instead of an end: duration: COLUMN, or lasts: 5m",
        "resource": "resource: null, if all rows are of one",
    }
    try:
        return read_table(trace.file, wanted, trace)
    except TraceError as error:
        told = [
            (s, f"{text} ({ways_out[s]})" if s in ways_out and "did you mean" not in text else text)
            for s, text in error.settings
        ]
        raise TraceError(error.file, error.lines, told) from None


def _spans(trace: OutageTrace, table: Table) -> tuple[Ints, Ints, Bools]:
    """Start, end, and whether the end is open, of each row. Raises TraceError."""
    if "end" in table.columns:
        return _to_ends(trace, table)
    starts = times(table, ("start",), trace)["start"]
    if trace.duration_ is None:
        assert trace.lasts_ns is not None, "without an end, something says how long"
        lasts, is_open = np.full(len(table), trace.lasts_ns), np.zeros(len(table), dtype=np.bool_)
    else:
        is_open = is_nothing(table.columns["duration"])
        lasts = np.zeros(len(table), dtype=np.int64)
        closed = table.taken(~is_open)
        lasts[~is_open] = durations(closed, "duration", trace.duration_unit, trace.decimal)
        wrong = np.flatnonzero(lasts < 0)
        table.refuse([(int(place), "duration", "must not be negative") for place in wrong])
    late = np.flatnonzero(lasts > LONGEST_NS - np.maximum(starts, 0))
    table.refuse([(int(place), "duration", "ends in more than 292 years") for place in late])
    return _closed(starts, starts + lasts, is_open)


def _to_ends(trace: OutageTrace, table: Table) -> tuple[Ints, Ints, Bools]:
    is_open = is_nothing(table.columns["end"])
    filled = pc.if_else(pa.array(is_open), table.columns["start"], table.columns["end"])
    both = replace(table, columns={**table.columns, "end": filled})
    found = times(both, ("start", "end"), trace)
    starts, ends = found["start"], found["end"]
    swapped = np.flatnonzero(ends < starts)
    if len(swapped):
        texts = ["ends before it starts"] * len(swapped)
        if (ends[~is_open] <= starts[~is_open]).all():
            way_out = f"(start: {trace.end}, end: {trace.start})"
            texts[0] += f", and so do all: are the two columns swapped? {way_out}"
        table.refuse([(int(p), "end", text) for p, text in zip(swapped, texts, strict=True)])
    return _closed(starts, ends, is_open)


def _closed(starts: Ints, ends: Ints, is_open: Bools) -> tuple[Ints, Ints, Bools]:
    """The same, with the last time in the file as the end of what is open."""
    last = max(int(starts.max()), int(ends[~is_open].max(initial=starts.min())))
    return starts, np.where(is_open, last, ends), is_open


# -- a log of checks --------------------------------------------------------------------


def _from_checks(trace: CheckLog) -> Found:
    runs: Runs = runs_of(trace)
    targets = [(target,) for target in runs.targets]
    return Found(runs.table, targets, runs.starts, runs.ends, runs.is_open, runs.places, [])


# -- what all recordings come to -----------------------------------------------------------


def _merge(spans: list[tuple[int, int]], start: int, end: int) -> None:
    """Add a span that starts no earlier than those before it; overlapping ones become one."""
    if spans and start <= spans[-1][1]:
        spans[-1] = (spans[-1][0], max(spans[-1][1], end))
    else:
        spans.append((start, end))


def _from_zero(resources: list[list[tuple[int, int]]], time_scale: float, file: Path) -> Outages:
    first = min(spans[0][0] for spans in resources)
    found = []
    for spans in resources:
        times_ns = scaled(np.array(spans, dtype=np.int64) - first, time_scale, file)
        found.append([(int(start), int(end)) for start, end in times_ns if end > start])
    return found
