"""Freezing a service to plain data and back, by the types of its fields.

What is frozen is JSON: dataclasses become mappings, enums their values, tuples
lists, sets sorted lists, numbers that are keys texts. `thaw` is told the type that
it shall give back. Fields that the constructor does not take (``init=False``) are
derived from the others and left out. Where several dataclasses may stand (a union of
them, or `OneOf`), the mapping says under `TAG` which one it is.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import types
import typing
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

TAG = "is"
"""The key that names the class of a value; no field can have this name."""
_SEQUENCES = (list, tuple, set, frozenset, deque)
_SCALARS = frozenset({str, int, float, bool, type(None)})
"""Most values by far: looked at first."""


@dataclass(frozen=True)
class OneOf:
    """The annotation of a value of one of several dataclasses, by the names that they are given.

    As a union, which names its members by their classes, but with members that can be
    added at run time: ``Annotated[Detector, OneOf(detectors)]``.
    """

    members: Callable[[], Mapping[str, type[Any]]]


def freeze(value: Any, hint: Any = Any) -> Any:
    """Plain data (JSON) of dataclasses, enums, mappings, sequences, sets, scalars.

    `hint` is the declared type of the value: it says where a tag is needed. Keys are texts or
    whole numbers, members of sets can be sorted. TypeError for a value that is none of the
    classes that may stand there.
    """
    if type(value) in _SCALARS:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = _hints(type(value))
        data = {name: freeze(getattr(value, name), hints[name]) for name in _fields(type(value))}
        members = _members(hint)
        return {TAG: _tag_of(value, members)} | data if members else data
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        kind = _inside(hint, 2)[1]
        return {str(key): freeze(item, kind) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(freeze(item) for item in value)
    if isinstance(value, list | tuple | deque):
        kinds = _inside(hint, len(value))
        return [freeze(item, kind) for item, kind in zip(value, kinds, strict=True)]
    return value


def thaw(hint: Any, data: Any) -> Any:
    """The value of type `hint` that ``freeze(value, hint)`` made `data` of.

    ValueError for a tag that is none of the classes that may stand there, and for data that have
    not all of a class's fields, or others: nothing is filled in with what may not have been so.
    """
    if type(hint) is type and hint in _SCALARS:
        return data
    members = _members(hint)
    if data is None or members:
        return None if data is None else _thaw_member(members, data)
    hint = _alone(hint)
    origin = _origin(hint)
    if origin is dict:
        key, kind = _inside(hint, 2)
        return {int(k) if key is int else k: thaw(kind, item) for k, item in data.items()}
    if origin in _SEQUENCES:
        kinds = _inside(hint, len(data))
        return origin(thaw(kind, item) for kind, item in zip(kinds, data, strict=True))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        if data.keys() != set(_fields(hint)):
            unlike = ", ".join(sorted(data.keys() ^ set(_fields(hint))))
            raise ValueError(f"{hint.__name__} has other fields now: {unlike}")
        return hint(**{name: thaw(hints[name], item) for name, item in data.items()})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    return data


@contextlib.contextmanager
def as_one_unreadable() -> Iterator[None]:
    """Whatever goes wrong inside while a snapshot is read is a ValueError that says so.

    So a snapshot of another version of hasim, or one that was changed since, is refused alike.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        what = f"without {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(
            f"the snapshot cannot be read: another version of hasim has made it, or it was changed "
            f"since ({what})"
        ) from error


def fingerprint(cluster: Any, *settings: Any) -> str:
    """A short digest of what a service is configured with, the same in every process."""
    said = [freeze(cluster), *map(repr, settings)]
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=8).hexdigest()


def _thaw_member(members: Mapping[str, type[Any]], data: dict[str, Any]) -> Any:
    tag = data.get(TAG)
    member = members.get(str(tag))
    if member is None:
        raise ValueError(f"frozen is {tag!r}; what can be restored here: {', '.join(members)}")
    return thaw(member, {name: item for name, item in data.items() if name != TAG})


def _tag_of(value: Any, members: Mapping[str, type[Any]]) -> str:
    for tag, member in members.items():
        if type(value) is member:
            return tag
    raise TypeError(f"{type(value).__name__} is none of {', '.join(members)}")


def _members(hint: Any) -> Mapping[str, type[Any]]:
    """The classes that need a tag to be told apart, by their tags."""
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, OneOf):
            return mark.members()
    return _union(hint) if _is_union(hint) else {}


@functools.cache
def _union(hint: Any) -> Mapping[str, type[Any]]:
    found: list[Any] = [arg for arg in typing.get_args(hint) if dataclasses.is_dataclass(arg)]
    return {member.__name__: member for member in found} if len(found) > 1 else {}


@functools.cache
def _alone(hint: Any) -> Any:
    """The type without annotations, and without None beside it."""
    while hasattr(hint, "__metadata__") or _is_union(hint):
        if _is_union(hint):
            hint = next(arg for arg in typing.get_args(hint) if arg is not types.NoneType)
        else:
            hint = hint.__origin__
    return hint


def _inside(hint: Any, count: int) -> tuple[Any, ...]:
    """The types of `count` things that a mapping, sequence or set holds; unknown ones are Any."""
    args = _arguments(hint)
    if not args:
        return (Any,) * count
    return args if len(args) == count and args[-1] is not Ellipsis else args[:1] * count


@functools.cache
def _arguments(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(_alone(hint))


@functools.cache
def _origin(hint: Any) -> Any:
    return typing.get_origin(hint)


@functools.cache
def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


@functools.cache
def _fields(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls) if field.init)


@functools.cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)
