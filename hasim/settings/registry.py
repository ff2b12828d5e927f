"""What is chosen by name: that which hasim comes with, and users' own."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Named(Generic[T]):
    """Things by name, in the order in which they are listed.

    `what` says what they are, as in "a detector"; `shipped` are those that hasim comes
    with, whatever is registered.
    """

    def __init__(self, what: str, shipped: Mapping[str, Any]) -> None:
        self.what = what
        self.shipped: Mapping[str, Any] = MappingProxyType(dict(shipped))
        self.known: dict[str, Any] = dict(shipped)

    def register(self, name: str, item: Any) -> None:
        """Add one of one's own, to be chosen by name like the others.

        Worker processes import it by module and name, so it must stand at the top level of a
        module; with others, a study runs in this process alone. ValueError if there is one of
        that name, or if the name is none.
        """
        if name in self.known:
            raise ValueError(f"there is {self.what} {name!r} already")
        if not _NAME.fullmatch(name):
            raise ValueError(f"expected a name of a-z, 0-9 and '-' such as my-own, got {name!r}")
        self.known[name] = item

    def forget(self, name: str) -> None:
        """Take back what `register` added; shipped ones stay."""
        if name not in self.shipped:
            self.known.pop(name, None)

    def names(self) -> tuple[str, ...]:
        """The names of all."""
        return tuple(self.known)


class Registry(Named[T]):
    """Classes by name that are made of an object of their settings class.

    That is the type of the attribute `settings`; no two classes share one.
    """

    def register(self, name: str, item: type[Any]) -> None:
        """Add a class of one's own; ValueError also if it has no settings class of its own."""
        own = settings_class(item)
        if name not in self.known and own in self.settings().values():
            raise ValueError(f"{own.__name__} are the settings of {self.name_of(own)} already")
        super().register(name, item)

    def settings(self) -> Mapping[str, type[Any]]:
        """The settings class of each, by name."""
        return {name: settings_class(cls) for name, cls in self.known.items()}

    def name_of(self, own: type[Any]) -> str:
        """The name that goes with a settings class. KeyError if none does."""
        for name, cls in self.settings().items():
            if cls is own:
                return name
        raise KeyError(f"{own.__name__} are the settings of no {self.what.partition(' ')[2]}")

    def class_for(self, settings: object) -> Callable[..., T]:
        """The class that is made of these settings. KeyError if there is none."""
        made: Callable[..., T] = self.known[self.name_of(type(settings))]
        return made


_SETTINGS: dict[type[Any], type[Any]] = {}


def settings_class(cls: type[Any]) -> type[Any]:
    """The type of a class's attribute `settings`. ValueError if it is no settings class."""
    if cls not in _SETTINGS:
        try:
            own = typing.get_type_hints(cls).get("settings")
        except NameError as error:
            raise ValueError(f"{cls.__qualname__} must stand at the top level: {error}") from None
        if not isinstance(own, type) or not hasattr(own, "__pydantic_config__"):
            raise ValueError(f"{cls.__qualname__} has no attribute `settings` of a settings class")
        _SETTINGS[cls] = own
    return _SETTINGS[cls]
