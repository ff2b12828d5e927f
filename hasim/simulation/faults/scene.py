"""What faults reach of a world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.traps import Traps
from hasim.simulation.network import Network
from hasim.truth import Truth


@dataclass(frozen=True)
class Scene:
    """The parts that a fault can strike, and whom it tells of it.

    `gateways` and `observers` are endpoints; `owner_of` gives the owner of a partition in
    truth; `changed` is called when links are not what they were (masters tell by themselves).
    """

    masters: dict[str, SimMaster]
    network: Network
    gateways: frozenset[str]
    observers: frozenset[str]
    owner_of: Callable[[str], str]
    traps: Traps
    changed: Callable[[], None]
    record: Callable[[Truth], None]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    """The numbers of faults, in the order in which they begin."""
