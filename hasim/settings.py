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

import ast
import dataclasses
import functools
import inspect
import itertools
import math
import textwrap
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, dataclass_transform

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
    """Make a class a group of settings: frozen, by keyword, unknown keys refused.

    Wherever a tuple of values is expected, users may write a single value.
    """
    _accept_single_values(cls)
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
    words: str
    pattern: str = ""
    """A regular expression (ECMA 262) of the text form, for editors."""


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
        self._check_range(number)
        return number

    def write(self, number: Any) -> Any:
        """What a user would write for the stored number; None stays None."""
        kind = KINDS[self.kind]
        return number if number is None or kind.parse is None else kind.format(number)

    def _check_range(self, number: float) -> None:
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
    meaning: str, *, source: str = "", least: float | None = 0, above: float | None = None
) -> Setting:
    """A duration, stored in nanoseconds; zero is allowed unless `above` says otherwise."""
    return Setting("duration", meaning, source, least=least, above=above)


def share(meaning: str, *, source: str = "", most: float = 1.0) -> Setting:
    """A percentage, stored as a ratio between 0 and `most`."""
    return Setting("share", meaning, source, least=0.0, most=most)


def count(meaning: str, *, source: str = "", least: int = 1, most: int | None = None) -> Setting:
    """A whole number."""
    return Setting("count", meaning, source, least=least, most=most)


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


def _hints(cls: Any) -> dict[str, Any]:
    hints: dict[str, Any] = _hints_once(cls)
    return hints


@functools.cache
def _hints_once(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def setting_of(cls: type[Any], field: str) -> Setting | None:
    """The `Setting` annotation of a field of a settings class, if it has one."""
    for mark in getattr(_hints(cls)[field], "__metadata__", ()):
        if isinstance(mark, Setting):
            return mark
    return None


def field_hint(cls: type[Any], field: str) -> Any:
    """The type of one field of a settings class, with its annotations: what validates it alone."""
    return _hints(cls)[field]


def fields_by_user_name(cls: Any) -> dict[str, dataclasses.Field[Any]]:
    """The fields of a settings class under the names that users write; not to be changed."""
    found: dict[str, dataclasses.Field[Any]] = _fields_once(cls)
    return found


@functools.cache
def _fields_once(cls: Any) -> dict[str, dataclasses.Field[Any]]:
    return {user_name(f.name): f for f in dataclasses.fields(cls)}


def meaning_of(cls: type[Any], field: str) -> str:
    """What a field means: its `Setting`'s meaning and source, else the text below the field."""
    setting = setting_of(cls, field)
    if setting is not None:
        return setting.description()
    for base in cls.__mro__:
        if hasattr(base, "__dataclass_fields__") and field in (texts := _texts_below_fields(base)):
            return texts[field]
    return ""


@functools.cache
def _texts_below_fields(cls: Any) -> dict[str, str]:
    """The string literals that follow the fields in the source of a class."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):  # no source at hand: no texts
        return {}
    body = typing.cast(ast.ClassDef, tree.body[0]).body
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def members_of(hint: Any) -> tuple[type[Any], ...]:
    """The settings classes that occur in a type: through unions, tuples and dicts."""
    if isinstance(hint, type) and hasattr(hint, "__pydantic_config__"):
        return (hint,)
    inner = (hint.__origin__,) if hasattr(hint, "__metadata__") else typing.get_args(hint)
    return tuple(dict.fromkeys(cls for arg in inner for cls in members_of(arg)))


def settings_classes(root: type[Any]) -> tuple[type[Any], ...]:
    """`root` and every settings class that is reachable from it, each once, top down."""
    found: dict[type[Any], None] = {root: None}
    queue = [root]
    for cls in queue:
        for hint in _hints(cls).values():
            for member in members_of(hint):
                if member not in found:
                    found[member] = None
                    queue.append(member)
    return tuple(found)


def plain(value: Any) -> Any:
    """A settings object as plain data in the users' names and text forms: ``interval: 30s``.

    The data can be written as JSON or YAML; `from_plain` reads it back to an equal object.
    """
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    return {
        name: written(type(value), field.name, getattr(value, field.name))
        for name, field in fields_by_user_name(type(value)).items()
    }


def written(cls: type[Any], field: str, value: Any) -> Any:
    """The value of one field as plain data, in the text form of its unit."""
    for mark in getattr(_hints(cls)[field], "__metadata__", ()):
        if hasattr(mark, "write"):
            return mark.write(value)
    return plain(value)


def from_plain(cls: type[C], data: Any) -> C:
    """The settings object of `plain` data, validated.

    Raises hasim.validation.SettingsError, a ValueError that names every bad field.
    """
    from hasim.validation import validate

    return validate(cls, data)


@dataclass(frozen=True)
class Name:
    """The annotation of a text that is one of the names that there are when it is read.

    As a Literal, but with names that can be added at run time.
    """

    what: str
    names: Callable[[], tuple[str, ...]]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import PydanticKnownError, core_schema

        def read(value: Any) -> str:
            if isinstance(value, str) and value in self.names():
                return value
            known = ", ".join(f"'{name}'" for name in self.names())
            raise PydanticKnownError("literal_error", {"expected": known})

        return core_schema.no_info_plain_validator_function(read)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.names())}


@dataclass(frozen=True)
class OneOrMore:
    """The annotation of a tuple for which users may write a single value instead of a list."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        def as_list(value: Any) -> Any:
            return value if value is None or isinstance(value, list | tuple) else [value]

        return core_schema.no_info_before_validator_function(as_list, handler(source))

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        many = handler(core)
        return {"anyOf": [many["items"], many]} if "items" in many else many


def _accept_single_values(cls: type[Any]) -> None:
    """Put `OneOrMore` on every ``tuple[X, ...]`` in the annotations of a class."""
    try:
        own = inspect.get_annotations(cls, eval_str=True)
    except NameError:  # names of an enclosing function: leave the class as it is
        return
    cls.__annotations__ = {name: _with_single_values(hint) for name, hint in own.items()}


def _with_single_values(hint: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hasattr(hint, "__metadata__"):
        inner = _with_single_values(hint.__origin__)
        return hint if inner is hint.__origin__ else Annotated[inner, *hint.__metadata__]
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return Annotated[hint, OneOrMore()]
    if origin is dict:
        return types.GenericAlias(dict, (args[0], _with_single_values(args[1])))
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(_with_single_values(arg) for arg in args)]  # noqa: UP007
    return hint


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

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        from hasim.choice import json_schema_of_choice

        return json_schema_of_choice(self, core, handler)
