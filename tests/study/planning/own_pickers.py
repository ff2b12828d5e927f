"""An algorithm of a user's own, in a module that worker processes can import."""

from __future__ import annotations

from hasim.services.balancing import BalancingSettings
from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.registry import Algorithm


def highest(fleet: Fleet, request: Request) -> int:
    """The last master that may be picked."""
    fleet.counts[0] += 1
    return max((i for i, weight in enumerate(fleet.weight) if weight > 0.0), default=-1)


def one(masters: int, settings: BalancingSettings) -> int:
    """A single counter of memory."""
    return 1


HIGHEST = Algorithm("The last master.", highest, counts=one)
