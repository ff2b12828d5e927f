"""Round-trip times between sites: a row for each pair, or a row and a column for each site."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hasim.scenario.tables.content import content_of
from hasim.scenario.tables.dialect import Dialect, dialect_of
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.tables.numbers import durations, is_nothing
from hasim.scenario.tables.table import Table, read_table
from hasim.simulation.settings.recordings import MatrixTrace

Matrix = dict[tuple[str, str], int]


def read_matrix(trace: MatrixTrace) -> Matrix:
    """Nanoseconds by (source, destination); a pair given one way only holds both ways.

    What a site needs to itself is not read: ``network.local_rtt`` says it. Raises TraceError.
    """
    matrix = _wide(trace) if is_wide(trace) else _long(trace)
    for (source, destination), rtt in list(matrix.items()):
        matrix.setdefault((destination, source), rtt)
    return matrix


def is_wide(trace: MatrixTrace) -> bool:
    """Whether the file has a row and a column for each site. Raises TraceError."""
    if trace.form != "auto":
        return trace.form == "wide"
    path = trace.file
    dialect = dialect_of(path, content_of(path), trace)
    asked = (trace.source, trace.destination, trace.column)
    if not dialect.names or any(column in dialect.names for column in asked):
        return False
    if any(isinstance(column, int) for column in asked):
        return False
    rows = set(read_table(path, {"source": 1}, trace).texts("source"))
    sites = {name for name in dialect.names[1:] if name}
    return bool(sites) and 2 * len(rows & sites) >= max(len(rows), len(sites))


def _long(trace: MatrixTrace) -> Matrix:
    wanted = {
        "source": trace.source,
        "destination": trace.destination,
        "column": trace.column,
    }
    table = read_table(trace.file, wanted, trace)
    to_itself = np.array(table.texts("source")) == np.array(table.texts("destination"))
    table = table.taken(~(to_itself & is_nothing(table.columns["column"])))
    matrix: Matrix = {}
    _add(matrix, table, table.texts("source"), table.texts("destination"), trace)
    return matrix


def _wide(trace: MatrixTrace) -> Matrix:
    path = trace.file
    dialect = dialect_of(path, content_of(path), trace)
    _check_header(path, dialect)
    sites = {n: name for n, name in enumerate(dialect.names[1:], 2) if name}
    wanted = {"source": 1, **{f"column {number}": number for number in sites}}
    table = read_table(path, wanted, trace)
    _check_rows(table)
    sources = np.array(table.texts("source"))
    matrix: Matrix = {}
    for number, site in sites.items():
        setting = f"column {number}"
        empty = is_nothing(table.columns[setting])
        kept = table.taken(~empty & (sources != site))
        if len(kept):
            _add(matrix, kept, kept.texts("source"), [site] * len(kept), trace, setting)
    if not matrix:
        raise TraceError(path, lines=[(dialect.first, "", "has no round-trip time at all")])
    return matrix


def _add(
    matrix: Matrix,
    table: Table,
    sources: list[str],
    destinations: list[str],
    trace: MatrixTrace,
    setting: str = "column",
) -> None:
    values = durations(table, setting, trace.unit, trace.decimal).tolist()
    first: dict[tuple[str, str], int] = {}
    broken = []
    rows = zip(sources, destinations, values, strict=True)
    for place, (source, destination, value) in enumerate(rows):
        pair = (source, destination)
        if pair in matrix:
            [line] = table.lines([first[pair]])
            broken.append((place, "", f"this pair is given twice (also in line {line})"))
        if value < 0:
            broken.append((place, setting, "must not be negative"))
        first.setdefault(pair, place)
        matrix[pair] = value
    table.refuse(broken)


def _check_header(path: Path, dialect: Dialect) -> None:
    names = [name for name in dialect.names[1:] if name]
    line = dialect.header or dialect.first
    if not names:
        text = "expected a header with the sites, for a column of each"
        raise TraceError(path, lines=[(line, "", text)])
    if len(set(names)) < len(names):
        raise TraceError(path, lines=[(line, "", "has a site twice")])


def _check_rows(table: Table) -> None:
    sources, known = table.texts("source"), set[str]()
    broken = []
    for place, source in enumerate(sources):
        if not source or source in known:
            broken.append((place, "", "has a site twice" if source else "has no site"))
        known.add(source)
    table.refuse(broken)
