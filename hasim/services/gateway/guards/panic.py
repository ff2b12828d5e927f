"""The panic threshold: with too few masters left, health is disregarded (Envoy).

Source: Envoy's documentation, load balancing: panic threshold, priority levels.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from hasim.services.balancing.tiers import NO_TIER, next_tier

ALL = 2**62
"""All tiers as one level."""


def level_health(overprovisioning: int, available: int, members: int) -> int:
    """min(100, overprovisioning x available / members): what a level can carry.

    In whole per cent, as in Envoy; the overprovisioning as well (140: a level carries the
    whole load until less than 71.4 % of it is available).
    """
    return min(100, overprovisioning * available // members) if members > 0 else 0


def in_panic(threshold: float, available: int, members: int, total: int) -> bool:
    """Whether messages to one level go to all its members, available or not.

    If the levels together cannot carry the load (`total`, the sum of their health, is below
    100 per cent) and less than `threshold` (a share; 0: never) of this one is available.
    """
    return total < 100 and available < threshold * members


def next_level(tier: Sequence[int], tiered: int, after: int) -> int:
    """The level after another one, `NO_TIER` before the first and after the last.

    The levels are the tiers, or there is but one (`ALL`) if masters are not `tiered`.
    """
    if tiered != 0:
        return next_tier(tier, after)
    return ALL if after == NO_TIER else NO_TIER


def count_of_level(tier: Sequence[int], level: int, flags: Sequence[int]) -> int:
    """How many masters of a level have a flag."""
    count = 0
    for index in range(len(flags)):
        if flags[index] != 0 and (level == ALL or tier[index] == level):
            count += 1
    return count


def total_health(
    overprovisioning: int,
    tier: Sequence[int],
    tiered: int,
    members: Sequence[int],
    available: Sequence[int],
) -> int:
    """The normalised total: what all levels together can carry, 100 per cent at most."""
    total, level = 0, next_level(tier, tiered, NO_TIER)
    while level != NO_TIER:
        carried = count_of_level(tier, level, available)
        total += level_health(overprovisioning, carried, count_of_level(tier, level, members))
        level = next_level(tier, tiered, level)
    return min(100, total)


def admit_all_in_panic(
    threshold: float,
    overprovisioning: int,
    tier: Sequence[int],
    tiered: int,
    members: Sequence[int],
    pool: MutableSequence[int],
) -> bool:
    """Add to `pool`, the available masters, all members of the levels in panic; whether any is.

    A level of which nobody is available gets no messages, so that its panic means nothing; but
    if nobody is available anywhere, the first level that has members gets everything (so
    Envoy's documentation; its code spreads by the number of members then).
    """
    total = total_health(overprovisioning, tier, tiered, members, pool)
    nobody = count_of_level(tier, ALL, pool) == 0
    found, level = False, next_level(tier, tiered, NO_TIER)
    while level != NO_TIER:
        available = count_of_level(tier, level, pool)
        size = count_of_level(tier, level, members)
        if in_panic(threshold, available, size, total) and (nobody or available > 0):
            found = True
            for index in range(len(pool)):
                if members[index] != 0 and (level == ALL or tier[index] == level):
                    pool[index] = 1
            if nobody:
                return True
        level = next_level(tier, tiered, level)
    return found
