"""Algorithms, settings and fault kinds as a list, derived from registries and settings classes."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.detection.registry import DETECTORS
from hasim.services.failover.selection import RULES
from hasim.settings import Name, fields_by_user_name, meaning_of, members_of, setting_of
from hasim.simulation.faults.settings import AnyFault, Fault
from hasim.study.replaying import ControlPlaneSettings


@dataclass(frozen=True)
class Described:
    """One setting: where it stands, what it may be, what it means, where it comes from.

    `about` holds, for each of `choices`, what it does, or an empty text.
    """

    service: str
    path: str
    kind: str
    choices: tuple[str, ...]
    about: tuple[str, ...]
    default: str
    meaning: str
    source: str

    def plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)


def described() -> list[Described]:
    """Every setting of the four services and of the faults, in the order of their definition."""
    return [*_of_group("", ControlPlaneSettings()), *_of_faults()]


def _algorithms() -> dict[str, dict[str, str]]:
    """What each algorithm does, by the setting that chooses it."""
    return {
        "detection.detector": {name: _first(cls) for name, cls in DETECTORS.items()},
        "failover.selection": {name: _first(rule) for name, rule in RULES.items()},
        "balancing.algorithm": {name: known.about for name, known in ALGORITHMS.items()},
    }


def _of_faults() -> Iterator[Described]:
    """The kinds of faults, then the settings of a kind that the others do not have."""
    kinds = {kind_of(cls): cls for cls in members_of(AnyFault)}
    about = tuple(_first(cls) for cls in kinds.values())
    yield Described("faults", "faults.kind", "", tuple(kinds), about, "", "What goes wrong.", "")
    common = fields_by_user_name(Fault)
    for kind, cls in kinds.items():
        own = {n: f for n, f in fields_by_user_name(cls).items() if n not in common}
        for name, field in own.items():
            if name != "kind":
                yield _described(f"faults.{kind}.{name}", cls, field.name, field.default)


def kind_of(cls: type[Any]) -> str:
    """The name under which users write a kind of fault."""
    (name,) = _literals(typing.get_type_hints(cls)["kind"])
    return name


def _first(documented: Any) -> str:
    """The first line of a docstring."""
    return (documented.__doc__ or "").strip().splitlines()[0]


def _of_group(prefix: str, group: Any) -> Iterator[Described]:
    for name, field in fields_by_user_name(type(group)).items():
        path, value = f"{prefix}{name}", getattr(group, field.name)
        if dataclasses.is_dataclass(value):
            yield from _of_group(f"{path}.", value)
            continue
        yield _described(path, type(group), field.name, value)


def _described(path: str, cls: type[Any], field: str, value: Any) -> Described:
    setting = setting_of(cls, field)
    choices = tuple(_literals(typing.get_type_hints(cls, include_extras=True)[field]))
    about = _algorithms().get(path, {})
    return Described(
        service=path.partition(".")[0],
        path=path,
        kind=setting.kind if setting else "",
        choices=choices,
        about=tuple(about.get(choice, "") for choice in choices),
        default=_as_text(setting.write(value) if setting else value),
        meaning=setting.meaning if setting else meaning_of(cls, field),
        source=setting.source if setting else "",
    )


def _literals(hint: Any) -> Iterator[str]:
    """The values of all Literal types and names inside an annotation."""
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Name):
            yield from mark.names()
    if typing.get_origin(hint) is Literal:
        yield from typing.get_args(hint)
        return
    for inner in typing.get_args(hint):
        yield from _literals(inner)


def _as_text(value: Any) -> str:
    """A default as users write it."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
