"""Who has room: breaker and limit of concurrency."""

from __future__ import annotations

from hasim.services.gateway.guards import Guard
from hasim.services.gateway.guards.guard import forget
from hasim.services.gateway.guards.screen import FULL, NOBODY, ROOM, narrow


def test_full_is_not_nobody() -> None:
    broken = Guard(opened=1, open_until_ns=100)
    pool = [1, 1, 1, 0]
    guards = [Guard(), broken, Guard(), Guard()]
    assert narrow(50, guards, [3, 0, 2, 0], 3, pool) == ROOM
    assert pool == [0, 0, 1, 0]
    pool = [1, 1, 0, 0]
    assert narrow(50, guards, [3, 0, 2, 0], 3, pool) == FULL
    assert pool == [0, 0, 0, 0]
    pool = [0, 1, 0, 0]
    assert narrow(50, guards, [3, 0, 2, 0], 3, pool) == NOBODY
    pool = [0, 1, 0, 0]
    assert narrow(100, guards, [3, 0, 2, 0], 3, pool) == ROOM


def test_without_a_limit_everybody_has_room() -> None:
    pool = [1, 1]
    assert narrow(0, [Guard(), Guard()], [10**9, 0], 0, pool) == ROOM
    assert pool == [1, 1]


def test_who_left_is_forgotten_but_for_the_totals() -> None:
    guard = Guard(1, 2, 3, 4, 1, 6, 7, 8, 9, 10, 11, 1, 13, 14)
    forget(guard)
    assert guard == Guard(back_ns=1, ejections=8, breaks=14)
