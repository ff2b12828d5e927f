"""Least latency: the master whose answers have come soonest lately."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.latency import faded, observe, sample_of
from hasim.services.balancing.pickers.least_loaded import lighter


def least_latency(fleet: Fleet, request: Request) -> int:
    """The lowest moving average, which fades while nothing is heard, so that all are tried again.

    A master without an average comes first. Ties: least in flight over weight, then
    the lowest index. Weights play no other part.
    """
    best, least = -1, 0.0
    for index in range(len(fleet.weight)):
        if fleet.weight[index] > 0.0:
            cost = faded(fleet, index, request.now)
            if best < 0 or cost < least or (cost == least and lighter(fleet, index, best)):
                best, least = index, cost
    return best


def least_latency_ended(fleet: Fleet, index: int, now: int, elapsed_ns: int, failed: bool) -> None:
    """An attempt ended: its time goes into the average."""
    observe(fleet, index, now, sample_of(fleet, elapsed_ns, failed))
