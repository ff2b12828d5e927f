"""Priority tiers: the best tier that can carry the message, VIP messages first."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.least_loaded import (
    goes_first,
    least_loaded,
    lightest_of_tier,
)
from hasim.services.balancing.pickers.turns import take_turn
from hasim.services.balancing.tiers import NO_TIER, next_tier


def priority(fleet: Fleet, request: Request) -> int:
    """The least loaded master of the lowest tier number that has room.

    A master has room for an ordinary message while fewer than (1 - reserve) of its
    workers are taken, and for a VIP message while any is free: what is kept back
    lets VIP messages in first, and ordinary ones spill over to the next tier. If
    no tier has room, the least loaded of all takes the message.
    """
    tier, workers = fleet.tier, fleet.workers
    best = -1
    spill = -1
    for index in range(len(fleet.weight)):
        if fleet.weight[index] <= 0.0:
            continue
        room = workers[index] * (1.0 if request.vip else 1.0 - fleet.settings.reserve)
        if fleet.in_flight[index] < room and (
            best < 0
            or tier[index] < tier[best]
            or (tier[index] == tier[best] and goes_first(fleet, index, best))
        ):
            best = index
        if spill < 0 or goes_first(fleet, index, spill):
            spill = index
    return take_turn(fleet, best if best >= 0 else spill)


def health_of_tier(fleet: Fleet, tier: int) -> float:
    """Envoy's health of a priority: available over all, times the overprovisioning, 1 at most.

    0 if nobody of the tier is a part of the cluster.
    """
    healthy, total = 0, 0
    for index in range(len(fleet.tier)):
        if fleet.tier[index] == tier and fleet.member[index]:
            total += 1
            if fleet.available[index]:
                healthy += 1
    if total == 0:
        return 0.0
    return min(1.0, fleet.settings.overprovisioning * healthy / total)


def priority_spillover(fleet: Fleet, request: Request) -> int:
    """A tier drawn by Envoy's shares, then its least loaded master.

    Each tier takes its health over the sum of all healths (1 at most), the lowest tier
    number first, until all is given out; so with 140 % a tier keeps everything until
    fewer than 71.4 % of its masters are available. With nobody available anywhere (panic) the
    first tier takes all. Source: Envoy, priority.rst (there in whole percents, here exact).
    """
    total, tier = 0.0, next_tier(fleet.tier, NO_TIER)
    while tier != NO_TIER and total < 1.0:
        total += health_of_tier(fleet, tier)
        tier = next_tier(fleet.tier, tier)
    target = request.draws[0] * min(1.0, total)
    tier = next_tier(fleet.tier, NO_TIER)
    while tier != NO_TIER:
        target -= health_of_tier(fleet, tier)
        if target < 0.0 or total == 0.0:
            best = lightest_of_tier(fleet, tier)
            if best >= 0:
                return take_turn(fleet, best)
        tier = next_tier(fleet.tier, tier)
    # The tier that was drawn has nobody else than masters that failed this message.
    return least_loaded(fleet, request)


def priority_all_or_nothing(fleet: Fleet, request: Request) -> int:
    """The least loaded master of the lowest tier number in which any may be picked.

    Source: gRPC A56 (without its failover timer of 10 s: who is eligible is decided elsewhere).
    """
    best = -1
    for index in range(len(fleet.weight)):
        if fleet.weight[index] > 0.0 and (
            best < 0
            or fleet.tier[index] < fleet.tier[best]
            or (fleet.tier[index] == fleet.tier[best] and goes_first(fleet, index, best))
        ):
            best = index
    return take_turn(fleet, best)
