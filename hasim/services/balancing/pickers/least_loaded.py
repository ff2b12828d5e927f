"""Least loaded: fewest messages in flight over weight, by a full scan."""

from __future__ import annotations

import math

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.turns import take_turn, waited_longer


def lighter(fleet: Fleet, one: int, other: int) -> bool:
    """Whether one master has fewer messages in flight over its weight than another."""
    # Cross-multiplied: compared without division.
    return fleet.in_flight[one] * fleet.weight[other] < fleet.in_flight[other] * fleet.weight[one]


def goes_first(fleet: Fleet, one: int, other: int) -> bool:
    """Whether one master is lighter than another, or as light and its turn comes before."""
    load = fleet.in_flight[one] * fleet.weight[other]
    others = fleet.in_flight[other] * fleet.weight[one]
    # Without branches, which a processor could not foresee: ties are frequent.
    return (load < others) | ((load == others) & waited_longer(fleet, one, other))


def lightest(fleet: Fleet) -> int:
    """The master with the least in flight over its weight, in turns if there are several."""
    # As `goes_first` has it, with what is known of the best at hand: this is most of a pick.
    weight, in_flight, counts = fleet.weight, fleet.in_flight, fleet.counts
    first = len(counts) - len(weight) - 1
    best, load, heavy, turn = -1, math.inf, 1.0, 0
    for index in range(len(weight)):
        own = weight[index]
        if own > 0.0:
            mine, others = in_flight[index] * heavy, load * own
            if (mine < others) | ((mine == others) & (counts[first + index] < turn)):
                best, load, heavy = index, float(in_flight[index]), own
                turn = counts[first + index]
    return best


def least_loaded(fleet: Fleet, request: Request) -> int:
    """The master with the least in flight over its weight.

    In flight counts everything that this gateway has sent and that is not yet answered, queued
    messages included (HAProxy leastconn: served + queued). Of several, the one that was picked
    longest ago.
    """
    return take_turn(fleet, lightest(fleet))


def lightest_of_tier(fleet: Fleet, tier: int) -> int:
    """The lightest among the masters of one priority; -1 if none of them may be picked."""
    best = -1
    for index in range(len(fleet.weight)):
        if (
            fleet.tier[index] == tier
            and fleet.weight[index] > 0.0
            and (best < 0 or goes_first(fleet, index, best))
        ):
            best = index
    return best


def lightest_of_region(fleet: Fleet, region: int) -> int:
    """The lightest among the masters of one region; -1 if none of them may be picked."""
    best = -1
    for index in range(len(fleet.weight)):
        if (
            fleet.region[index] == region
            and fleet.weight[index] > 0.0
            and (best < 0 or goes_first(fleet, index, best))
        ):
            best = index
    return best
