"""Which masters may take a stateless message now: health, ejection, panic, breaker, limits."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from hasim.services.balancing.guards.breaker import admits
from hasim.services.balancing.guards.guard import Guard
from hasim.services.balancing.guards.panic import in_panic, level_health

ROOM = 1
"""At least one master may take it."""
FULL = 0
"""At least one could take it, but has no room."""
NOBODY = -1
"""There is nobody to send it to."""


def find_pool(
    threshold: float,
    eligible: Sequence[int],
    members: Sequence[int],
    guards: Sequence[Guard],
    pool: MutableSequence[int],
) -> bool:
    """Set `pool` (0 or 1) to the masters that come into question; whether that is panic.

    They are those eligible and not ejected, or all `members` (part of the cluster and not
    drained) in panic: see `in_panic`, with all masters as one level.
    """
    available = total = 0
    for index in range(len(eligible)):
        may = eligible[index] and members[index]
        pool[index] = 1 if may and guards[index].ejected == 0 else 0
        available += pool[index]
        total += 1 if members[index] else 0
    if threshold > 0.0 and in_panic(threshold, available, total, level_health(available, total)):
        for index in range(len(members)):
            pool[index] = 1 if members[index] else 0
        return True
    return False


def narrow(
    now: int,
    guards: Sequence[Guard],
    in_flight: Sequence[int],
    max_concurrency: int,
    pool: MutableSequence[int],
) -> int:
    """Take those out of `pool` whose breaker is open or who have no room: ROOM, FULL or NOBODY.

    `max_concurrency` 0 is no limit.
    """
    found = NOBODY
    for index in range(len(pool)):
        if pool[index] == 0:
            continue
        if not admits(guards[index], now):
            pool[index] = 0
        elif 0 < max_concurrency <= in_flight[index]:
            pool[index] = 0
            found = max(found, FULL)
        else:
            found = ROOM
    return found
