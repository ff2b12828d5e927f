"""Algorithms, settings, faults and operations as a list, derived from the settings classes."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hasim.scenario.schema import Scenario
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.detection.registry import (
    CONFIRMATIONS,
    DETECTORS,
    DISTRUSTS,
    FLAPPINGS,
    SOURCES,
)
from hasim.services.failover.registry import FENCINGS
from hasim.services.failover.selection.rules import RULES
from hasim.services.leadership.registry import LEADERS
from hasim.settings import (
    Choice,
    Name,
    Setting,
    field_hint,
    fields_by_user_name,
    meaning_of,
    members_of,
    setting_of,
    written,
)
from hasim.settings.kinds import COMMON, KINDS
from hasim.settings.parts import Part, part_in
from hasim.settings.presets import PRESET, Preset
from hasim.settings.registry import Named, Registry
from hasim.simulation.settings.faults import AnyFault, Fault
from hasim.simulation.settings.operations import AnyOperation, Operation

Cls = type[Any]
ORDER = ("detection", "failover", "balancing", "monitor", "traffic")
"""The groups that come first; the others follow as a scenario has them."""
OFF = "off"
"""The default of a group that is switched on by writing it."""
REST = "scenario"
"""The group of what stands by itself at the top of a scenario."""


@dataclass(frozen=True)
class Described:
    """One setting: where it stands, what it may be, what it means, where it comes from.

    `about` holds, for each of `choices`, what it does, or an empty text; `range` the bounds of
    a number, as users write them.
    """

    service: str
    path: str
    kind: str
    choices: tuple[str, ...]
    about: tuple[str, ...]
    default: str
    meaning: str
    source: str
    range: str = ""

    def plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)


def described() -> list[Described]:
    """Every setting of a scenario, group by group, in the order of their definition.

    What is in a member of a union (a law) stands where it occurs first.
    """
    seen: set[Cls] = set()
    groups: dict[str, list[Described]] = {name: [] for name in ORDER}
    for name, field in fields_by_user_name(Scenario).items():
        if name == "faults":
            meaning = "What goes wrong."
            rows = list(_of_kinds("faults", "kind", meaning, AnyFault, Fault, seen))
        elif name == "operations":
            meaning = "What operators do at run time."
            rows = list(_of_kinds("operations", "do", meaning, AnyOperation, Operation, seen))
        else:
            rows = list(_of_field(name, Scenario, field, _default_of(field), seen))
        group = name if any("." in row.path for row in rows) else REST
        own = [dataclasses.replace(row, service=group) for row in rows]
        groups.setdefault(group, []).extend(own)
    rest = groups.pop(REST)
    return [row for rows in (*groups.values(), rest) for row in rows]


_DETECTION: dict[str, Registry[Any]] = {
    "evidence": SOURCES,
    "detector": DETECTORS,
    "confirm": CONFIRMATIONS,
    "flapping": FLAPPINGS,
    "distrust": DISTRUSTS,
}


def _algorithms() -> dict[str, dict[str, str]]:
    """What each algorithm does, by the setting that chooses it."""
    return {
        **{
            f"detection.{field}": {name: _first(cls) for name, cls in parts.known.items()}
            for field, parts in _DETECTION.items()
        },
        "failover.fencing": {name: _first(cls) for name, cls in FENCINGS.known.items()},
        "failover.selection": {name: _first(rule) for name, rule in RULES.known.items()},
        "leadership.leader": {name: _first(cls) for name, cls in LEADERS.known.items()},
        "balancing.algorithm": {name: known.listed for name, known in ALGORITHMS.items()},
    }


def _of_kinds(
    group: str, tag: str, meaning: str, union: Any, base: Cls, seen: set[Cls]
) -> Iterator[Described]:
    """The kinds of a union, what they have in common, and then what each has besides."""
    kinds = {label_of(cls, tag): cls for cls in members_of(union)}
    about = tuple(_first(cls) for cls in kinds.values())
    yield Described(group, f"{group}.{tag}", "", tuple(kinds), about, "", meaning, "")
    common = fields_by_user_name(base)
    for name, field in common.items():
        if name != tag:
            yield from _of_field(f"{group}.{name}", base, field, _default_of(field), seen)
    for kind, cls in kinds.items():
        for name, field in fields_by_user_name(cls).items():
            if name not in (tag, *common):
                path = f"{group}.{kind}.{name}"
                yield from _of_field(path, cls, field, _default_of(field), seen)


def label_of(cls: Cls, tag: str) -> str:
    """What users write to choose a member of a union: its tag, else the field that only it has."""
    if tag in fields_by_user_name(cls):
        return next(_literals(field_hint(cls, tag)))
    required = (f for f in dataclasses.fields(cls) if _default_of(f) is dataclasses.MISSING)
    return next(required).name.removesuffix("_ns")


def _first(documented: Any) -> str:
    """The first line of a docstring."""
    return (documented.__doc__ or "").strip().splitlines()[0]


def _default_of(field: dataclasses.Field[Any]) -> Any:
    """The default of a field; MISSING if it must be given."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _of_field(
    path: str, cls: Cls, field: dataclasses.Field[Any], value: Any, seen: set[Cls]
) -> Iterator[Described]:
    """A field, or what is in the group or union that it holds; `value` is its default."""
    hint = field_hint(cls, field.name)
    members, choice, part = members_of(hint), _choice_in(hint), part_in(hint)
    if part is not None:
        names = [part.registry.name_of(type(one)) for one in _listed(value)]
        default = as_text(names if isinstance(value, tuple) else names[0])
        row = _described(path, cls, field.name, dataclasses.MISSING)
        yield dataclasses.replace(row, default=default)
        yield from _of_parts(path, cls, part, seen)
    elif choice is not None:
        yield _union(path, cls, field.name, value, choice)
        for member in members:
            if member not in seen:
                seen.add(member)
                yield from _of_member(path, choice, member, seen)
    elif len(members) == 1:
        if value is None:
            meaning = meaning_of(cls, field.name)
            yield Described("", path, "", (), (), OFF, meaning, "")
        elif isinstance(value, int):  # a number, or a group
            yield _described(path, cls, field.name, value)
        yield from _of_group(f"{path}.", members[0], value, seen)
    else:
        yield _described(path, cls, field.name, value)


