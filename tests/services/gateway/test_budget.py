"""A retry budget at its ends: none at all, and practically no limit, as the help of it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.services.gateway.budget import Budget, allows, budget_of, deposit, release, withdraw


def retries_of(budget: Budget, messages: int, each: int) -> int:
    """How many retries are allowed if all messages come first, and then each wants so many."""
    for _ in range(messages):
        deposit(budget)
    return sum(retried(budget) for _ in range(messages * each))


def retried(budget: Budget) -> bool:
    """Whether a retry was allowed, and so made."""
    if not allows(budget):
        return False
    withdraw(budget)
    return True


@pytest.mark.parametrize("share", [1e-5, 0.2, 1.0])
def test_a_reserve_that_is_never_used_up_is_no_limit(share: float) -> None:
    assert retries_of(budget_of(share, 1e9), 1000, each=3) == 3000


def test_a_share_of_all_messages_alone_is_a_limit() -> None:
    assert retries_of(budget_of(1.0, 10.0), 1000, each=1) == 10


@pytest.mark.parametrize(("share", "reserve"), [(0.0, 1e9), (1.0, 0.99)])
def test_no_share_or_less_than_one_in_reserve_allows_nothing(share: float, reserve: float) -> None:
    assert retries_of(budget_of(share, reserve), 1000, each=1) == 0


@given(st.floats(0, 1), st.integers(0, 400))
def test_a_retry_budget_never_allows_more_than_its_share(share: float, messages: int) -> None:
    budget, retries = budget_of(share, 10.0), 0
    for _ in range(messages):
        deposit(budget)
        retries += retried(budget)
    assert retries <= 10 + share * messages


def test_so_many_are_active_at_most() -> None:
    budget = budget_of(1.0, 100.0, most_active=2)
    assert [retried(budget) for _ in range(3)] == [True, True, False]
    release(budget)
    assert [retried(budget) for _ in range(2)] == [True, False]
    assert budget.tokens == 97.0
