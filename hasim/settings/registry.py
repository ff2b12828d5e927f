"""Classes that are chosen by name, each with settings of its own: shipped ones and users' own."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Registry(Generic[T]):
    """Classes by name, in the order in which they are listed.

    Such a class is made of an object of its settings class, which is the type of its
    attribute `settings`; no two classes share one. `what` says what they are, as in
    "a detector". `shipped` are those that hasim comes with, whatever is registered.
    """

    def __init__(self, what: str, shipped: Mapping[str, type[Any]]) -> None:
        self.what = what
        self.shipped: Mapping[str, type[Any]] = MappingProxyType(dict(shipped))
        self.known = dict(shipped)
        self._settings: dict[str, type[Any]] = {}

    def register(self, name: str, cls: type[T]) -> None:
        """Add a class of one's own, to be chosen by name like the others.

        Worker processes import it by module and name, so it must stand at the top level of a
        module; with others, a study runs in this process alone. ValueError if there is one of
        that name, if the name is none, or if the class has no settings class of its own.
        """
        if name in self.known:
            raise ValueError(f"there is {self.what} {name!r} already")
        if not _NAME.fullmatch(name):
            raise ValueError(f"expected a name of a-z, 0-9 and '-' such as my-own, got {name!r}")
        own = settings_class(cls)
        if own in self.settings().values():
            raise ValueError(f"{own.__name__} are the settings of {self.name_of(own)} already")
        self.known[name] = cls

    def forget(self, name: str) -> None:
        """Take back what `register` added; shipped ones stay."""
        if name not in self.shipped:
            self.known.pop(name, None)
            self._settings.pop(name, None)

    def names(self) -> tuple[str, ...]:
        """The names of all."""
        return tuple(self.known)

    def settings(self) -> Mapping[str, type[Any]]:
        """The settings class of each, by name."""
        if len(self._settings) != len(self.known):
            self._settings = {name: settings_class(cls) for name, cls in self.known.items()}
        return self._settings

    def name_of(self, own: type[Any]) -> str:
        """The name that goes with a settings class. KeyError if none does."""
        for name, cls in self.settings().items():
            if cls is own:
                return name
        raise KeyError(f"{own.__name__} are the settings of no {self.what.partition(' ')[2]}")

    def class_for(self, settings: object) -> Callable[..., T]:
        """The class that is made of these settings. KeyError if there is none."""
        return self.known[self.name_of(type(settings))]


def settings_class(cls: type[Any]) -> type[Any]:
    """The type of a class's attribute `settings`. ValueError if it is no settings class."""
    try:
        own = typing.get_type_hints(cls).get("settings")
    except NameError as error:
        raise ValueError(f"{cls.__qualname__} must stand at the top level: {error}") from None
    if not isinstance(own, type) or not hasattr(own, "__pydantic_config__"):
        raise ValueError(f"{cls.__qualname__} has no attribute `settings` of a settings class")
    return own
