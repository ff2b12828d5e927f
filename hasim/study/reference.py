"""The settings of the control plane as a list, derived from their classes."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from hasim.settings import fields_by_user_name, meaning_of, setting_of
from hasim.study.replaying import ControlPlaneSettings


@dataclass(frozen=True)
class Described:
    """One setting: where it stands, what it may be, what it means, where it comes from."""

    service: str
    path: str
    kind: str
    choices: tuple[str, ...]
    default: str
    meaning: str
    source: str

    def plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)


def described() -> list[Described]:
    """Every setting of the four services, in the order in which they are written down."""
    return list(_of_group("", ControlPlaneSettings()))


def _of_group(prefix: str, group: Any) -> Iterator[Described]:
    hints = typing.get_type_hints(type(group), include_extras=True)
    for name, field in fields_by_user_name(type(group)).items():
        path, value = f"{prefix}{name}", getattr(group, field.name)
        if dataclasses.is_dataclass(value):
            yield from _of_group(f"{path}.", value)
            continue
        setting = setting_of(type(group), field.name)
        yield Described(
            service=path.partition(".")[0],
            path=path,
            kind=setting.kind if setting else "",
            choices=tuple(_literals(hints[field.name])),
            default=_as_text(setting.write(value) if setting else value),
            meaning=setting.meaning if setting else meaning_of(type(group), field.name),
            source=setting.source if setting else "",
        )


def _literals(hint: Any) -> Iterator[str]:
    """The values of all Literal types inside an annotation."""
    if typing.get_origin(hint) is Literal:
        yield from typing.get_args(hint)
        return
    for inner in typing.get_args(hint):
        yield from _literals(inner)


def _as_text(value: Any) -> str:
    """A default as users write it."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
