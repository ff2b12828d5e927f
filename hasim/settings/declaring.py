"""`@settings` makes a class a group of settings, under the names that users write."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, dataclass_transform

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
