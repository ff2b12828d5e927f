"""Places: a tree of regions, zones, racks and hosts, in which all who take part are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, Protocol

from hasim.settings import duration, settings, share

LEVELS = ("region", "zone", "rack", "host")
Level = Literal["region", "zone", "rack", "host"]
Place = tuple[str, str, str, str]
"""The names of region, zone, rack and host; empty where none is given."""
EACH = "each-"
"""`each-zone`: every zone by itself."""


class Standing(Protocol):
    """Whoever stands at a place."""

    @property
    def region(self) -> str:
        """Its region."""
        ...

    @property
    def zone(self) -> str:
        """Its zone in the region."""
        ...

    @property
    def rack(self) -> str:
        """Its rack in the zone."""
        ...

    @property
    def host(self) -> str:
        """Its host in the rack."""
        ...


@settings
class NearRttSettings:
    """Round-trip times of those who have more in common than the region."""

    zone_ns: Annotated[
        int | None, duration("Inside one zone; not given: as inside the region (local_rtt).")
    ] = None
    rack_ns: Annotated[int | None, duration("Inside one rack; not given: as inside the zone.")] = (
        None
    )
    host_ns: Annotated[int | None, duration("On one host; not given: as inside the rack.")] = None

    def rtt_ns(self, shared: int, otherwise_ns: int) -> int:
        """That of two who have so many levels in common, the region included."""
        found = otherwise_ns
        for level, given in enumerate((self.zone_ns, self.rack_ns, self.host_ns), 2):
            if given is not None and level <= shared:
                found = given
        return found


@settings
class CommonCauseSettings:
    """Failures that all masters of a place have at once, as shares of the failures of a master.

    The beta-factor model, with a factor for each level: of a master's failures a share beta strikes
    its whole zone (say), the rest itself alone; its own rate stays what it is. Source: Fleming,
    General Atomics GA-A13284, 1975; NUREG/CR-4780, 1988.
    """

    region: Annotated[float, share("Share that strikes the whole region.")] = 0.0
    zone: Annotated[float, share("Share that strikes the whole zone.")] = 0.0
    rack: Annotated[float, share("Share that strikes the whole rack.")] = 0.0
    host: Annotated[float, share("Share that strikes the whole host.")] = 0.0

    @property
    def shares(self) -> dict[str, float]:
        """The shares that are not zero, by level."""
        return {level: beta for level in LEVELS if (beta := getattr(self, level))}

    @property
    def alone(self) -> float:
        """The share of failures that strike one master by itself."""
        return 1.0 - sum(self.shares.values())


def place_of(one: Standing) -> Place:
    """Where somebody stands."""
    return (one.region, one.zone, one.rack, one.host)


def place_named(text: str) -> Place:
    """The place that is written as a path: ``eu``, ``eu/a``, ``eu/a/rack-1``."""
    names = text.split("/", len(LEVELS) - 1)
    region, zone, rack, host = (*names, "", "", "", "")[: len(LEVELS)]
    return (region, zone, rack, host)


def shared_levels(one: Place, other: Place) -> int:
    """How many levels two places have in common, down to the nearest place that holds both."""
    found = 0
    for level, (name, same) in enumerate(zip(one, other, strict=True), 1):
        if name != same:
            break
        if name:
            found = level
    return found


def is_place(target: str) -> bool:
    """Whether a target is the name of a place: ``zone:a``, ``rack:eu/a/1``."""
    level, colon, _ = target.partition(":")
    return bool(colon) and level in LEVELS


def lies_in(place: Place, target: str) -> bool:
    """Whether a place lies in the one that a target names, or names the end of its path."""
    level, _, name = target.partition(":")
    path = place[: LEVELS.index(level) + 1]
    if not path[-1]:
        return False
    # A name may have a slash of its own.
    return (
        name == path[-1]
        or "/".join(filter(None, path)).endswith(f"/{name}")
        or ("/".join(path) == name)
    )


def places_at(level: str, places: Iterable[Place]) -> Iterator[str]:
    """The targets that name all places of a level, each once, in the order of those within."""
    depth = LEVELS.index(level) + 1
    paths = dict.fromkeys(place[:depth] for place in places if place[depth - 1])
    for path in paths:
        yield f"{level}:{path[-1] if depth == 1 else '/'.join(path)}"
