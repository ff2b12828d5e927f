"""How a setting is written once, and everything else derived from it.

A group of settings is a frozen dataclass made with `@settings`; each field is
annotated with one of the kinds below, which carries meaning, unit, range and
source. The classes need nothing but the standard library. Validation (the
units' text forms, ranges, unknown keys), the JSON Schema, the configuration
reference and ``--set`` come from them through pydantic's TypeAdapter, which
calls the hooks of `Setting`; pydantic is imported only then.

A field name ends in its unit (``timeout_ns``); its name for users leaves the
unit out (``timeout: 500ms``), and the underscore that keeps a name from being
a Python keyword (``for_ns`` is ``for``).
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

from hasim import units

C = TypeVar("C")
UNIT_SUFFIXES = ("_bytes_per_s", "_per_s", "_bytes", "_ns")


def user_name(field: str) -> str:
    """The name of a field as users write it: ``timeout_ns`` is ``timeout``."""
    for suffix in UNIT_SUFFIXES:
        if field.endswith(suffix):
            field = field.removesuffix(suffix)
            break
    return field.rstrip("_")


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,)
)
def settings(cls: type[C]) -> type[C]:
    """Make a class a group of settings: frozen, by keyword, unknown keys refused."""
    made = dataclass(frozen=True, kw_only=True)(cls)
    made.__pydantic_config__ = {  # type: ignore[attr-defined]
        "extra": "forbid",
        "alias_generator": user_name,
        "title": cls.__name__,
    }
    return made


@dataclass(frozen=True)
class Kind:
    """One kind of value: how its text is read and written, and an example of it."""

    name: str
    parse: Callable[[str], int] | Callable[[str], float] | None
    format: Callable[[Any], str]
    example: str
    json_type: str


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("duration", units.parse_duration, units.format_duration, "30s", "string"),
        Kind("size", units.parse_size, units.format_size, "64MiB", "string"),
        Kind("bandwidth", units.parse_bandwidth, units.format_bandwidth, "200MiB/s", "string"),
        Kind("rate", units.parse_rate, units.format_rate, "20/s", "string"),
        Kind("share", units.parse_percent, units.format_percent, "99.9%", "string"),
        Kind("count", None, str, "3", "integer"),
        Kind("factor", None, str, "0.5", "number"),
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
        if kind.parse is not None:
            if isinstance(value, str):
                number = kind.parse(value)
            elif kind.name == "share" and value in (0, 1):
                number = float(typing.cast(int, value))
            else:
                raise ValueError(f"expected a {kind.name} such as {kind.example}, got {value!r}")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"expected a number such as {kind.example}, got {value!r}")
        elif kind.name == "count" and value != int(value):
            raise ValueError(f"expected a whole number such as {kind.example}, got {value!r}")
        else:
            number = int(value) if kind.name == "count" else float(value)
        self._check_range(number)
        return number

    def _check_range(self, number: float) -> None:
        show = KINDS[self.kind].format
        if self.above is not None and not number > self.above:
            raise ValueError(f"must be greater than {show(_same(number, self.above))}")
        if self.least is not None and not number >= self.least:
            raise ValueError(f"must be at least {show(_same(number, self.least))}")
        if self.most is not None and not number <= self.most:
            raise ValueError(f"must be at most {show(_same(number, self.most))}")

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        kind = KINDS[self.kind]

        def read(value: Any) -> Any:
            if value is None and type(None) in typing.get_args(source):
                return None
            return self.read(value)

        def write(value: Any) -> Any:
            return value if value is None or kind.parse is None else kind.format(value)

        return core_schema.no_info_plain_validator_function(
            read, serialization=core_schema.plain_serializer_function_ser_schema(write)
        )

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        kind = KINDS[self.kind]
        text = self.meaning if not self.source else f"{self.meaning} Source: {self.source}."
        schema: dict[str, Any] = {"type": kind.json_type, "description": text}
        if kind.parse is not None:
            schema["examples"] = [kind.example]
        else:
            if self.least is not None:
                schema["minimum"] = self.least
            if self.above is not None:
                schema["exclusiveMinimum"] = self.above
            if self.most is not None:
                schema["maximum"] = self.most
        return schema


def _same(number: float, bound: float) -> float:
    return int(bound) if isinstance(number, int) else bound


def duration(
    meaning: str, *, source: str = "", least: float | None = 0, above: float | None = None
) -> Setting:
    """A duration, stored in nanoseconds; zero is allowed unless `above` says otherwise."""
    return Setting("duration", meaning, source, least=least, above=above)


def share(meaning: str, *, source: str = "", most: float = 1.0) -> Setting:
    """A percentage, stored as a ratio between 0 and `most`."""
    return Setting("share", meaning, source, least=0.0, most=most)


def count(meaning: str, *, source: str = "", least: int = 1) -> Setting:
    """A whole number."""
    return Setting("count", meaning, source, least=least)


def factor(meaning: str, *, source: str = "", above: float = 0.0) -> Setting:
    """A plain positive number without a unit."""
    return Setting("factor", meaning, source, above=above)


def rate(meaning: str, *, source: str = "") -> Setting:
    """Events per second, greater than zero."""
    return Setting("rate", meaning, source, above=0.0)


def size(meaning: str, *, source: str = "") -> Setting:
    """A number of bytes, zero allowed."""
    return Setting("size", meaning, source, least=0)


def bandwidth(meaning: str, *, source: str = "") -> Setting:
    """Bytes per second, greater than zero."""
    return Setting("bandwidth", meaning, source, above=0)


def setting_of(cls: type[Any], field: str) -> Setting | None:
    """The `Setting` annotation of a field of a settings class, if it has one."""
    hint = typing.get_type_hints(cls, include_extras=True)[field]
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Setting):
            return mark
    return None


def fields_by_user_name(cls: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    """The fields of a settings class under the names that users write."""
    return {user_name(f.name): f for f in dataclasses.fields(cls)}


@dataclass(frozen=True)
class Choice:
    """The annotation of a union of settings classes, of which a value picks one.

    A mapping picks the member whose `tag` field has the literal that the
    mapping gives under `tag`, else the member that has a required field among the
    mapping's keys. Anything that is no mapping is read by `text`, a settings
    class with one field that is then given the value (``for: 3m`` is a
    constant law). `tag` may be absent from a mapping only if a required field
    tells the members apart.
    """

    tag: str
    text: type[Any] | None = None
    text_field: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from hasim.choice import core_schema_of_choice

        return core_schema_of_choice(self, source, handler)
