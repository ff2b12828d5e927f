"""Columns of a CSV file, with the line of each value and a sentence for each broken line."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hasim.scenario.sent import opened
from hasim.settings.validation import nearest
from hasim.units import DURATION_UNITS, LONGEST_NS

NUMBER_UNITS = ("ns", "us", "ms", "s")
SHOWN = 10
"""So many broken lines of one file are told; the others are counted."""

# ISO 8601 with up to nine digits of the second; numpy's nanoseconds reach from 1678 to 2262.
_STAMP = re.compile(
    r"((?:17|18|19|20|21)\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?)"
    r"(Z|[+-]\d\d:?\d\d)?"
)


class TraceError(ValueError):
    """A trace that cannot be used.

    `lines` holds (line, column, message) of what is wrong in the file,
    `settings` (name of the setting, message) of what the scenario asks for in vain.
    """

    def __init__(
        self,
        file: Path,
        lines: list[tuple[int, str, str]] | None = None,
        settings: list[tuple[str, str]] | None = None,
    ) -> None:
        self.file = file
        self.lines = lines or []
        self.settings = settings or []
        super().__init__(f"{file}: {self.lines or self.settings}")


@dataclass(frozen=True)
class Table:
    """The columns that were asked for, by the name of the setting that names them."""

    file: Path
    names: dict[str, str]
    columns: dict[str, list[str]]
    lines: list[int]

    def convert(
        self, setting: str, read: Callable[[str], int | float], dtype: type[np.generic]
    ) -> NDArray[np.generic]:
        """A column through `read`; raises TraceError with every value that it refuses."""
        values: list[int | float] = []
        broken: list[tuple[int, str, str]] = []
        for text, line in zip(self.columns[setting], self.lines, strict=True):
            try:
                values.append(read(text.strip()))
            except ValueError as error:
                broken.append((line, self.names[setting], str(error)))
        self.refuse(broken)
        return np.array(values, dtype=dtype)

    def times(self, setting: str, unit: str) -> NDArray[np.int64]:
        """A column of time stamps, or of numbers in `unit`, in nanoseconds."""
        read = _stamp_ns if unit == "timestamp" else _number_ns(unit)
        return self.convert(setting, read, np.int64).astype(np.int64)

    def numbers(self, setting: str) -> NDArray[np.float64]:
        """A column of numbers, none of them negative."""
        return self.convert(setting, _positive, np.float64).astype(np.float64)

    def refuse(self, broken: list[tuple[int, str, str]]) -> None:
        """Raise TraceError for the broken lines, if there are any."""
        if len(broken) > SHOWN:
            rest = len(broken) - SHOWN
            line, column, _ = broken[SHOWN]
            broken = [*broken[:SHOWN], (line, column, f"and {rest} more broken lines from here on")]
        if broken:
            raise TraceError(self.file, lines=broken)


def read_table(path: Path, wanted: Mapping[str, str] | None) -> Table:
    """The `wanted` columns (setting: column) of a CSV file with a header, or all of them.

    Raises TraceError.
    """
    try:
        with opened(path) as file:
            return _read(path, csv.reader(file), wanted)
    except FileNotFoundError:
        raise TraceError(path, settings=[("", _missing(path))]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not a text file in UTF-8"
        reason = reason[0].lower() + reason[1:]
        raise TraceError(path, settings=[("", f"cannot read {path}: {reason}")]) from None


def _missing(path: Path) -> str:
    names = [p.name for p in path.parent.glob("*.csv")] if path.parent.is_dir() else []
    hint = nearest(path.name, names, otherwise="there are") if names else ""
    return f"no such file: {path}{hint}"


def _read(path: Path, rows: Any, wanted: Mapping[str, str] | None) -> Table:
    try:
        header: list[str] = next(rows, [])
        asked = wanted is not None
        if wanted is None:
            wanted = {column.strip(): column for column in header or [""]}
        unusable = [(s, _column_problem(path, column, header)) for s, column in wanted.items()]
        if any(message for _, message in unusable):
            wrong = [
                (setting if asked else "", message) for setting, message in unusable if message
            ]
            raise TraceError(path, settings=wrong)
        table = Table(path, dict(wanted), {setting: [] for setting in wanted}, [])
        at = {setting: header.index(column) for setting, column in wanted.items()}
        broken = []
        line = rows.line_num + 1
        for row in rows:
            if len(row) == len(header):
                table.lines.append(line)
                for setting, index in at.items():
                    table.columns[setting].append(row[index])
            elif row:
                broken.append((line, "", _wrong_count(row, header)))
            line = rows.line_num + 1
    except csv.Error as error:
        raise TraceError(path, lines=[(rows.line_num, "", f"not valid CSV: {error}")]) from None
    table.refuse(broken)
    if not table.lines:
        raise TraceError(path, lines=[(1, "", "has no rows")])
    return table


def _column_problem(path: Path, column: str, header: list[str]) -> str:
    """Why a column cannot be used; empty if it can."""
    if column in header:
        twice = header.count(column) > 1
        return f"{path.name} has more than one column {column!r}" if twice else ""
    if not header:
        what = f" with a column {column!r}" if column else ""
        return f"{path.name} is empty; expected a header{what}"
    separator = next((mark for mark in (";", "\t", "|") if mark in header[0]), None)
    if len(header) == 1 and separator is not None:
        return (
            f"{path.name} has no column {column!r}: "
            f"its values are separated by {separator!r}, expected commas"
        )
    return f"{path.name} has no column {column!r}{nearest(column, header)}"


def _wrong_count(row: list[str], header: list[str]) -> str:
    values = f"{len(row)} value{'s' * (len(row) != 1)}"
    columns = f"{len(header)} column{'s' * (len(header) != 1)}"
    unclosed = any("\n" in value for value in row)
    hint = " (a quotation mark that is not closed?)" if unclosed else ""
    return f"has {values}, the header has {columns}{hint}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _stamp_ns(text: str) -> int:
    match = _STAMP.fullmatch(text)
    expected = f"expected a time stamp such as 2023-11-16T18:15:46Z, got {_shown(text)}"
    if _is_number(text):
        expected += f"; numbers need their unit: {', '.join(NUMBER_UNITS)}"
    if match is None:
        raise ValueError(expected)
    try:
        stamp = int(np.datetime64(match.group(1), "ns").astype(np.int64))
    except ValueError:
        raise ValueError(expected) from None
    if match.group(2) in (None, "Z"):
        return stamp
    offset = datetime.fromisoformat(f"2000-01-01T00:00{match.group(2)}") - datetime(
        2000, 1, 1, tzinfo=UTC
    )
    return stamp + round(offset.total_seconds()) * DURATION_UNITS["s"]


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _number_ns(unit: str) -> Callable[[str], int]:
    factor = DURATION_UNITS[unit]

    def read(text: str) -> int:
        try:
            number = Decimal(text) * factor
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite() or abs(number) > LONGEST_NS:
            raise ValueError(f"expected a number ({unit}), got {_shown(text)}")
        return round(number)

    return read


def whole_number(text: str) -> int:
    """A number of times: 1, 2, ..."""
    digits = text.isascii() and text.isdigit()
    if not digits or len(text) > 18 or int(text) < 1:  # 64 bits have room for 18 digits
        raise ValueError(f"expected a whole number from 1 on, got {_shown(text)}")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 <= number < float("inf"):
        raise ValueError(f"expected a number, not negative, got {_shown(text)}")
    return number
