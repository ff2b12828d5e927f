"""What the columns of a table hold, each looked at as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hasim.scenario.tables.content import encoding_of
from hasim.scenario.tables.dialect import Dialect, kind_of
from hasim.scenario.tables.errors import TraceError, printable
from hasim.scenario.tables.numbers import PLAIN_NUMBER, is_nothing, with_points
from hasim.scenario.tables.table import Table, Texts, read_table
from hasim.scenario.tables.times import epoch_unit, forms_of, read_stamps
from hasim.scenario.traces.arrivals import step_of
from hasim.scenario.traces.checklog import DOWN, UP
from hasim.simulation.settings.recordings import TableFile
from hasim.units import DURATION_UNITS

Kind = Literal["times", "numbers", "up or down", "text", "nothing"]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
MOST = 0.5
"""What most cells of a column hold, that it holds; the others are counted as broken."""
REGULAR = 0.5
"""A step that so many of the times keep is told."""


@dataclass(frozen=True)
class Course:
    """How times go on from row to row.

    `back` is how many are before the one above them, `step_ns` the step that most of them keep
    (0: none), `gaps` how many are later than that, and `longest_ns` the longest step of all.
    """

    first_ns: int
    last_ns: int
    back: int
    step_ns: int
    gaps: int
    longest_ns: int


@dataclass(frozen=True)
class ColumnFacts:
    """What one column holds.

    `name` is empty without a header, and where it cannot be used: `unnamed` says why. Of `empty`
    cells there is nothing; `broken` ones are not of the column's kind, the first of them in line
    `broken_line`. `distinct` counts what differs. Numbers have `low`, `high` and whether all are
    `whole`; times their `unit`, and time stamps the form of their dates. `doubt` says what could be
    read in two ways, and `up_words` are those of results of checks that say up.
    """

    number: int
    name: str
    kind: Kind
    empty: int
    distinct: int
    broken: int = 0
    broken_line: int = 0
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    unit: str = ""
    form: str = ""
    doubt: str = ""
    up_words: tuple[str, ...] = ()
    course: Course | None = None
    unnamed: str = ""

    @property
    def said(self) -> str | int:
        """How a scenario names it: by its name, or by its number if it has none of its own."""
        return self.name if self.name else self.number


@dataclass(frozen=True)
class TableFacts:
    """What a file is: how it is written, how many rows it has, what its columns hold.

    `encoding` is in words: ``UTF-8``, ``UTF-8, packed with gzip``.
    """

    path: Path
    encoding: str
    dialect: Dialect
    rows: int
    last_line: int
    columns: tuple[ColumnFacts, ...]


def facts_of(path: Path, layout: TableFile) -> TableFacts:
    """What is in a file. Raises TraceError if it is no table."""
    first = read_table(path, {"1": 1}, layout)
    wanted = {str(number): number for number in range(1, first.dialect.width + 1)}
    table = read_table(path, wanted, layout)
    columns = tuple(_column(table, number, layout) for number in wanted.values())
    [last] = table.lines([len(table) - 1])
    return TableFacts(path, encoding_of(path), table.dialect, len(table), last, columns)


def _column(table: Table, number: int, layout: TableFile) -> ColumnFacts:
    texts = table.columns[str(number)]
    names = table.dialect.names
    name = names[number - 1] if names else ""
    if unnamed := _unusable(name, names):
        name = ""
    filled = ~is_nothing(texts)
    empty, distinct = int((~filled).sum()), len(pc.unique(texts))
    if not filled.any():
        return ColumnFacts(number, name, "nothing", empty, distinct, unnamed=unnamed)
    part = table.taken(filled)
    looks = _looks(part.columns[str(number)])
    base = ColumnFacts(number, name, looks, empty, distinct, unnamed=unnamed)
    if looks == "numbers":
        return _numbers(part, base, layout)
    if looks == "up or down":
        results = pc.unique(part.columns[str(number)]).to_pylist()
        return replace(base, up_words=tuple(text for text in results if text.lower() in UP))
    return _times(part, base) if looks == "times" else base


def _unusable(name: str, names: Sequence[str]) -> str:
    """Why a column is told by its number although the header has a name; empty if it is not."""
    if name and names.count(name) > 1:
        return "another column has its name"
    if printable(name) != name:
        return "its name has control characters"
    return "its name is longer than 80 characters" if len(name) > 80 else ""


def _looks(texts: Texts) -> Kind:
    """What most cells of a column hold, by a part of them."""
    words = {text.lower() for text in pc.unique(texts[:10_000]).to_pylist()}
    if words <= UP | DOWN and words & UP and words & DOWN:
        return "up or down"
    sample = texts[:: max(1, len(texts) // 2000)].to_pylist()
    kinds = [kind_of(text) for text in sample]
    for kind, name in (("number", "numbers"), ("time", "times")):
        if kinds.count(kind) > MOST * len(kinds):
            return name  # type: ignore[return-value]  # one of the two, as stands above
    return "text"


def _numbers(part: Table, base: ColumnFacts, layout: TableFile) -> ColumnFacts:
    """The facts of a column of numbers; a cell that is none is counted."""
    try:
        texts = with_points(part, str(base.number), layout.decimal)
    except TraceError:
        return replace(base, doubt="its comma may stand before decimals or between thousands")
    good: NDArray[np.bool_] = pc.match_substring_regex(texts, PLAIN_NUMBER).to_numpy(False)
    if good.mean() <= MOST:
        return replace(base, kind="text")
    values: Floats = texts.filter(pa.array(good)).cast(pa.float64()).to_numpy(False)
    whole = bool((values == np.rint(values)).all())
    unit = epoch_unit(float(np.median(values))) if whole else ""
    return replace(
        base,
        **_broken(part, good),
        low=float(values.min()),
        high=float(values.max()),
        whole=whole,
        kind="times" if unit else "numbers",
        unit=unit,
        course=_course_of_numbers(values, unit),
    )


def _course_of_numbers(values: Floats, unit: str) -> Course | None:
    factor = DURATION_UNITS[unit or "s"]
    if float(np.abs(values).max()) * factor > 9e18:
        return None
    return _course(np.rint(values * factor).astype(np.int64))


def _times(part: Table, base: ColumnFacts) -> ColumnFacts:
    texts = part.columns[str(base.number)]
    form, other = forms_of(texts)
    stamps = read_stamps(texts, form)
    if stamps.valid.mean() <= MOST:
        return replace(base, kind="text")
    times = stamps.ns[stamps.valid]
    return replace(
        base,
        **_broken(part, stamps.valid),
        unit="timestamp",
        form=form,
        doubt=f"its dates may be {form} or {other}" if other else "",
        course=_course(times),
    )


def _broken(part: Table, good: NDArray[np.bool_]) -> dict[str, Any]:
    if good.all():
        return {}
    [line] = part.lines([int(np.argmin(good))])
    return {"broken": int((~good).sum()), "broken_line": line}


def _course(times: Ints) -> Course:
    steps = np.diff(times)
    ordered = np.unique(times)
    step = step_of(ordered)
    between = np.diff(ordered)
    if not len(between) or (between == step).mean() <= REGULAR:
        step = 0
    return Course(
        first_ns=int(times.min()),
        last_ns=int(times.max()),
        back=int((steps < 0).sum()),
        step_ns=step,
        gaps=int((between > step).sum()) if step else 0,
        longest_ns=int(between.max()) if len(between) else 0,
    )
