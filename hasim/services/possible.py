"""Clusters and settings that cannot be are refused before a service is built from them."""

from __future__ import annotations

import dataclasses
import typing
from collections import Counter
from collections.abc import Iterator
from typing import Any

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
    for place, partition in enumerate(cluster.partitions):
        where = ("cluster", "partitions", place, "owner")
        if partition.owner not in ids:
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
    for field in dataclasses.fields(value):
        inside = getattr(value, field.name)
        place = (*where, user_name(field.name))
        wrong = _wrong(setting_of(type(value), field.name), inside)
        if wrong:
            yield place, wrong
        named = _unnamed(field_hint(type(value), field.name), inside)
        if named:
            yield place, named
        yield from _settings(inside, place)


def _wrong(setting: Setting | None, value: Any) -> str:
    if setting is None or value is None:
        return ""
    try:
        setting.check(value)
    except ValueError as error:
        return str(error)
    return ""


def _unnamed(hint: Any, value: Any) -> str:
    """A text that is none of the names that a Literal allows."""
    if typing.get_origin(hint) is not typing.Literal or value in typing.get_args(hint):
        return ""
    known = [str(name) for name in typing.get_args(hint)]
    return f"unknown value {value!r}{nearest(str(value), known)}"
