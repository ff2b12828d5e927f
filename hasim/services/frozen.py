"""Freezing a service to plain data and back, by the types of its fields.

What is frozen is JSON: dataclasses become mappings, enums their values, tuples
lists. `thaw` is told the type that it shall give back.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from enum import Enum
from typing import Any


def freeze(value: Any) -> Any:
    """Plain data (JSON) of dataclasses, enums, mappings with text keys, sequences, scalars."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: freeze(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: freeze(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [freeze(item) for item in value]
    return value


def thaw(hint: Any, data: Any) -> Any:
    """The value of type `hint` that `freeze` made `data` of."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if data is None else thaw(next(a for a in args if a is not type(None)), data)
    if origin is dict:
        return {key: thaw(args[1], item) for key, item in data.items()}
    if origin is list:
        return [thaw(args[0], item) for item in data]
    if origin is tuple:
        return tuple(thaw(args[0], item) for item in data)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        return hint(**{name: thaw(hints[name], item) for name, item in data.items()})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    return data


@functools.cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls)
