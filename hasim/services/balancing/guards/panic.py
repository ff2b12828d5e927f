"""The panic threshold: with too few masters left, health is disregarded (Envoy).

Source: Envoy's documentation, load balancing: panic threshold, priority levels.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

OVERPROVISIONING = 140
"""Per cent: a level carries the whole load until less than 71.4 % of it is available."""


def level_health(available: int, members: int) -> int:
    """min(100, 140 x available / members): what a level can carry, in whole per cent."""
    return min(100, OVERPROVISIONING * available // members) if members > 0 else 0


def in_panic(threshold: float, available: int, members: int, total: int) -> bool:
    """Whether messages to one level go to all its members, available or not.

    If the levels together cannot carry the load (`total`, the sum of their health, is below
    100 per cent) and less than `threshold` (a share; 0: never) of this one is available.
    """
    return total < 100 and available < threshold * members


def find_panic(
    threshold: float,
    available: Sequence[int],
    members: Sequence[int],
    panicking: MutableSequence[int],
) -> int:
    """Set `panicking` (0 or 1) for each priority level; returns the normalised total health.

    `available` and `members` count masters by level. If nobody at all is available, only
    the first level with members is in panic: it gets everything.
    """
    total = 0
    for level in range(len(available)):
        total += level_health(available[level], members[level])
    first = True
    for level in range(len(available)):
        panicking[level] = 0
        if members[level] > 0:
            if (total > 0 or first) and in_panic(
                threshold, available[level], members[level], total
            ):
                panicking[level] = 1
            first = False
    return min(100, total)
