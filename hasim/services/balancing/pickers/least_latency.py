"""Least latency: the master whose answers have come soonest lately."""

from __future__ import annotations

import math

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.latency import observe, sample_of
from hasim.services.balancing.pickers.least_loaded import goes_first
from hasim.services.balancing.pickers.turns import take_turn

UNKNOWN = -1e300


def rank_of(fleet: Fleet, index: int) -> float:
    """What orders masters at any time as their faded averages do: no exp for each at each pick.

    average x exp(-(now - then) / decay) grows with ln(average) + then / decay, whatever `now`;
    `values[n + i]` is that.
    """
    if fleet.values[index] == 0.0:
        return UNKNOWN
    return fleet.values[len(fleet.weight) + index]


def least_latency(fleet: Fleet, request: Request) -> int:
    """The lowest moving average, which fades while nothing is heard, so that all are tried again.

    A master without an average comes first. Ties: least in flight over weight, then
    in turns. Weights play no other part.
    """
    best, least = -1, 0.0
    for index in range(len(fleet.weight)):
        if fleet.weight[index] > 0.0:
            rank = rank_of(fleet, index)
            if best < 0 or rank < least or (rank == least and goes_first(fleet, index, best)):
                best, least = index, rank
    return take_turn(fleet, best)


def least_latency_ended(fleet: Fleet, index: int, now: int, elapsed_ns: int, failed: bool) -> None:
    """An attempt ended: its time goes into the average."""
    observe(fleet, index, now, sample_of(fleet, elapsed_ns, failed))
    rank = math.log(fleet.values[index]) + now / fleet.settings.decay_ns
    fleet.values[len(fleet.weight) + index] = rank
