"""Points from a CSV file: a column for each setting, a line for each cell.

Values are written as in YAML; where a line has none, its cell leaves the setting as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from hasim.scenario.csvtable import Table, read_table
from hasim.scenario.document import parse_value
from hasim.scenario.schema import WORLD_KEYS
from hasim.scenario.sent import trace_names
from hasim.scenario.variation import Pick
from hasim.settings.validation import Where, nearest

WHERE: Where = ("vary", "points")


class _Empty:
    """What a line leaves as it is; the same object in every process."""

    def __reduce__(self) -> str:
        return "EMPTY"


EMPTY = _Empty()


@dataclass(frozen=True)
class PointTable(Sequence[list[Pick]]):
    """The points of a file, each made when it is asked for; `columns` hold `EMPTY` for no value."""

    columns: dict[str, list[Any]]
    lines: list[int]

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, index: int) -> list[Pick]: ...
    @overload
    def __getitem__(self, index: slice) -> list[list[Pick]]: ...
    def __getitem__(self, index: int | slice) -> list[Pick] | list[list[Pick]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return [
            Pick(path, values[place], (*WHERE, place, path))
            for path, values in self.columns.items()
            if values[place] is not EMPTY
        ]

    def traces(self) -> Iterator[str]:
        """The path of every trace that a point names."""
        for path, values in self.columns.items():
            yield from trace_names(values, path.rpartition(".")[2])


def file_of(vary: Any) -> str | None:
    """The name of the file that holds the points, if there is one."""
    points = vary.get("points") if isinstance(vary, dict) else None
    name = points.get("file") if isinstance(points, dict) else None
    return name if isinstance(name, str) else None


def read_points(path: Path) -> PointTable:
    """Read the file. Raises TraceError with every line that is broken."""
    table = read_table(path, None)
    unknown = [(1, name, message) for name in table.columns if (message := _column_problem(name))]
    table.refuse(unknown)
    return PointTable({name: _values(table, name) for name in table.columns}, table.lines)


def _column_problem(name: str) -> str:
    top = name.partition(".")[0]
    if top in WORLD_KEYS:
        return ""
    return f"is no setting that can be varied{nearest(top, WORLD_KEYS)}"


def _values(table: Table, name: str) -> list[Any]:
    """The values of a column; a text that is there many times is read once."""
    known: dict[str, Any] = {}
    broken = []
    values = []
    for text, line in zip(table.columns[name], table.lines, strict=True):
        if text not in known:
            try:
                known[text] = value_of(text)
            except ValueError as error:
                broken.append((line, name, str(error)))
                continue
        values.append(known[text])
    table.refuse(broken)
    return values


_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_QUANTITY = re.compile(r"(?!0[xob])[0-9]+(\.[0-9]+)?(%|[a-zA-Z]+)")
_WORDS = re.compile(r"[a-zA-Z]+(-[a-zA-Z0-9]+)+")


def value_of(text: str) -> Any:
    """What a text means in YAML, common forms without its parser; `EMPTY` if there is nothing.

    Raises ValueError.
    """
    text = text.strip()
    if not text:
        return EMPTY
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _QUANTITY.fullmatch(text) or _WORDS.fullmatch(text):
        return text
    return parse_value(text)
