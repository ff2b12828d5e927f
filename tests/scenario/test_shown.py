"""Every kind of fault, law and setting of clients is listed, in the schema, and in a scenario."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from hasim.scenario.catalogue import shipped, systems
from hasim.scenario.document import read_document
from hasim.scenario.schema import json_schema
from hasim.services.gateway.settings import (
    ClientSettings,
    ConnectionSettings,
    DnsSettings,
    HedgeSettings,
    HoldSettings,
    RetryLayer,
    RetrySettings,
)
from hasim.settings import fields_by_user_name, settings_classes
from hasim.simulation.laws import Law
from hasim.simulation.settings.faults import AnyFault, Fault
from hasim.simulation.settings.masters import ColdSettings
from hasim.simulation.settings.network import BurstSettings, NetworkSettings
from hasim.simulation.settings.places import NearRttSettings
from hasim.simulation.settings.traffic import (
    ConstantArrivals,
    CurveArrivals,
    KeySettings,
    PoissonArrivals,
    TraceArrivals,
    TrafficSettings,
)
from hasim.study.reference import described

SCHEMA = json_schema()["$defs"]
PATHS = {row.path for row in described()}
KINDS = {
    typing.get_args(typing.get_type_hints(cls)["kind"])[0]: cls
    for cls in typing.get_args(typing.get_args(AnyFault)[0])
}
LAWS = (*typing.get_args(Law), PoissonArrivals, ConstantArrivals, CurveArrivals)
CLIENTS: dict[str, type[Any]] = {
    "traffic": TrafficSettings,
    "retry": RetrySettings,
    "inner": RetryLayer,
    "hedge": HedgeSettings,
    "clients": ClientSettings,
    "dns": DnsSettings,
    "connections": ConnectionSettings,
    "hold": HoldSettings,
    "keys": KeySettings,
    "network": NetworkSettings,
    "bursts": BurstSettings,
    "near": NearRttSettings,
    "cold_start": ColdSettings,
}


def mappings(value: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All mappings in a document, each with the key that it stands under."""
    if isinstance(value, dict):
        yield name, value
        for key, each in value.items():
            *_, before, last = ("", *str(key).split("."))
            if before:  # of what is varied: a path
                yield before, {last: each}
            yield from mappings(each, last)
    elif isinstance(value, list):
        for each in value:
            yield from mappings(each, name)


FILES = (*shipped().values(), *systems().values())
FOUND = [pair for path in FILES for pair in mappings(read_document(path).data)]


def written(name: str) -> set[str]:
    """The keys that stand under a name in some scenario."""
    return {key for own, found in FOUND if own == name for key in found}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_faults(kind: str) -> None:
    """With each setting that it has beside those of all kinds."""
    cls = KINDS[kind]
    own = set(fields_by_user_name(cls)) - set(fields_by_user_name(Fault)) - {"kind"}
    shown = {key for _, found in FOUND if found.get("kind") == kind for key in found}
    varied = {key for name, found in FOUND if name.isdecimal() for key in found}
    assert any(found.get("kind") == kind for _, found in FOUND)
    assert own <= shown | varied
    assert SCHEMA[cls.__name__]["properties"].keys() >= own
    assert any(path.startswith("faults.") for path in PATHS)
    listed = {choice for row in described() if row.path == "faults.kind" for choice in row.choices}
    assert kind in listed


@pytest.mark.parametrize("cls", LAWS, ids=lambda cls: cls.__name__)
def test_laws(cls: type[Any]) -> None:
    law = next(field.default for field in dataclasses.fields(cls) if field.name == "law")
    assert any(found.get("law") == law for _, found in FOUND)
    assert SCHEMA[cls.__name__]["properties"]["law"]["const"] == law
    assert law in {choice for row in described() for choice in row.choices}


def test_no_settings_of_clients_are_forgotten() -> None:
    """All that traffic has, but for what is recorded, which is a part of other tests."""
    assert set(settings_classes(TrafficSettings)) <= {*CLIENTS.values(), *LAWS, TraceArrivals}


@pytest.mark.parametrize("name", CLIENTS)
def test_settings_of_clients_and_links(name: str) -> None:
    own = set(fields_by_user_name(CLIENTS[name]))
    assert own - written(name) == set()
    assert own <= SCHEMA[CLIENTS[name].__name__]["properties"].keys()
    for key in own:
        assert any(f".{path}.".endswith(f".{name}.{key}.") or f".{name}.{key}." in f".{path}."
                   for path in PATHS), key  # fmt: skip
