"""What is the user's own in a study: everything that is chosen by name and can be registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hasim.services.balancing.registry import ALGORITHMS, SHIPPED
from hasim.services.detection.registry import (
    CONFIRMATIONS,
    DETECTORS,
    DISTRUSTS,
    FLAPPINGS,
    SOURCES,
)
from hasim.services.failover.registry import FENCINGS
from hasim.services.failover.selection.rules import RULES

Known = tuple[dict[str, Any], Mapping[str, Any]]
"""Those that there are now, which can be added to, and those that hasim comes with."""
ALGORITHM = "a balancing algorithm"
KINDS: dict[str, Known] = {
    ALGORITHM: (ALGORITHMS, SHIPPED),
    **{
        own.what: (own.known, own.shipped)
        for own in (DETECTORS, SOURCES, CONFIRMATIONS, FLAPPINGS, DISTRUSTS, FENCINGS, RULES)
    },
}


@dataclass(frozen=True, slots=True)
class Own:
    """One thing of the user's own, by what it is (a key of `KINDS`) and its name."""

    what: str
    name: str

    @property
    def item(self) -> Any:
        """What is registered under the name. KeyError if nothing is."""
        return KINDS[self.what][0][self.name]


def own_parts(*data: Any) -> tuple[Own, ...]:
    """What scenarios, given as plain data, use that is not what hasim comes with."""
    own = [
        Own(what, name)
        for what, (known, shipped) in KINDS.items()
        for name, item in known.items()
        if item is not shipped.get(name)
    ]
    if not own:
        return ()
    written = {text for part in data for text in texts(part)}
    return tuple(one for one in own if one.name in written)


def texts(data: Any) -> Iterator[str]:
    """Every text that stands as a value in plain data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from texts(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from texts(value)