def _listed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _of_parts(path: str, owner: Cls, part: Part, seen: set[Cls]) -> Iterator[Described]:
    """The settings of parts that are chosen by name: beside the choice, if no other has them."""
    group = path.rpartition(".")[0]
    beside = owner.names_beside()
    for kind, member in part.classes().items():
        for name, field in fields_by_user_name(member).items():
            alone = len(beside.get(name, ())) == 1
            place = f"{group}.{name}" if alone else f"{path}.{kind}.{name}"
            yield from _of_field(place, member, field, _default_of(field), seen)


def _of_group(prefix: str, cls: Cls, group: Any, seen: set[Cls]) -> Iterator[Described]:
    """The settings of a group, with the values of `group` (without one: those of the class)."""
    if presets := getattr(cls, "PRESETS", None):
        yield _of_presets(f"{prefix}{PRESET}", presets)
    for name, field in fields_by_user_name(cls).items():
        own = getattr(group, field.name) if isinstance(group, cls) else _default_of(field)
        yield from _of_field(f"{prefix}{name}", cls, field, own, seen)


def _of_presets(path: str, presets: Named[Preset]) -> Described:
    """The choice of a preset: each with what it sets and where that is documented."""
    known: Mapping[str, Preset] = presets.known
    about = tuple(
        f"{one.about} {as_text(one.settings)}. Source: {one.source}" for one in known.values()
    )
    meaning = "Settings of a real system under its own name; others beside it override them."
    return Described("", path, "", tuple(known), about, "", meaning, "")


def _union(path: str, cls: Cls, field: str, value: Any, choice: Choice) -> Described:
    """A union: its members are the choices."""
    members = members_of(field_hint(cls, field))
    default = OFF if value is None else ""
    if value is not None and value is not dataclasses.MISSING:
        default = as_text(written(cls, field, value))
    return Described(
        service="",
        path=path,
        kind="",
        choices=tuple(label_of(member, choice.tag) for member in members),
        about=tuple(map(_first, members)),
        default=default,
        meaning=meaning_of(cls, field),
        source="",
    )


def _of_member(path: str, choice: Choice, member: Cls, seen: set[Cls]) -> Iterator[Described]:
    """The settings of a member, but for the tag, and for the text form that has the path's name.

    Its own come first, then what it shares with others.
    """
    label, named = label_of(member, choice.tag), path.rpartition(".")[2]
    fields = fields_by_user_name(member).items()
    for name, field in sorted(fields, key=lambda one: one[1].name not in member.__annotations__):
        if name not in (choice.tag, named):
            yield from _of_field(f"{path}.{label}.{name}", member, field, _default_of(field), seen)


def _choice_in(hint: Any) -> Choice | None:
    """The `Choice` of a type that is a union of groups of settings, if it is one."""
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Choice):
            return mark
    if typing.get_origin(hint) in (typing.Union, types.UnionType, tuple):
        return next(filter(None, map(_choice_in, typing.get_args(hint))), None)
    return None


def _described(path: str, cls: Cls, field: str, value: Any) -> Described:
    setting, hint = setting_of(cls, field), field_hint(cls, field)
    part = part_in(hint)
    choices = tuple(part.classes() if part else dict.fromkeys(_literals(hint)))
    about = _algorithms().get(path, {})
    default = "" if value is dataclasses.MISSING or value is None else written(cls, field, value)
    return Described(
        service="",
        path=path,
        kind=setting.kind if setting else "",
        choices=choices,
        about=tuple(about.get(choice, "") for choice in choices),
        default=as_text(default),
        meaning=setting.meaning if setting else meaning_of(cls, field),
        source=setting.source if setting else "",
        range=_range(setting) if setting else "",
    )


def _range(setting: Setting) -> str:
    """The bounds of a number in words, but for what goes without saying."""
    show = KINDS[setting.kind].format

    def text(bound: float) -> str:
        return show(bound if setting.kind in ("share", "factor", "rate") else int(bound))

    parts = []
    if setting.above is not None:
        parts.append(f"above {text(setting.above) if setting.above else 0}")
    if setting.least:
        parts.append(f"from {text(setting.least)}")
    elif setting.least is not None and setting.above is None:
        parts.append("from 0")
    if setting.most is not None and setting.most != COMMON.get(setting.kind):
        parts.append(f"to {text(setting.most)}")
    return " ".join(parts)


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


def as_text(value: Any) -> str:
    """A default as users write it."""
    if value is dataclasses.MISSING or value in ({}, []):
        return ""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {as_text(item)}' for key, item in value.items())}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(as_text, value))}]"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
