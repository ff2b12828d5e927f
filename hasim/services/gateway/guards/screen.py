"""Which masters may take a stateless message now: health, ejection, panic, breaker, limits."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from hasim.services.gateway.guards.breaker import admits
from hasim.services.gateway.guards.guard import Guard

ROOM = 1
"""At least one master may take it."""
FULL = 0
"""At least one could take it, but has no room."""
NOBODY = -1
"""There is nobody to send it to."""


def find_available(
    now: int,
    eligible: Sequence[int],
    members: Sequence[int],
    guards: Sequence[Guard],
    pool: MutableSequence[int],
    available: MutableSequence[bool],
) -> None:
    """Set `pool` to who is healthy (0 or 1), `available` to those of them whose breaker admits.

    Healthy: eligible by the routing, a member (part of the cluster and not drained), and not
    ejected. Panic goes by health, the shares of tiers and regions by who is available.
    """
    for index in range(len(eligible)):
        healthy = eligible[index] != 0 and members[index] != 0 and guards[index].ejected == 0
        pool[index] = 1 if healthy else 0
        available[index] = healthy and admits(guards[index], now)


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
