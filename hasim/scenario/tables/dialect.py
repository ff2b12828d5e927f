"""How a table is written: its separator, its header, where its rows begin."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hasim.scenario.tables.errors import TraceError
from hasim.simulation.settings.recordings import TableFile

LOOKED_AT = 500
"""Rows from the top of a file that say how all of it is written."""
_HEAD_BYTES = 2**18
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
NULLS = frozenset(("", "-", "--", "null", "none", "na", "n/a", "nan", "nil", "\\n", "\N{EN DASH}"))
"""What stands in a cell (in small letters) that holds nothing."""
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)*|[.,]\d+)([eE][-+]?\d+)?", re.ASCII)
_TIME = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?!\d).*|\d{1,2}[ /-][A-Za-z]{3}[a-z]*[ /-]\d{2,4}(?!\d).*"
    r"|([A-Z][a-z]{2}, )?\d{0,2} ?[A-Z][a-z]{2,8} \d{1,2},? \d{4}.*"
)

Row = tuple[int, list[str]]
"""The line that a row begins in, and its cells without blanks around them."""


@dataclass(frozen=True)
class Dialect:
    """How the table of a file is written.

    `delimiter` is the name that the setting has for it, `names` are those of the columns (empty
    without a header), `header` is the line that they are in, `first` the line of the first row,
    and `width` the number of columns.
    """

    delimiter: str
    names: tuple[str, ...]
    header: int | None
    first: int
    width: int

    @property
    def separator(self) -> str:
        """The character between two cells; blanks are made tabs before they are looked at."""
        return DELIMITERS.get(self.delimiter, "\t")


def dialect_of(path: Path, content: bytes, layout: TableFile) -> Dialect:
    """How a table is written, as the settings say or else as it looks. Raises TraceError."""
    text = content[:_HEAD_BYTES].decode(errors="ignore")
    if len(content) > _HEAD_BYTES:  # whose last line is cut
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    name: str = layout.delimiter
    if name == "auto":
        name = _delimiter_of(text)
    rows = list(itertools.islice(_rows(text, name), LOOKED_AT))
    if not rows:
        raise TraceError(path, settings=[("", f"{path.name} is empty; expected a table")])
    if layout.header is None:
        return _found(rows, name)
    return _given(path, rows, name, layout.header)


def kind_of(cell: str) -> str:
    """What a cell holds: ``number``, ``time``, ``text`` or ``nothing``."""
    if cell.lower() in NULLS:
        return "nothing"
    if _NUMBER.fullmatch(cell):
        return "number"
    return "time" if _TIME.fullmatch(cell) else "text"


def with_tabs(text: str) -> str:
    """A table whose columns are separated by blanks, with a tab instead; no line is lost."""
    return re.sub(
        r"(?m)^[ \t]+|(?<![ \t])[ \t]+(?=\r?$)", "", re.sub(r"(?m)(?<=\S)[ \t]+(?=\S)", "\t", text)
    )


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    """The rows at the top of a file, empty ones left out."""
    if delimiter == "blanks":
        text = with_tabs(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS.get(delimiter, "\t"))
    line = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error:  # which reading all of the file will tell
        return


def _is_comment(row: Row) -> bool:
    return row[1][0].startswith("#")


def _delimiter_of(text: str) -> str:
    """The separator by which most rows have the same number of columns."""
    scores = {name: _score(text, name) for name in DELIMITERS}
    best = max(scores, key=scores.__getitem__)
    if scores[best][0] > 0:
        return best
    lines = [cells for _, cells in itertools.islice(_rows(text, "comma"), LOOKED_AT)]
    whole = sum(kind_of(cells[0]) in ("number", "time") for cells in lines[1:])
    blanks = _score(text, "blanks")
    if blanks[0] > 0.9 and blanks[1] > 0 and not whole:
        return "blanks"
    return "comma"


def _score(text: str, delimiter: str) -> tuple[float, float, int]:
    """The share of rows with the usual number of columns, numbers and times in a row, columns."""
    rows = [
        row for row in itertools.islice(_rows(text, delimiter), LOOKED_AT) if not _is_comment(row)
    ]
    if not rows:
        return 0.0, 0.0, 0
    width = _width(rows)
    if width < 2:
        return 0.0, 0.0, 0
    usual = [cells for _, cells in rows if len(cells) == width]
    typed = sum(kind_of(cell) in ("number", "time") for cells in usual for cell in cells)
    return len(usual) / len(rows), typed / len(usual), width


def _width(rows: list[Row]) -> int:
    """The most common number of columns; of several, the first."""
    return Counter(len(cells) for _, cells in rows).most_common(1)[0][0]


def _given(path: Path, rows: list[Row], delimiter: str, header: int) -> Dialect:
    """With the header in a line that was stated, or none."""
    if header == 0:
        plain = [row for row in rows if not _is_comment(row)] or rows
        width = _width(plain)
        first = next(line for line, cells in plain if len(cells) == width)
        return Dialect(delimiter, (), None, first, width)
    for (line, cells), after in itertools.zip_longest(rows, rows[1:]):
        if line == header:
            names = (cells[0].lstrip("# "), *cells[1:])
            first = after[0] if after else line + 1
            return Dialect(delimiter, names, line, first, len(names))
    lines = f"it has rows in the lines {rows[0][0]} to {rows[-1][0]}"
    raise TraceError(path, settings=[("header", f"line {header} of {path.name} is none; {lines}")])


def _found(rows: list[Row], delimiter: str) -> Dialect:
    """With the header as it looks: text above numbers or times."""
    plain = [row for row in rows if not _is_comment(row)]
    if not plain:
        plain = rows
    width = _width(plain)
    typed = _typed_columns(plain, width)

    def is_data(row: Row) -> bool:
        kinds = [kind_of(row[1][c]) for c in typed if c < len(row[1])]
        return sum(kind in ("number", "time") for kind in kinds) * 2 > len(typed)

    def is_header(row: Row) -> bool:
        return len(row[1]) >= width and all(kind_of(row[1][c]) == "text" for c in typed)

    place = next((n for n, row in enumerate(plain) if len(row[1]) == width and is_data(row)), None)
    if place == 0:
        return _headless(rows, plain[0], delimiter, width)
    above = plain[:place] if typed else plain
    header = next(filter(is_header, above), None)
    if header is None:  # none that fits: one of another width, if it is no title
        header = next((row for row in reversed(above) if sum(map(bool, row[1])) > 1), None)
    if header is None and place is not None:
        return _headless(rows, plain[place], delimiter, width)
    header = header or plain[0]
    return _below(rows, header, delimiter, width)


def _typed_columns(rows: list[Row], width: int) -> list[int]:
    """The columns of which most cells are numbers or times."""
    body = [cells for _, cells in rows if len(cells) == width]
    body = body[1:] or body
    columns = []
    for column in range(width):
        kinds = Counter(kind_of(cells[column]) for cells in body)
        typed = kinds["number"] + kinds["time"]
        if typed and typed >= kinds["text"]:
            columns.append(column)
    return columns


def _headless(rows: list[Row], first: Row, delimiter: str, width: int) -> Dialect:
    """Without a header, unless the comment just above the first row has the names."""
    above = rows[rows.index(first) - 1] if rows.index(first) else None
    if above is not None and _is_comment(above) and len(above[1]) == width > 1:
        return _below(rows, above, delimiter, width)
    return Dialect(delimiter, (), None, first[0], width)


def _below(rows: list[Row], header: Row, delimiter: str, width: int) -> Dialect:
    line, cells = header
    while len(cells) > width and not cells[-1]:
        cells = cells[:-1]
    names = (cells[0].lstrip("# "), *cells[1:])
    below = (row for row in rows[rows.index(header) + 1 :] if not _is_comment(row))
    first = next(below, (line + 1, []))[0]
    return Dialect(delimiter, names, line, first, len(names))
