"""Plain data -> settings objects, with one clear line for everything that is wrong."""

from __future__ import annotations

import difflib
import functools
import re
import typing
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from hasim.settings.choices import TAG_MARK, label_of
from hasim.settings.reading import fields_by_user_name, members_of

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

C = TypeVar("C")
Where = tuple[str | int, ...]
"""Keys and list positions from the top of the data down to a value."""


class SettingsError(ValueError):
    """Data that is no valid settings object; `problems` holds (where, message) pairs."""

    def __init__(self, problems: Iterable[tuple[Where, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{dotted(where)}: {text}" for where, text in self.problems))


def dotted(where: Where) -> str:
    """A place as users write it: ``faults.0.kind``."""
    return ".".join(str(part) for part in where)


def nearest(word: str, words: Iterable[str], *, otherwise: str = "possible") -> str:
    """``; did you mean X?`` or, if nothing is near, the list of what is possible."""
    known = list(dict.fromkeys(words))
    near = difflib.get_close_matches(word.lower(), [w.lower() for w in known], n=1)
    if near:
        match = next(w for w in known if w.lower() == near[0])
        return f"; did you mean {match}?"
    return f"; {otherwise}: {', '.join(known)}" if known else ""


def adapter(cls: Any) -> TypeAdapter[Any]:
    """The validator of a settings class; made once."""
    made: TypeAdapter[Any] = _adapter_once(cls)
    return made


@functools.cache
def _adapter_once(cls: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(cls)


def from_plain(cls: type[C], data: Any) -> C:
    """The settings object of `plain` data, validated.

    Raises SettingsError, a ValueError that names every bad field.
    """
    from pydantic import ValidationError

    try:
        made: C = adapter(cls).validate_python(data)
        return made
    except ValidationError as error:
        found: dict[Where, list[str]] = {}
        for detail in error.errors(include_url=False):
            for where, text in _explained(cls, data, detail):
                texts = found.setdefault(where, [])
                if text not in texts:
                    texts.append(text)
        raise SettingsError((w, _merged(texts)) for w, texts in found.items()) from None


def _merged(texts: list[str]) -> str:
    """One message of the several that a union gives for one value."""
    if len(texts) == 2 and all(text.startswith("expected ") for text in texts):
        first, second = texts
        return f"{first.split(', got')[0]} or {second.removeprefix('expected ')}"
    return texts[0]


def _explained(cls: type[Any], data: Any, detail: ErrorDetails) -> Iterator[tuple[Where, str]]:
    """Where something is wrong, and what: several things in a part that was read by itself."""
    error = detail.get("ctx", {}).get("error")
    if not isinstance(error, SettingsError):
        yield _explain(cls, data, detail)
        return
    where = _place(data, detail)
    for inner, text in error.problems:
        yield _beside(data, where, inner), text


def _beside(data: Any, where: Where, inner: Where) -> Where:
    """The place of what stands inside of `where`, or beside it in the mapping that has it."""
    values = [data]
    for part in where:
        values.append(values[-1][part])
    for length in range(len(where), -1, -1):
        value = values[length]
        if inner and isinstance(value, dict) and inner[0] in value:
            return (*where[:length], *inner)
    return (*where, *inner)


def _explain(cls: type[Any], data: Any, detail: ErrorDetails) -> tuple[Where, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    where = _place(data, detail)
    got = _shown(detail["input"])
    match kind:
        case "value_error":
            return where, str(context["error"])
        case "choice":
            key = context["key"]
            return (*where, key) if key else where, context["text"]
        case "missing":
            return where, "is required and missing"
        case "unexpected_keyword_argument" | "extra_forbidden":
            return where, "unknown key" + nearest(str(where[-1]), _keys_at(cls, detail["loc"]))
        case "literal_error":
            words = re.findall(r"'([^']*)'", str(context["expected"]))
            return where, f"unknown value {got}" + nearest(str(detail["input"]), words)
    expected = _EXPECTED.get(kind)
    return where, f"expected {expected}, got {got}" if expected else f"cannot be {got}"


_EXPECTED = {
    "dataclass_type": "a mapping (key: value)",
    "dict_type": "a mapping (key: value)",
    "string_type": "text",
    "tuple_type": "a list",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _place(data: Any, detail: ErrorDetails) -> Where:
    """The part of pydantic's location that is a place in the data.

    Labels of union members, and steps into what a single value or a text form
    was turned into, lead nowhere in the data and are left out.
    """
    where: list[str | int] = []
    at = data
    loc = detail["loc"]
    for part in loc:
        inside = isinstance(at, dict) and part in at
        inside |= isinstance(at, list | tuple) and isinstance(part, int) and part < len(at)
        if inside:
            at = at[part]
            where.append(part)
    names_key = detail["type"] in ("missing", "unexpected_keyword_argument", "extra_forbidden")
    if names_key and where[-1:] != [loc[-1]]:
        where.append(loc[-1])
    return tuple(where)


def _keys_at(cls: type[Any], loc: Where) -> list[str]:
    """The keys that are known where the last part of `loc` is not."""
    classes: tuple[type[Any], ...] = (cls,)
    hint: Any = cls
    for part in loc[:-1]:
        if isinstance(part, str) and part.startswith(TAG_MARK):
            classes = tuple(c for c in classes if label_of(c) == part)
        elif isinstance(part, str) and len(classes) == 1:
            field = fields_by_user_name(classes[0]).get(part)
            if field is None:
                continue
            hint = typing.get_type_hints(classes[0], include_extras=True)[field.name]
            classes = members_of(hint)
    for mark in getattr(hint, "__metadata__", ()):
        if hasattr(mark, "keys"):
            return list(mark.keys())
    own = [name for c in classes for name in fields_by_user_name(c)]
    own += [name for c in classes for name in getattr(c, "names_beside", dict)()]
    return own + ["preset"] * any(getattr(c, "PRESETS", None) is not None for c in classes)
