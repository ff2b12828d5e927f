"""What is wrong with the places that a scenario names: those of targets, links, common causes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hasim.settings.validation import Where, nearest
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.faults import Fault, LinkFault
from hasim.simulation.settings.places import (
    EACH,
    LEVELS,
    Place,
    is_place,
    lies_in,
    place_named,
    place_of,
    places_at,
)
from hasim.units import format_percent

Found = Iterator[tuple[Where, str]]
GROUPS = ("clients", "observers", "all")
"""Who may be at the other end of links, beside masters and places."""


def place_problem(world: WorldSettings, target: str) -> str:
    """Why no master is at the place that a target names; empty if there is one."""
    places = [place_of(master) for master in world.all_masters]
    return _unknown(target, places, "no master")


def unknown_target(world: WorldSettings, target: str, others: Iterable[str]) -> str:
    """What to say of a target that is no name: the nearest, or the place that it names by half."""
    standing = [place_of(master) for master in world.all_masters]
    places = [place for level in LEVELS for place in places_at(level, standing)]
    for place in places:
        if target == place.partition(":")[2].rpartition("/")[2]:
            return f"no master {target!r}; did you mean {place}?"
    return f"no master {target!r}{nearest(target, [*others, *places])}"


def each_problem(world: WorldSettings, target: str) -> str:
    """Why `each-zone` and its like strike nobody; empty if they do."""
    level = target.removeprefix(EACH)
    if level not in LEVELS:
        return f"unknown level{nearest(target, [EACH + known for known in LEVELS])}"
    places = [place_of(master) for master in world.all_masters]
    if not list(places_at(level, places)):
        return f"no master says in which {level} it stands (masters.0.{level})"
    return ""


def spread_problems(world: WorldSettings, fault: Fault, where: Where) -> Found:
    """What is wrong with a fault's common causes, and the other end of links that it strikes."""
    yield from _common(world, fault, where)
    if isinstance(fault, LinkFault):
        yield from _other_end(world, fault, where)


def _other_end(world: WorldSettings, fault: LinkFault, where: Where) -> Found:
    """What is wrong with the other end of links."""
    ends = (fault.other,) if isinstance(fault.other, str) else fault.other
    if not ends:
        yield (*where, "other"), "needs at least one end"
    ids = [master.id for master in world.all_masters]
    everybody = list(_everybody(world))
    for end in ends:
        if is_place(end):
            message = _unknown(end, everybody, "nobody")
        else:
            known = [*ids, *GROUPS]
            message = "" if end in known else f"no end {end!r}{nearest(end, known)}"
        if message:
            yield (*where, "other"), message


def _common(world: WorldSettings, fault: Fault, where: Where) -> Found:
    """What is wrong with the shares of common causes."""
    shares = fault.common.shares
    if not shares:
        return
    if fault.target != "each" or fault.every is None:
        yield (*where, "common"), "is of the failures of each master: needs target each, and every"
    if fault.STRIKES != "masters":
        yield (*where, "common"), f"is of masters, and this kind strikes {fault.STRIKES}"
    if sum(shares.values()) > 1.0:
        got = format_percent(sum(shares.values()))
        yield (*where, "common"), f"shares must not be more than 100% together, got {got}"
    for level in shares:
        if message := each_problem(world, EACH + level):
            yield (*where, "common", level), message


def observer_problems(world: WorldSettings) -> Found:
    """Without a matrix, a control plane stands in a region where masters or clients are."""
    site = world.observer.region
    if not site or world.observer.third_site:
        return
    known = sorted({place[0] for place in _everybody(world, observers=False)})
    if place_named(site)[0] not in known:
        yield ("observer", "region"), f"no master or client is in {site!r}{nearest(site, known)}"


def _everybody(world: WorldSettings, *, observers: bool = True) -> Iterator[Place]:
    for master in world.all_masters:
        yield place_of(master)
    for region in world.client_regions:
        yield place_named(region)
    for tier in world.chain if observers else ():
        if tier.observer.region:
            yield place_named(tier.observer.region)


def _unknown(target: str, places: list[Place], who: str) -> str:
    if any(lies_in(place, target) for place in places):
        return ""
    level, _, name = target.partition(":")
    known = [found.partition(":")[2] for found in places_at(level, places)]
    if not known:
        return f"{who} says in which {level} it stands"
    return f"{who} is in {level} {name!r}{nearest(name, known)}"
