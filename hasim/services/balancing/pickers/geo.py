"""Geo: by the expected round-trip time from the gateway, or by regions."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.latency import observe
from hasim.services.balancing.pickers.least_loaded import (
    goes_first,
    least_loaded,
    lightest_of_region,
)
from hasim.services.balancing.pickers.turns import take_turn


def geo(fleet: Fleet, request: Request) -> int:
    """The master with the least round-trip time.

    Masters equally far away (of one region) share by the least in flight over weight, in turns
    if they are alike in that as well.
    """
    return take_turn(fleet, nearest_of(fleet))


def nearest_of(fleet: Fleet) -> int:
    """The same, without its turn being taken."""
    rtt = fleet.rtt
    best = -1
    for index in range(len(fleet.weight)):
        if fleet.weight[index] > 0.0 and (
            best < 0
            or rtt[index] < rtt[best]
            or (rtt[index] == rtt[best] and goes_first(fleet, index, best))
        ):
            best = index
    return best


def share_of_region(fleet: Fleet, region: int) -> float:
    """Envoy's effective weight of a locality: its weight times its availability.

    The weight is the sum of its masters' configured weights, the availability what
    is available of its masters times the overprovisioning, 1 at most. Masters that are
    no part of the cluster do not count.
    """
    healthy, total, weight = 0, 0, 0.0
    for index in range(len(fleet.region)):
        if fleet.region[index] == region and fleet.member[index]:
            total += 1
            weight += fleet.base_weight[index]
            if fleet.available[index]:
                healthy += 1
    if total == 0:
        return 0.0
    return weight * min(1.0, fleet.settings.overprovisioning * healthy / total)


def geo_weighted_spillover(fleet: Fleet, request: Request) -> int:
    """A region drawn by effective weight, then its least loaded master.

    A region keeps its share until fewer than 71.4 % (at 140 %) of its masters are available;
    what it then cannot carry spills over to the others. Source: Envoy, locality_weight.rst.
    """
    regions = 0
    for index in range(len(fleet.region)):
        regions = max(regions, fleet.region[index] + 1)
    total = 0.0
    for region in range(regions):
        total += share_of_region(fleet, region)
    target = request.draws[0] * total
    for region in range(regions):
        target -= share_of_region(fleet, region)
        if target < 0.0:
            best = lightest_of_region(fleet, region)
            if best >= 0:
                return take_turn(fleet, best)
    # The region that was drawn has nobody else than masters that failed this message.
    return least_loaded(fleet, request)


def geo_hysteresis(fleet: Fleet, request: Request) -> int:
    """The nearest master, unless its score exceeds the best one's by more than the badness.

    Then the one with the best score. The score is a moving average of latency, forgotten
    every `snitch_reset`, so that whoever was bad is tried again. A master that was not heard of
    since has no score and is compared with nobody: the nearest stays, others are not preferred.
    Source: Cassandra, DynamicEndpointSnitch (there a median of recent samples, recomputed every
    100 ms).
    """
    score, total = fleet.values, len(fleet.weight)
    if request.now - fleet.counts[total] >= fleet.settings.snitch_reset_ns:
        fleet.counts[total] = request.now
        for index in range(total):
            score[index] = 0.0
    nearest = nearest_of(fleet)
    if nearest < 0 or score[nearest] == 0.0:
        return take_turn(fleet, nearest)
    best = nearest
    for index in range(total):
        if fleet.weight[index] > 0.0 and 0.0 < score[index] < score[best]:
            best = index
    exceeds = score[nearest] > score[best] * (1.0 + fleet.settings.badness)
    return take_turn(fleet, best if exceeds else nearest)


def geo_hysteresis_ended(fleet: Fleet, index: int, now: int, elapsed_ns: int, failed: bool) -> None:
    """An attempt ended: its time is a sample, unless it failed sooner than answers take."""
    if not failed or elapsed_ns > fleet.values[index]:
        observe(fleet, index, now, float(elapsed_ns))
