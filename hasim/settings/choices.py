"""How a value picks one of several names or settings classes, and says why if it cannot."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hasim.settings.reading import fields_by_user_name, setting_of

TAG_MARK = "<"
"""First character of the members' labels in error locations: no user's key begins with it."""


@dataclass(frozen=True)
class Name:
    """The annotation of a text that is one of the names that there are when it is read.

    As a Literal, but with names that can be added at run time.
    """

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
        return _core_schema(self, source, handler)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return _json_schema(self, core, handler)


def label_of(member: type[Any]) -> str:
    """What pydantic calls the member in the location of an error."""
    return f"{TAG_MARK}{member.__name__}>"


def _core_schema(choice: Choice, source: Any, handler: Any) -> Any:
    """The pydantic-core schema: a tagged union whose tag is found by `pick`.

    A text form becomes a mapping first. What matches no member is refused
    with the kinds that exist and, for a misspelt one, the nearest.
    """
    from pydantic_core import core_schema

    members = typing.get_args(source)

    def prepare(value: Any) -> Any:
        if type(value) in members:
            return value
        if not isinstance(value, dict):
            return _from_text(choice, members, value)
        pick(choice, members, value)
        return value

    def discriminate(value: Any) -> str:
        member = type(value) if type(value) in members else pick(choice, members, value)
        return label_of(member)

    union = core_schema.tagged_union_schema(
        {label_of(member): handler.generate_schema(member) for member in members}, discriminate
    )
    return core_schema.no_info_before_validator_function(prepare, union)


def _json_schema(choice: Choice, core: Any, handler: Any) -> dict[str, Any]:
    """The JSON Schema: one of the members, or the text form if there is one."""
    union: dict[str, Any] = handler(core)
    if choice.text is None:
        return union
    field = fields_by_user_name(choice.text)[choice.text_field]
    setting = setting_of(choice.text, field.name)
    assert setting is not None, "the text form of a choice is a field with a unit"
    return {"anyOf": [setting.json_schema(), *union.get("oneOf", [union])]}


def pick(choice: Choice, members: tuple[type[Any], ...], data: dict[str, Any]) -> type[Any]:
    """The member that a mapping means; raises PydanticCustomError if none or several match."""
    if choice.tag and choice.tag in data:
        return _by_tag(choice, members, data[choice.tag])
    matching = [m for m in members if any(name in data for name in _required(m, choice.tag))]
    if len(matching) == 1:
        return matching[0]
    wanted = f"say which: {choice.tag}: {_alternatives(choice, members)}"
    if not choice.tag or not any(_tag_value(member, choice.tag) for member in members):
        wanted = f"expected {_forms(choice, members)}"
    raise _refusal(wanted)


def _by_tag(choice: Choice, members: tuple[type[Any], ...], tag: Any) -> type[Any]:
    kinds = {value: m for m in members if (value := _tag_value(m, choice.tag)) is not None}
    if isinstance(tag, str) and tag in kinds:
        return kinds[tag]
    near = difflib.get_close_matches(str(tag), kinds, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise _refusal(
        f"unknown {choice.tag} {tag!r}; {hint}(possible: {', '.join(kinds)})", choice.tag
    )


def _from_text(choice: Choice, members: tuple[type[Any], ...], value: Any) -> dict[str, Any]:
    if choice.text is None:
        raise _refusal(f"expected {_forms(choice, members)}, got {value!r}")
    field = fields_by_user_name(choice.text)[choice.text_field]
    setting = setting_of(choice.text, field.name)
    assert setting is not None, "the text form of a choice is a field with a unit"
    try:
        setting.read(value)
    except ValueError as problem:
        raise _refusal(f"{problem}, or {_forms(choice, members)}") from None
    mapping = {choice.text_field: value}
    kind = _tag_value(choice.text, choice.tag) if choice.tag else None
    return mapping if kind is None else {choice.tag: kind, **mapping}


def _tag_value(member: Any, tag: str) -> str | None:
    value: str | None = _tag_value_once(member, tag)
    return value


@functools.cache
def _tag_value_once(member: Any, tag: str) -> str | None:
    """The literal that marks a member, or None if it has no such field."""
    if not tag or tag not in fields_by_user_name(member):
        return None
    hint = typing.get_type_hints(member)[fields_by_user_name(member)[tag].name]
    return str(typing.get_args(hint)[0])


def _required(member: type[Any], tag: str) -> list[str]:
    return [
        name
        for name, field in fields_by_user_name(member).items()
        if name != tag
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]


def _alternatives(choice: Choice, members: tuple[type[Any], ...]) -> str:
    kinds = [value for m in members if (value := _tag_value(m, choice.tag)) is not None]
    others = [_form(choice, m) for m in members if _tag_value(m, choice.tag) is None]
    return ", or ".join([" | ".join(kinds), *others])


def _forms(choice: Choice, members: tuple[type[Any], ...]) -> str:
    """The mappings that a user can write: ``{law: poisson, rate: ...} or {trace: ...}``."""
    if len(members) > 3:
        return f"a mapping with {choice.tag}: {_alternatives(choice, members)}"
    return " or ".join(_form(choice, member) for member in members)


def _form(choice: Choice, member: type[Any]) -> str:
    kind = _tag_value(member, choice.tag)
    keys = [f"{name}: ..." for name in _required(member, choice.tag)]
    return "{" + ", ".join([f"{choice.tag}: {kind}"] * (kind is not None) + keys) + "}"


def _refusal(message: str, key: str = "") -> Exception:
    from pydantic_core import PydanticCustomError

    # The message goes in the context: pydantic would take its braces for placeholders.
    return PydanticCustomError("choice", "no member matches", {"text": message, "key": key})
