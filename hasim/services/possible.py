"""Clusters and settings that cannot be are refused before a service is built from them."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from hasim.model import Cluster
from hasim.settings import Setting, SettingsError
from hasim.settings.declaring import user_name
from hasim.settings.reading import field_hint, setting_of
from hasim.settings.validation import Where, nearest


def check(cluster: Cluster, settings: Any) -> None:
    """Raise SettingsError with all that is wrong, each with its place."""
    problems = [*_cluster(cluster), *_settings(settings, ())]
    if problems:
        raise SettingsError(problems)


def _cluster(cluster: Cluster) -> Iterator[tuple[Where, str]]:
    ids = [master.id for master in cluster.masters]
    absent = {master.id for master in cluster.masters if master.absent}
    for what, names in (
        ("masters", ids),
        ("partitions", [partition.id for partition in cluster.partitions]),
        ("gateways", list(cluster.gateways)),
    ):
        for name, number in Counter(names).items():
            if number > 1:
                yield ("cluster", what), f"{name!r} is named {number} times"
    where: Where
    for place, master in enumerate(cluster.masters):
        where = ("cluster", "masters", place)
        if master.workers < 1:
            yield (*where, "workers"), f"must be at least 1, got {master.workers}"
        if master.weight is not None and not master.weight > 0:
            yield (*where, "weight"), f"must be greater than 0, got {master.weight}"
    known = set(ids)
    for place, partition in enumerate(cluster.partitions):
        where = ("cluster", "partitions", place, "owner")
        if partition.owner not in known:
            yield where, f"no master {partition.owner!r}{nearest(partition.owner, ids)}"
        elif partition.owner in absent:
            yield where, f"{partition.owner!r} is absent, and can own nothing"
    yield from _round_trips(cluster)


def _round_trips(cluster: Cluster) -> Iterator[tuple[Where, str]]:
    rows, masters = cluster.rtt_ns, len(cluster.masters)
    if rows and (len(rows) != len(cluster.gateways) or any(len(row) != masters for row in rows)):
        yield (
            ("cluster", "rtt"),
            f"expected {len(cluster.gateways)} rows (gateways) of {masters} times (masters)",
        )
    if any(time < 0 for row in rows for time in row):
        yield ("cluster", "rtt"), "must not be negative"


def _settings(value: Any, where: Where) -> Iterator[tuple[Where, str]]:
    """What lies outside the bounds of a settings object, and of those within it."""
    if isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _settings(item, (*where, number))
        return
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return
    for field in _fields(type(value)):
        inside = getattr(value, field.name)
        wrong = _wrong(field.setting, inside)
        if wrong:
            yield (*where, field.shown), wrong
        named = _unnamed(field.names, inside)
        if named:
            yield (*where, field.shown), named
        if type(inside) not in _SCALARS:
            yield from _settings(inside, (*where, field.shown))


_SCALARS = frozenset({str, int, float, bool, type(None)})
"""Most values by far: they hold no others."""


class _Field(NamedTuple):
    """A field of a settings class, as it is looked at: what is known of the class alone."""

    name: str
    shown: str
    setting: Setting | None
    names: tuple[Any, ...] | None
    """What a Literal allows, None if it is none."""


@functools.cache
def _fields(cls: type[Any]) -> tuple[_Field, ...]:
    hints = {field.name: field_hint(cls, field.name) for field in dataclasses.fields(cls)}
    literal = {n: h for n, h in hints.items() if typing.get_origin(h) is typing.Literal}
    return tuple(
        _Field(
            name,
            user_name(name),
            setting_of(cls, name),
            typing.get_args(literal[name]) if name in literal else None,
        )
        for name in hints
    )


def _wrong(setting: Setting | None, value: Any) -> str:
    if setting is None or value is None:
        return ""
    try:
        setting.check(value)
    except ValueError as error:
        return str(error)
    return ""


def _unnamed(names: tuple[Any, ...] | None, value: Any) -> str:
    """A text that is none of the names that a Literal allows."""
    if names is None or value in names:
        return ""
    known = [str(name) for name in names]
    return f"unknown value {value!r}{nearest(str(value), known)}"
