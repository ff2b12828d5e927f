"""The columns of a table that are asked for, read by pyarrow, with the line of each row."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from hasim.scenario.tables.content import LONGEST_LINE, content_of
from hasim.scenario.tables.dialect import Dialect, dialect_of, with_tabs
from hasim.scenario.tables.errors import Broken, TraceError, meant, refuse
from hasim.simulation.settings.recordings import TableFile

Ints = NDArray[np.int64]
AS_FOUND = TableFile()
"""Everything is found by looking at the file."""
Texts = Any
"""A pyarrow array of texts, without blanks around them."""


@dataclass(frozen=True)
class Table:
    """The columns that were asked for, by the name of the setting that names them.

    `called` is what messages call each of them, `rows` the number of each row among those of
    the file, and `lines_of` finds the lines of all rows of the file.
    """

    file: Path
    dialect: Dialect
    called: dict[str, str]
    columns: dict[str, Texts]
    rows: Ints
    lines_of: Callable[[], Ints]

    def __len__(self) -> int:
        return len(self.rows)

    def texts(self, setting: str) -> list[str]:
        """A column as a list of texts."""
        found: list[str] = self.columns[setting].to_pylist()
        return found

    def lines(self, places: Ints | list[int]) -> list[int]:
        """The lines of some rows, by their places in this table."""
        found: list[int] = self.lines_of()[self.rows[places]].tolist()
        return found

    def taken(self, kept: NDArray[np.bool_]) -> Table:
        """The table with some of its rows."""
        if kept.all():
            return self
        mask = pa.array(kept)
        columns = {name: column.filter(mask) for name, column in self.columns.items()}
        return replace(self, columns=columns, rows=self.rows[kept])

    def refuse(self, broken: list[tuple[int, str, str]]) -> None:
        """Raise TraceError for broken rows (place, setting, message), if there are any."""
        if broken:
            lines = self.lines([place for place, _, _ in broken])
            told: list[Broken] = [
                (line, self.called.get(setting, ""), message)
                for line, (_, setting, message) in zip(lines, broken, strict=True)
            ]
            refuse(self.file, sorted(told, key=lambda one: one[0]))


def read_table(
    path: Path, wanted: Mapping[str, str | int] | None, layout: TableFile = AS_FOUND
) -> Table:
    """The `wanted` columns (setting: name or number) of a file, or all of them.

    `layout` says how the file is written; what it leaves open is found. Only rows that it
    asks for (`where`) are kept. Raises TraceError.
    """
    content = content_of(path)
    dialect = dialect_of(path, content, layout)
    if wanted is None:
        places = {name: place for place, name in enumerate(dialect.names)}
        called = {name: name for name in places}
        _check_names(path, dialect)
    else:
        asked = {**wanted, **{f"where.{column}": column for column in layout.where}}
        places = _places(path, dialect, asked)
        called = {s: c if isinstance(c, str) else f"column {c}" for s, c in asked.items()}
    table = _read(path, content, dialect, places, called)
    return _matching(table, layout)


# -- which columns -------------------------------------------------------------------


def _check_names(path: Path, dialect: Dialect) -> None:
    if not dialect.names:
        raise TraceError(path, lines=[(dialect.first, "", "is data; expected a header")])
    for name in dialect.names:
        if dialect.names.count(name) > 1:
            place = dialect.names.index(name) + 1
            text = f"{path.name} has more than one column of the name that column {place} has"
            raise TraceError(path, settings=[("", text)])


def _places(path: Path, dialect: Dialect, asked: Mapping[str, str | int]) -> dict[str, int]:
    """The place of each column from 0 on; raises TraceError for those that there are not."""
    places: dict[str, int] = {}
    wrong: list[tuple[str, str]] = []
    for setting, column in asked.items():
        found = _place(dialect, column)
        if isinstance(found, int):
            places[setting] = found
        else:
            wrong.append((setting, f"{path.name} {found}"))
    if not wrong:
        return places
    if dialect.names or all(_is_number(asked[setting]) for setting, _ in wrong):
        raise TraceError(path, settings=wrong)
    names = ", ".join(dict.fromkeys(repr(asked[s]) for s, _ in wrong if not _is_number(asked[s])))
    setting = wrong[0][0]
    text = (
        f"is data, and no header with {names}: give the numbers of the columns, as in {setting}: 1 "
        f"(`hasim data {path.name}` lists them), or the line of the header (header: 1)"
    )
    raise TraceError(path, lines=[(dialect.first, "", text)])


def _is_number(column: str | int) -> bool:
    return isinstance(column, int) or column.isdecimal()


def _place(dialect: Dialect, column: str | int) -> int | str:
    """The place of a column, or why there is none."""
    names = dialect.names
    if isinstance(column, str) and column in names:
        if names.count(column) > 1:
            return f"has more than one column {column!r}: give its number"
        return names.index(column)
    if _is_number(column):
        number = int(column)
        if 1 <= number <= dialect.width:
            return number - 1
        return f"has no column {number}; it has {dialect.width}"
    hint = meant(str(column), names) or "; `hasim data` says what it has"
    return f"has no column {column!r}{hint}"


def _matching(table: Table, layout: TableFile) -> Table:
    """The rows that have, in every column of `where`, one of its values."""
    kept = np.ones(len(table), dtype=np.bool_)
    vain = []
    for column, values in layout.where.items():
        cells = table.columns[f"where.{column}"]
        known = pc.unique(cells).to_pylist()
        for value in values:
            if value not in known:
                hint = meant(value, known[:1000])
                vain.append((f"where.{column}", f"no row has the value {value!r}{hint}"))
        kept &= pc.is_in(cells, value_set=pa.array(values, pa.string())).to_numpy(False)
    if vain:
        raise TraceError(table.file, settings=vain)
    if not kept.any():
        raise TraceError(table.file, settings=[("where", "no row has all of these values")])
    return table.taken(kept)


# -- reading -------------------------------------------------------------------------


def _read(
    path: Path, content: bytes, dialect: Dialect, places: dict[str, int], called: dict[str, str]
) -> Table:
    if dialect.delimiter == "blanks":
        content = with_tabs(content.decode()).encode()
    body = content[_offset(content, dialect.first) :]
    try:
        found = _all_at_once(body, dialect, places)
    except pa.ArrowInvalid:  # some row is unusual: look at each, to mend it or to tell
        return _row_by_row(path, body, dialect, places, called)
    if not len(found) or not found[0]:
        _refuse_empty(path, dialect)
    columns = dict(zip(places, found, strict=True))

    def lines_of() -> Ints:
        return _lines_of(body, dialect)

    return Table(path, dialect, called, columns, np.arange(len(found[0])), lines_of)


def _refuse_empty(path: Path, dialect: Dialect) -> None:
    raise TraceError(path, lines=[(dialect.header or 1, "", "has no rows below it")])


def _offset(content: bytes, line: int) -> int:
    """Where a line begins."""
    ends = re.finditer(rb"\r\n|\n|\r", content)
    last = next(itertools.islice(ends, line - 2, None), None) if line > 1 else None
    return last.end() if last is not None else 0 if line == 1 else len(content)


def _all_at_once(body: bytes, dialect: Dialect, places: dict[str, int]) -> list[Texts]:
    """The columns of the body; raises ArrowInvalid if rows differ in their number of values."""
    names = [str(number) for number in range(dialect.width)]
    wanted = list(dict.fromkeys(names[place] for place in places.values()))
    table = pacsv.read_csv(
        io.BytesIO(body),
        # Without threads: one that is still starting when the program ends aborts it.
        read_options=pacsv.ReadOptions(
            column_names=names, block_size=4 * LONGEST_LINE, use_threads=False
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=dialect.separator, newlines_in_values=b'"' in body
        ),
        convert_options=pacsv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.string()),
            strings_can_be_null=False,
        ),
    )
    texts = {name: _texts(table.column(name)) for name in wanted}
    return [texts[names[place]] for place in places.values()]


def _texts(column: Any) -> Texts:
    """A column in one piece, without blanks around its texts."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], pa.string())
    return pc.utf8_trim_whitespace(whole)


