"""The panic threshold against the tables of Envoy's documentation."""

from __future__ import annotations

import pytest

from hasim.services.balancing.guards import Guard
from hasim.services.balancing.guards.panic import find_panic, in_panic, level_health
from hasim.services.balancing.guards.screen import find_pool

# Per cent of P0 and P1 that is healthy; whether P0 and P1 are in panic; normalised total.
PUBLISHED = [
    (72, 100, False, False, 100),
    (71, 100, False, False, 100),
    (50, 100, False, False, 100),
    (25, 100, False, False, 100),
    (0, 100, False, False, 100),
    (72, 72, False, False, 100),
    (71, 71, False, False, 100),
    (50, 60, False, False, 100),
    (25, 25, True, True, 70),
    (5, 65, True, False, 98),
]


@pytest.mark.parametrize(("first", "second", "one", "other", "total"), PUBLISHED)
def test_the_published_table(first: int, second: int, one: bool, other: bool, total: int) -> None:
    panicking = [9, 9]
    assert find_panic(0.5, [first, second], [100, 100], panicking) == total
    assert panicking == [one, other]


def test_all_unhealthy_go_to_the_first_level_or_nowhere() -> None:
    panicking = [9, 9, 9]
    assert find_panic(0.5, [0, 0, 0], [0, 4, 4], panicking) == 0
    assert panicking == [0, 1, 0]
    assert find_panic(0.0, [0, 0, 0], [4, 4, 4], panicking) == 0
    assert panicking == [0, 0, 0]


def test_a_threshold_above_the_overprovisioning_counts_only_below_it() -> None:
    """With three of four available (105 %) the load can be carried: no panic at any threshold."""
    assert not in_panic(1.0, 3, 4, level_health(3, 4))
    assert in_panic(1.0, 2, 4, level_health(2, 4))


def pool_of(threshold: float, eligible: list[int], members: list[int], **ejected: int) -> list[int]:
    guards = [Guard(ejected=ejected.get(f"m{number}", 0)) for number in range(len(eligible))]
    pool = [9] * len(eligible)
    find_pool(threshold, eligible, members, guards, pool)
    return pool


def test_the_pool_is_who_is_eligible_and_not_ejected() -> None:
    assert pool_of(0.0, [1, 1, 0, 0], [1, 1, 1, 1], m1=1) == [1, 0, 0, 0]


def test_panic_takes_all_members_and_nobody_else() -> None:
    assert pool_of(0.5, [1, 0, 0, 0], [1, 1, 1, 0]) == [1, 1, 1, 0]
    assert pool_of(0.5, [1, 1, 0, 0], [1, 1, 1, 0]) == [1, 1, 0, 0]
    assert pool_of(0.5, [1, 1, 0, 0], [1, 1, 1, 0], m0=1) == [1, 1, 1, 0]
    assert pool_of(0.5, [0, 0], [1, 1]) == [1, 1]
    assert pool_of(0.0, [0, 0], [1, 1]) == [0, 0]
