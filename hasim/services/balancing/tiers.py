"""Tiers: groups of masters of one priority, the lowest number first."""

from __future__ import annotations

from collections.abc import Sequence

NO_TIER = -(2**62)


def next_tier(tier: Sequence[int], after: int) -> int:
    """The lowest number above `after` among all masters' tiers; `NO_TIER` if there is none."""
    found = NO_TIER
    for index in range(len(tier)):
        if tier[index] > after and (found == NO_TIER or tier[index] < found):
            found = tier[index]
    return found
