"""What is read off settings classes and objects: fields, meanings, members, plain data."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import itertools
import textwrap
import typing
from typing import Any

from hasim.settings.declaring import user_name
from hasim.settings.kinds import Setting


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
    """The settings classes that occur in a type: through unions, tuples and dicts.

    Where parts are chosen by name, those that there are now.
    """
    if isinstance(hint, type) and hasattr(hint, "__pydantic_config__"):
        return (hint,)
    for mark in getattr(hint, "__metadata__", ()):
        if hasattr(mark, "classes"):
            return tuple(mark.classes().values())
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
    if hasattr(value, "as_written"):
        return value.as_written()
    return {
        name: written(type(value), field.name, getattr(value, field.name))
        for name, field in fields_by_user_name(type(value)).items()
    }


def written(cls: type[Any], field: str, value: Any) -> Any:
    """The value of one field as plain data, in the text form of its unit; so is each of a list."""
    hint = _hints(cls)[field]
    for mark in getattr(hint, "__metadata__", ()):
        if hasattr(mark, "write"):
            return mark.write(value)
    inner = hint.__origin__ if hasattr(hint, "__metadata__") else hint
    items = typing.get_args(inner) if isinstance(value, tuple) else ()
    for mark in getattr(items[0], "__metadata__", ()) if items else ():
        if hasattr(mark, "write"):
            return [mark.write(item) for item in value]
    return plain(value)
