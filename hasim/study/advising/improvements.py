"""What else could be done about the recommended setting, one thing at a time.

Each is the recommended point with one change that money or a vendor can make: what it is worth is
simulated like everything else, on the same faults.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hasim.scenario.loader import Loaded, from_data
from hasim.scenario.problems import ScenarioError
from hasim.services.detection.registry import SOURCES
from hasim.settings import plain
from hasim.simulation.settings import WorldSettings
from hasim.study.advising.candidates import Point, without_study
from hasim.units import format_duration, parse_duration


@dataclass(frozen=True)
class Improvement:
    """One change, in words, and the point that has it."""

    name: str
    point: Point


def improvements(loaded: Loaded, chosen: Point) -> list[Improvement]:
    """The changes that the scenario allows beside a point."""
    data = without_study(loaded)
    world = from_data(data, chosen.items(), source=loaded.source).scenario.world()
    found = []
    for name, change in _changes(data, world):
        point = {**copy.deepcopy(chosen), **change}
        try:
            changed = from_data(data, point.items(), source=loaded.source).scenario.world()
        except ScenarioError:
            continue
        if changed != world:
            found.append(Improvement(name, point))
    return found


def _changes(data: Mapping[str, Any], world: WorldSettings) -> Iterator[tuple[str, Point]]:
    if world.tiers:
        return  # which tier it is, is for the reader to vary
    yield from _detection(world)
    yield from _devices(world)
    dns = getattr(world.traffic.clients, "dns", None) if world.traffic.clients else None
    if dns is not None and dns.ttl_ns:
        yield "half the TTL of the name", {"traffic.clients.dns.ttl": _half(dns.ttl_ns)}
    yield "half the clients' timeout", {"traffic.timeout": _half(world.traffic.timeout_ns)}
    masters = data.get("masters")
    if isinstance(masters, list) and masters:
        like = masters[0]
        last = max(master.priority for master in world.masters) + 1
        own = {"id": "one-more", "like": like["id"], "priority": last, "standby": True}
        yield "one more standby", {"masters": [*copy.deepcopy(masters), own]}


def _detection(world: WorldSettings) -> Iterator[tuple[str, Point]]:
    own = world.detection
    probes = own.probes
    if probes is not None:
        more: Point = {"detection.interval": _half(probes.interval_ns)}
        if probes.fast_interval_ns:
            more["detection.fast_interval"] = _half(probes.fast_interval_ns)
        yield "checks twice as often", more
        if probes.timeout_ns:
            yield "half the timeout of checks", {"detection.timeout": _half(probes.timeout_ns)}
    if own.heartbeat_ns:
        yield "heartbeats twice as often", {"detection.heartbeat_interval": _half(own.heartbeat_ns)}
    names = [SOURCES.name_of(type(source)) for source in own.evidence]
    if "messages" not in names:
        yield "failed messages as evidence", {"detection.evidence": [*names, "messages"]}


def _devices(world: WorldSettings) -> Iterator[tuple[str, Point]]:
    """Fencing, transfer and promotion, each in half the time."""
    device = plain(world.fencing_device)
    promotion = plain(world.promotion)
    setup = plain(world.replication).get("setup")
    yield "a fencing device twice as fast", {"fencing_device.latency": _faster(device["latency"])}
    if world.fencing_device.fails:
        yield "a fencing device that never fails", {"fencing_device.fails": "0%"}
    yield "promotion in half the time", {"promotion.duration": _faster(promotion["duration"])}
    yield "a state transfer set up in half the time", {"replication.setup": _faster(setup)}


def _faster(law: Any) -> Any:
    """A law of durations with half its times, as a scenario writes it."""
    if isinstance(law, str):
        return _half(parse_duration(law))
    if isinstance(law, Mapping):
        return {
            key: _half(parse_duration(value)) if key in ("mean", "low", "high") else value
            for key, value in law.items()
        }
    return law


def _half(time_ns: int) -> str:
    return format_duration(time_ns // 2)
