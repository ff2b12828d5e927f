"""Points from a CSV file: a column for each setting, a line for each cell.

Values are written as in YAML; where a line has none, its cell leaves the setting as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from hasim.scenario.document import parse_value
from hasim.scenario.schema import WORLD_KEYS, Scenario
from hasim.scenario.sent import trace_names
from hasim.scenario.tables.errors import Broken, refuse
from hasim.scenario.variation import Pick
from hasim.settings import fields_by_user_name
from hasim.settings.validation import Where, nearest
from hasim.simulation.settings.recordings import TableFile

if TYPE_CHECKING:
    from hasim.scenario.tables.table import Table

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
    from hasim.scenario.tables.table import read_table

    table = read_table(path, None, TableFile(delimiter="comma", header=1))
    refuse(path, list(_unknown(table)))
    columns = {name: _values(table, name) for name in table.columns}
    return PointTable(columns, table.lines(np.arange(len(table))))


def _unknown(table: Table) -> Iterator[Broken]:
    """The columns that cannot be varied: by name, if that is near to a setting, else by number."""
    for number, name in enumerate(table.columns, 1):
        top = name.partition(".")[0]
        if top not in WORLD_KEYS:
            near = nearest(top, WORLD_KEYS)
            known = top in fields_by_user_name(Scenario) or "did you mean" in near
            yield (
                1,
                name if known else f"column {number}",
                f"is no setting that can be varied{near}",
            )


def _values(table: Table, name: str) -> list[Any]:
    """The values of a column; a text that is there many times is read once."""
    known: dict[str, Any] = {}
    broken = []
    values = []
    for place, text in enumerate(table.texts(name)):
        if text not in known:
            try:
                known[text] = value_of(text)
            except ValueError:  # whose message repeats the text
                broken.append((place, name, "expected a value as it is written in YAML"))
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
