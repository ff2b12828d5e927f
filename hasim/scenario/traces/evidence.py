"""Recorded evidence: heartbeats that were heard, or checks and how they ended, from a file."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hasim.model import Cause
from hasim.scenario.tables.content import content_of
from hasim.scenario.tables.dialect import dialect_of
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.tables.json_lines import is_json_lines, names_of, read_json_lines
from hasim.scenario.tables.numbers import durations, is_nothing, numbers
from hasim.scenario.tables.table import Table, read_table
from hasim.scenario.tables.times import times
from hasim.scenario.traces.checklog import downs_of
from hasim.scenario.traces.heard import Evidence, Heard, Kind
from hasim.scenario.traces.outages import found_outages, merged
from hasim.simulation.settings.recordings import (
    CheckLog,
    NumberUnit,
    OutageTrace,
    TimedFile,
    TimeUnit,
)
from hasim.units import format_duration

NAMES: dict[str, tuple[str, ...]] = {
    "time": ("time", "timestamp", "ts", "t", "at", "date", "datetime", "arrival", "received"),
    "target": ("target", "master", "host", "node", "server", "instance", "name", "service"),
    "result": ("result", "up", "ok", "success", "status", "state", "passed", "healthy"),
    "number": ("number", "seq", "sequence", "n"),
    "took": ("took", "latency", "rtt", "response_time", "delay", "duration", "ms", "seconds"),
}
"""What a recording's columns are called where nobody says so, in small letters."""
WHAT = {
    "time": "when a heartbeat was heard, or a check ended",
    "target": "of which master",
    "result": "how a check ended",
    "number": "a heartbeat's number",
    "took": "how long a check took, or a heartbeat was under way",
}
"""The columns of a recording; with a result the rows are checks, without one heartbeats."""


def read_evidence(
    path: Path,
    columns: Mapping[str, str],
    *,
    unit: TimeUnit = "timestamp",
    took_unit: NumberUnit = "ms",
    period_ns: int | None = None,
    outages: Path | None = None,
) -> Evidence:
    """The evidence in a table or in JSON Lines.

    `columns` names columns by what they hold (the keys of `NAMES`); those that are left out are
    found by their names. `period_ns` is the regular time between two hearings (None: the median
    of the gaps). `outages` is a table of when masters were down (start, end and, if there are
    several masters, resource), with times written as in the recording. Raises TraceError.
    """
    layout = CheckLog(checks=str(path), unit=unit)
    table = _table(path, columns, layout)
    at = times(table, ("time",), layout)["time"]
    targets = table.texts("target") if "target" in table.columns else [path.stem] * len(table)
    order = np.lexsort((np.arange(len(at)), at))
    kind: Kind = "check" if "result" in table.columns else "heartbeat"
    heard: dict[str, list[Heard]] = {}
    took = _took(table, took_unit)
    down = downs_of(table, layout) if kind == "check" else np.zeros(len(at), dtype=np.bool_)
    given = numbers(table, "number") if "number" in table.columns else None
    for place in order.tolist():
        of_master = heard.setdefault(targets[place], [])
        number = len(of_master) + 1 if given is None else int(given[place])
        cause = Cause.ERROR if down[place] else Cause.OK
        of_master.append(Heard(int(at[place]), number, took[place], cause, kind))
    gap_ns = period_ns or _period(path, heard, numbered=given is not None)
    if kind == "heartbeat" and given is None:
        heard = {master: _numbered(each, gap_ns) for master, each in heard.items()}
    shown = format_duration(round(gap_ns, -6) or gap_ns)
    said = [] if period_ns else [f"One each {shown}, by the gaps between them (--interval)."]
    downs = None if outages is None else _outages(outages, unit, list(heard))
    ends_ns = int(at.max()) + 1
    return Evidence(heard, gap_ns, int(at.min()), ends_ns, downs, said)


