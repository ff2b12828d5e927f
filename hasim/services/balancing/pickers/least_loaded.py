"""Least loaded: fewest messages in flight over weight, by a full scan."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request


def lighter(fleet: Fleet, one: int, other: int) -> bool:
    """Whether one master has fewer messages in flight over its weight than another."""
    # Cross-multiplied: compared without division.
    return fleet.in_flight[one] * fleet.weight[other] < fleet.in_flight[other] * fleet.weight[one]


def least_loaded(fleet: Fleet, request: Request) -> int:
    """The master with the least in flight over its weight.

    In flight counts everything sent and not yet answered, queued messages included
    (HAProxy leastconn: served + queued). A tie goes to the lowest index, the first in the
    scenario's order.
    """
    best = -1
    for index in range(len(fleet.weight)):
        if fleet.weight[index] > 0.0 and (best < 0 or lighter(fleet, index, best)):
            best = index
    return best


def least_loaded_of_tier(fleet: Fleet, tier: int) -> int:
    """The same among the masters of one priority; -1 if none of them may be picked."""
    best = -1
    for index in range(len(fleet.weight)):
        if (
            fleet.tier[index] == tier
            and fleet.weight[index] > 0.0
            and (best < 0 or lighter(fleet, index, best))
        ):
            best = index
    return best


def least_loaded_of_region(fleet: Fleet, region: int) -> int:
    """The same among the masters of one region; -1 if none of them may be picked."""
    best = -1
    for index in range(len(fleet.weight)):
        if (
            fleet.region[index] == region
            and fleet.weight[index] > 0.0
            and (best < 0 or lighter(fleet, index, best))
        ):
            best = index
    return best
