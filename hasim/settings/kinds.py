"""The kinds of values that a setting can have: how each is read, written, bounded and described."""

from __future__ import annotations

import math
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hasim import units


@dataclass(frozen=True)
class Kind:
    """One kind of value: how its text is read and written, and an example of it."""

    name: str
    parse: Callable[[str], int] | Callable[[str], float] | None
    format: Callable[[Any], str]
    example: str
    json_type: str
    words: str
    pattern: str = ""
    """A regular expression (ECMA 262) of the text form, for editors."""


MOST = 10**6
"""The largest count that a setting may be, unless it says otherwise: a million of anything fits
in memory, and counts of counts in 64 bits."""
MOST_FACTOR = 1e9
"""The largest plain number, unless the setting says otherwise."""
COMMON = {"duration": units.LONGEST_SETTING_NS, "count": MOST, "factor": MOST_FACTOR}
"""The largest values that go without saying, by kind."""
ANY = 2**63 - 1
"""The largest count of all: what no arithmetic is done with."""

_NUMBER = r"\d+(\.\d+)?([eE][+-]?\d+)?"
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "duration",
            units.parse_duration,
            units.format_duration,
            "30s",
            "string",
            "a duration",
            rf"^\s*({_NUMBER}\s*(ns|us|ms|s|m|h|d))+\s*$",
        ),
        Kind(
            "size",
            units.parse_size,
            units.format_size,
            "64MiB",
            "string",
            "a size",
            rf"^\s*{_NUMBER}\s*([KMG]i?)?B\s*$",
        ),
        Kind(
            "bandwidth",
            units.parse_bandwidth,
            units.format_bandwidth,
            "200MiB/s",
            "string",
            "a bandwidth",
            rf"^\s*{_NUMBER}\s*([KMG]i?)?B\s*/\s*s\s*$",
        ),
        Kind(
            "rate",
            units.parse_rate,
            units.format_rate,
            "20/s",
            "string",
            "a rate",
            rf"^\s*{_NUMBER}\s*/\s*[smhdy]\s*$",
        ),
        Kind(
            "share",
            units.parse_percent,
            units.format_percent,
            "99.9%",
            "string",
            "a percentage",
            rf"^\s*{_NUMBER}\s*%\s*$",
        ),
        Kind("count", None, str, "3", "integer", "a whole number"),
        Kind("factor", None, str, "0.5", "number", "a number"),
    )
}


@dataclass(frozen=True)
class Setting:
    """The annotation of one field.

    `least` is the smallest value that is allowed, `above` a bound that must be
    exceeded, `most` the largest; all in the unit of the stored number
    (nanoseconds, bytes, events per second, ratio). `source` names the paper or
    the system that the default comes from.
    """

    kind: str
    meaning: str
    source: str = ""
    least: float | None = None
    above: float | None = None
    most: float | None = None

    def read(self, value: object) -> int | float:
        """The stored number of what a user wrote; ValueError says what was expected."""
        kind = KINDS[self.kind]
        number: int | float
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if kind.parse is not None and isinstance(value, str):
            number = kind.parse(value)
        elif kind.name == "share" and is_number and value in (0, 1):
            number = float(value)  # 0 and 1 say the same with and without %
        elif kind.parse is None and is_number and _is_too_large(value):
            raise ValueError(f"too large: {value}")
        elif kind.parse is not None or not is_number or not _is_finite(value):
            got = "nothing" if value is None else repr(value)
            raise ValueError(f"expected {kind.words} such as {kind.example}, got {got}")
        elif kind.name == "count":
            number = int(typing.cast(float, value))
            if number != value:
                raise ValueError(f"expected {kind.words} such as {kind.example}, got {value!r}")
        else:
            number = float(typing.cast(float, value))
        self.check(number)
        return number

    def write(self, number: Any) -> Any:
        """What a user would write for the stored number; None stays None."""
        kind = KINDS[self.kind]
        return number if number is None or kind.parse is None else kind.format(number)

    def check(self, number: float) -> None:
        """Raise ValueError if a stored number lies outside the bounds."""
        show = KINDS[self.kind].format
        got = f", got {show(number)}"
        if self.above is not None and not number > self.above:
            raise ValueError(f"must be greater than {show(_same(number, self.above))}{got}")
        if self.least is not None and not number >= self.least:
            raise ValueError(f"must be at least {show(_same(number, self.least))}{got}")
        if self.most is not None and not number <= self.most:
            raise ValueError(f"must be at most {show(_same(number, self.most))}{got}")

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        optional = type(None) in typing.get_args(source)

        def read(value: Any) -> Any:
            return None if value is None and optional else self.read(value)

        return core_schema.no_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(self.write),
            metadata={"optional": optional},
        )

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        schema = self.json_schema()
        return {"anyOf": [schema, {"type": "null"}]} if core["metadata"]["optional"] else schema

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the text form."""
        kind = KINDS[self.kind]
        schema: dict[str, Any] = {"type": kind.json_type, "description": self.description()}
        if kind.parse is not None:
            schema |= {"examples": [kind.example], "pattern": kind.pattern}
            if kind.name == "share":
                schema = {
                    "anyOf": [{"type": "string", "pattern": kind.pattern}, {"enum": [0, 1]}],
                    "description": self.description(),
                    "examples": [kind.example],
                }
            return schema
        for keyword, bound in (
            ("minimum", self.least),
            ("exclusiveMinimum", self.above),
            ("maximum", self.most),
        ):
            if bound is not None:
                schema[keyword] = bound
        return schema

    def description(self) -> str:
        """Meaning and source in one text."""
        return self.meaning if not self.source else f"{self.meaning} Source: {self.source}."


def _is_finite(value: object) -> bool:
    return math.isfinite(typing.cast(float, value))


def _is_too_large(value: object) -> bool:
    """Finite, but too large for 64 bits."""
    number = typing.cast(float, value)
    return abs(number) >= 2**63 and abs(number) != math.inf


def _same(number: float, bound: float) -> float:
    return int(bound) if isinstance(number, int) else bound


def duration(
    meaning: str,
    *,
    source: str = "",
    least: float | None = 0,
    above: float | None = None,
    most: float = units.LONGEST_SETTING_NS,
) -> Setting:
    """A duration, stored in nanoseconds; zero is allowed unless `above` says otherwise."""
    return Setting("duration", meaning, source, least=least, above=above, most=most)


def share(meaning: str, *, source: str = "", most: float = 1.0) -> Setting:
    """A percentage, stored as a ratio between 0 and `most`."""
    return Setting("share", meaning, source, least=0.0, most=most)


def count(meaning: str, *, source: str = "", least: int = 1, most: int = MOST) -> Setting:
    """A whole number."""
    return Setting("count", meaning, source, least=least, most=most)


def factor(
    meaning: str,
    *,
    source: str = "",
    above: float | None = 0.0,
    least: float | None = None,
    most: float = MOST_FACTOR,
) -> Setting:
    """A plain positive number without a unit."""
    return Setting("factor", meaning, source, above=above, least=least, most=most)


def rate(meaning: str, *, source: str = "") -> Setting:
    """Events per second, greater than zero."""
    return Setting("rate", meaning, source, above=0.0)


def size(meaning: str, *, source: str = "") -> Setting:
    """A number of bytes, zero allowed."""
    return Setting("size", meaning, source, least=0)


def bandwidth(meaning: str, *, source: str = "") -> Setting:
    """Bytes per second, greater than zero."""
    return Setting("bandwidth", meaning, source, above=0)