def _lines_of(body: bytes, dialect: Dialect) -> Ints:
    """The line of each row of a body that pyarrow has read: empty lines are no rows."""
    if b'"' not in body:
        filled = [bool(line) for line in body.splitlines()]
        return np.flatnonzero(filled) + dialect.first
    reader = _reader(body, dialect)
    line, found = dialect.first, []
    for row in reader:
        if row:
            found.append(line)
        line = dialect.first + reader.line_num
    return np.array(found, dtype=np.int64)


def _reader(body: bytes, dialect: Dialect) -> Any:
    text = io.StringIO(body.decode(), newline="")
    return csv.reader(text, delimiter=dialect.separator)


def _row_by_row(
    path: Path, body: bytes, dialect: Dialect, places: dict[str, int], called: dict[str, str]
) -> Table:
    """As `_all_at_once`; rows with too many values are fine if these are empty."""
    reader = _reader(body, dialect)
    line, lines = dialect.first, []
    cells: dict[str, list[str]] = {setting: [] for setting in places}
    broken: list[Broken] = []
    try:
        for row in reader:
            rest = row[dialect.width :]
            if len(row) >= dialect.width and not any(map(str.strip, rest)):
                lines.append(line)
                for setting, place in places.items():
                    cells[setting].append(row[place].strip())
            elif any(map(str.strip, row)):
                broken.append((line, "", _wrong_count(row, dialect)))
            line = dialect.first + reader.line_num
    except csv.Error as error:
        at = dialect.first + reader.line_num - 1
        raise TraceError(path, lines=[(at, "", f"not valid CSV: {error}")]) from None
    refuse(path, broken)
    if not lines:
        _refuse_empty(path, dialect)
    columns = {setting: pa.array(texts, pa.string()) for setting, texts in cells.items()}
    found = np.array(lines, dtype=np.int64)
    return Table(path, dialect, called, columns, np.arange(len(lines)), lambda: found)


def _wrong_count(row: list[str], dialect: Dialect) -> str:
    values = f"{len(row)} value{'s' * (len(row) != 1)}"
    columns = f"{dialect.width} column{'s' * (dialect.width != 1)}"
    of = f"the header has {columns}" if dialect.names else f"other rows have {columns}"
    hint = ""
    if any("\n" in value for value in row):
        hint = " (a quotation mark that is not closed?)"
    elif row[0].lstrip().startswith("#"):
        hint = " (a comment? They may stand above the rows, not between them)"
    return f"has {values}, {of}{hint}"