def _table(path: Path, columns: Mapping[str, str], layout: TimedFile) -> Table:
    """The columns that there are. Raises TraceError without times."""
    json_lines = is_json_lines(path)
    if json_lines:
        names = names_of(path)
    else:
        names = list(dialect_of(path, content_of(path), layout).names)
    small = {name.lower(): name for name in reversed(names)}
    wanted: dict[str, str] = dict(columns)
    for setting, usual in NAMES.items():
        found = next((small[name] for name in usual if name in small), None)
        if setting not in wanted and found is not None and found not in wanted.values():
            wanted[setting] = found
    if "time" not in wanted:
        known = ", ".join(NAMES["time"])
        text = f"{path.name} has no column of times ({known}): say which, as in time=COLUMN"
        raise TraceError(path, settings=[("time", text)])
    return read_json_lines(path, wanted) if json_lines else read_table(path, wanted, layout)


def _took(table: Table, unit: NumberUnit) -> list[int]:
    """How long each took; 0 where that is not said."""
    if "took" not in table.columns:
        return [0] * len(table)
    found = np.zeros(len(table), dtype=np.int64)
    there = ~is_nothing(table.columns["took"])
    if there.any():
        found[there] = durations(table.taken(there), "took", unit)
    return list(np.maximum(found, 0).tolist())


def _period(path: Path, heard: Mapping[str, list[Heard]], *, numbered: bool) -> int:
    """The regular time between two hearings of a master, the median of all masters.

    With numbers the whole time over how many numbers went by, else the median gap. Raises
    TraceError.
    """
    found: list[float] = []
    for each in heard.values():
        first, last = each[0], each[-1]
        if numbered and last.number > first.number:
            found.append((last.t_ns - first.t_ns) / (last.number - first.number))
        elif not numbered:
            found += [gap for gap in _gaps(each) if gap > 0]
    if not found or statistics.median(found) < 1:
        text = f"{path.name} has no two times of one master: there is no rhythm in it"
        raise TraceError(path, settings=[("time", text)])
    return round(statistics.median(found))


def _gaps(heard: list[Heard]) -> Iterator[int]:
    return (b.t_ns - a.t_ns for a, b in itertools.pairwise(heard))


def _numbered(heard: list[Heard], period_ns: int) -> list[Heard]:
    """Heartbeats with the numbers that they have by the clock: a long gap has lost some."""
    found: list[Heard] = []
    number, last_ns = 1, heard[0].t_ns
    for each in heard:
        if found:
            number += max(1, round((each.t_ns - last_ns) / period_ns))
        last_ns = each.t_ns
        found.append(each._replace(number=number))
    return found


def _outages(path: Path, unit: TimeUnit, masters: list[str]) -> dict[str, list[tuple[int, int]]]:
    """When each master was down. Raises TraceError for one that nothing was heard of."""
    names = list(dialect_of(path, content_of(path), OutageTrace(trace=str(path))).names)
    resource = "resource" if "resource" in names else None
    for usual in NAMES["target"]:
        if resource is None and usual in names:
            resource = usual
    if resource is None and len(masters) > 1:
        text = f"{path.name} does not say whose an outage is: it needs a column resource"
        raise TraceError(path, settings=[("resource", text)])
    found = found_outages(OutageTrace(trace=str(path), unit=unit, resource=resource))
    whose = [name for (name,) in found.resources]
    if resource is None:
        whose = [masters[0]] * len(found.starts)
    strange = [
        (int(place), "resource", "nothing was heard of it")
        for place, name in enumerate(whose)
        if name not in masters
    ]
    found.table.refuse(strange)
    spans: dict[str, list[tuple[int, int]]] = {}
    for name, start, end in zip(whose, found.starts.tolist(), found.ends.tolist(), strict=True):
        spans.setdefault(name, []).append((start, end))
    return {name: merged(sorted(each)) for name, each in spans.items()}


def read_rtt(path: Path, column: str, unit: NumberUnit) -> NDArray[np.int64]:
    """Round-trip times in nanoseconds, in the order of the file; -1 where a cell is empty.

    Raises TraceError.
    """
    table = read_table(path, {"rtt": column})
    found = np.full(len(table), -1, dtype=np.int64)
    there = ~is_nothing(table.columns["rtt"])
    if there.any():
        found[there] = durations(table.taken(there), "rtt", unit)
    return found
