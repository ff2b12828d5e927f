"""A finding on paper: sheets, which become text in every form (see `hasim.report.forms`).

A finding builds its sheets from values (an `Estimate`, a number with the unit of its column, a
text) and never looks at a form; a form sees fields and columns, and never at a finding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hasim.report.format import DASH, estimate_parts, estimate_text, number
from hasim.study.estimates.estimate import Estimate

Mood = Literal["", "good", "bad", "open", "strong"]
"""What a word stands for: good or bad news, what is open, what stands out; most for none."""


@dataclass(frozen=True, slots=True)
class Field:
    """What stands in one place of a sheet.

    `text` is it in one line. `lines` are it where there is room below: the point, then, smaller,
    its interval; empty if one line is all. `value` is it for programs: a number, a text, None for
    what is missing, or a mapping of such (an estimate), of which CSV makes several columns; the
    text, unless it is given.
    """

    text: str
    lines: tuple[str, ...] = ()
    value: Any = ...
    mood: Mood = ""

    @property
    def plain(self) -> Any:
        """What programs get."""
        return self.text if self.value is ... else self.value


Value = Field | Estimate | str | int | float | None
"""What a sheet is built of. None and NaN are a number that is missing."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its name for programs, the unit of its numbers.

    A line feed in `name` is where a narrow form breaks it. `unit` is that of an `Estimate`
    (``s``, ``ratio``, ``per_hour``, ``per_year``, ``count``). Columns of a `group` stay together,
    under its name, where a sheet is too wide for one table. Numbers stand at the right, and are
    never cut.
    `code`: what stands there is typed as it is. `entry` is how a field that is not empty stands
    in an entry (`Sheet.look`): a line feed begins a line, ``{}`` is the field.
    """

    name: str
    key: str = ""
    unit: str = "count"
    align: Literal["left", "right"] = "left"
    group: str = ""
    code: bool = False
    entry: str = "\n{}"

    @property
    def heading(self) -> str:
        """The name in one line."""
        return self.name.replace("\n", " ")

    @property
    def program_key(self) -> str:
        """The name for programs."""
        return self.key or self.heading


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: columns, rows of as many values, and the sentences below it.

    `said` is what follows from the numbers, `notes` what a reader has to know to read them. The
    first `names` columns say what a row is of: they are repeated where the sheet is cut into
    several tables. Numbers stand above their intervals if it is `stacked`, else beside them as
    long as there is room. With the look of ``entries`` a terminal shows rows of long texts one
    below the other, as in a dictionary; with that of ``lines`` it leaves out the headings.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    caption: str = ""
    said: Sequence[str] = ()
    notes: Sequence[str] = ()
    names: int = 1
    stacked: bool = False
    look: Literal["table", "entries", "lines"] = "table"

    def fields(self) -> list[list[Field]]:
        """The rows as fields. Raises ValueError if a row has not as many values as columns."""
        return [
            [as_field(value, column) for value, column in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]


@dataclass(frozen=True, slots=True)
class Paper:
    """All that people are shown of a finding: sheets, and sentences that belong to none.

    `headline` is the finding in one line: first where a reader begins at the top, last in a
    terminal, where the prompt stands below it. `title` heads a document.
    """

    sheets: Sequence[Sheet]
    said: Sequence[str] = ()
    notes: Sequence[str] = ()
    headline: Field | None = None
    title: str = ""


def as_field(value: Value, column: Column) -> Field:
    """A value as it is shown in a column."""
    if isinstance(value, Field):
        return value
    if isinstance(value, Estimate):
        return estimate_field(value)
    if isinstance(value, str):
        return Field(value)
    if value is None or math.isnan(value):
        return Field(DASH, value=None)
    if isinstance(value, int):
        return Field(f"{value:,}", value=value)
    return Field(number(value, column.unit), value=value)


def estimate_field(estimate: Estimate) -> Field:
    """An estimate: the point with its interval, or a dash with what is missing."""
    point, low, high = estimate_parts(estimate)
    # A hyphen beside a minus sign would be hard to read.
    below = f"{low} to {high}" if low.startswith("-") else f"{low}-{high}" if low else ""
    if point == DASH and estimate.needed is not None:
        below = f"{estimate.n} of {estimate.needed}"
    lines = (point, below) if below else (point,)
    return Field(estimate_text(estimate), lines, plain_estimate(estimate))


def plain_estimate(estimate: Estimate) -> dict[str, Any]:
    """An estimate as plain data without its name; infinity is None plus ``"unbounded": True``."""
    numbers = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    plain: dict[str, Any] = {
        "unit": estimate.unit,
        **{name: finite(value) for name, value in numbers.items()},
        "n": estimate.n,
        "needed": estimate.needed,
        "method": estimate.method,
    }
    if estimate.note:
        plain["note"] = estimate.note
    if any(value is not None and math.isinf(value) for value in numbers.values()):
        plain["unbounded"] = True
    return plain


def finite(value: Any) -> Any:
    """The same plain data with None for every number that JSON cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return value
