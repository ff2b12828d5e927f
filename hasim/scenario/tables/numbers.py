"""Columns of numbers and of durations, exact; and what a value is, in words without the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hasim.scenario.tables.dialect import NULLS, kind_of
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.tables.table import Table, Texts
from hasim.units import DURATION_UNITS, LONGEST_NS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
PLAIN_NUMBER = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$"
_SIMPLE = r"^-?[0-9]{1,9}(\.[0-9]{1,9})?$"
_WITH_COMMA = r"^[-+]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?$"
_THOUSANDS = r"^[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$"


def is_nothing(texts: Texts) -> NDArray[np.bool_]:
    """Which cells hold nothing, or a sign for it (``-``, ``null``, ``n/a``, ...)."""
    found: NDArray[np.bool_] = pc.is_in(
        pc.utf8_lower(texts), value_set=pa.array(sorted(NULLS))
    ).to_numpy(False)
    return found


def what(text: str) -> str:
    """What a cell holds, in words that do not repeat it."""
    kind = kind_of(text)
    return {"number": "a number", "time": "a time stamp", "nothing": "nothing"}.get(kind, "text")


def durations(table: Table, setting: str, unit: str, decimal: str = "auto") -> Ints:
    """A column of numbers in `unit`, in nanoseconds, rounded to the nearest; raises TraceError."""
    texts = with_points(table, setting, decimal)
    factor = DURATION_UNITS[unit]
    simple = _simple(texts, factor)
    if simple is not None:
        return simple
    expected = f"expected a number ({unit})"
    found: Ints = _each(
        table, setting, texts, lambda text: _scaled(text, factor, expected), np.int64
    )
    return found


def numbers(table: Table, setting: str, decimal: str = "auto") -> Floats:
    """A column of numbers, none of them negative; raises TraceError."""
    texts = with_points(table, setting, decimal)
    try:
        values: Floats = texts.cast(pa.float64()).to_numpy(False)
        if np.isfinite(values).all() and (values >= 0).all():
            return values
    except pa.ArrowInvalid:  # which of them it is, is said below
        pass
    found: Floats = _each(table, setting, texts, _positive, np.float64)
    return found


def whole(table: Table, setting: str, decimal: str = "auto", least: int = 0) -> Ints:
    """A column of whole numbers from `least` on; ``94.0`` is one. Raises TraceError."""
    texts = with_points(table, setting, decimal)
    expected = f"expected a whole number from {least} on"
    found: Ints = _each(table, setting, texts, lambda text: _whole(text, least, expected), np.int64)
    return found


def with_points(table: Table, setting: str, decimal: str) -> Texts:
    """A column of numbers with a point before their decimals; raises TraceError if in doubt."""
    texts = table.columns[setting]
    if decimal == "point" or not pc.any(pc.match_substring(texts, ",")).as_py():
        return texts
    if decimal == "auto":
        thousands = _matches(texts, _THOUSANDS)
        commas = _matches(texts, _WITH_COMMA)
        if thousands.any() and not (commas & ~thousands).any():
            [line] = table.lines([int(np.argmax(thousands))])
            text = (
                "a comma may stand before decimals or between thousands: say decimal: comma, or "
                "write the numbers without separators of thousands"
            )
            raise TraceError(table.file, lines=[(line, table.called[setting], text)])
        if not commas.any() or pc.any(pc.match_substring(texts, ".")).as_py():
            return texts
    return pc.if_else(pc.match_substring(texts, "."), texts, pc.replace_substring(texts, ",", "."))


def _matches(texts: Texts, pattern: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.match_substring_regex(texts, pattern).to_numpy(False)
    return found


def _simple(texts: Texts, factor: int) -> Ints | None:
    """The whole column at once, if all its numbers are plain and the results whole."""
    if not pc.all(pc.match_substring_regex(texts, _SIMPLE)).as_py():
        return None
    exact = texts.cast(pa.decimal128(18, 9))
    scaled = pc.multiply(exact, pa.scalar(Decimal(factor)).cast(pa.decimal128(15, 0)))
    try:
        values: Ints = scaled.cast(pa.int64()).to_numpy(False)
    except pa.ArrowInvalid:  # decimals are left, or it is too large
        return None
    return values


def _each(
    table: Table,
    setting: str,
    texts: Texts,
    read: Callable[[str], Any],
    dtype: type[np.generic],
) -> Any:
    """A column value by value; raises TraceError with every one that is refused."""
    values: list[Any] = []
    broken: list[tuple[int, str, str]] = []
    for place, text in enumerate(texts.to_pylist()):
        try:
            values.append(read(text))
        except ValueError as error:
            broken.append((place, setting, str(error)))
    table.refuse(broken)
    return np.array(values, dtype=dtype)


_PLAIN = re.compile(PLAIN_NUMBER)


def _decimal(text: str) -> Decimal | None:
    """The number that a text says, if it says one of a size that a clock may have."""
    if len(text) > 60 or not _PLAIN.fullmatch(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.adjusted() <= 30 else None


def _scaled(text: str, factor: int, expected: str) -> int:
    number = _decimal(text)
    if number is None:
        raise ValueError(f"{expected}, got {what(text)}{_hint(text)}")
    if abs(number * factor) > LONGEST_NS:
        raise ValueError(f"{expected} of at most 292 years")
    return round(number * factor)


def _positive(text: str) -> float:
    number = _decimal(text)
    if number is None:
        raise ValueError(f"expected a number, not negative, got {what(text)}{_hint(text)}")
    if number < 0:
        raise ValueError("expected a number, not negative, got a negative one")
    return float(number)


def _whole(text: str, least: int, expected: str) -> int:
    number = _decimal(text)
    if number is None:
        raise ValueError(f"{expected}, got {what(text)}{_hint(text)}")
    if number != number.to_integral_value():
        raise ValueError(f"{expected}, got one with decimals")
    if number < least or number.adjusted() >= 18:  # 64 bits have room for 18 digits
        raise ValueError(f"{expected}, got a {'smaller' if number < least else 'too large'} one")
    return int(number)


def _hint(text: str) -> str:
    if kind_of(text) != "number":
        return ""
    if "," in text:
        return " with a comma (say decimal: comma, or leave out separators of thousands)"
    return " that is too large or too long"
