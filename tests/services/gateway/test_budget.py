"""A retry budget at its ends: none at all, and practically no limit, as the help of it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.services.gateway.budget import RetryBudget


def retries_of(budget: RetryBudget, messages: int, each: int) -> int:
    """How many retries are allowed if all messages come first, and then each wants so many."""
    for _ in range(messages):
        budget.deposit()
    return sum(budget.withdraw() for _ in range(messages * each))


@pytest.mark.parametrize("share", [1e-5, 0.2, 1.0])
def test_a_reserve_that_is_never_used_up_is_no_limit(share: float) -> None:
    assert retries_of(RetryBudget(share, reserve=1e9), 1000, each=3) == 3000


def test_a_share_of_all_messages_alone_is_a_limit() -> None:
    assert retries_of(RetryBudget(1.0), 1000, each=1) == 10


@pytest.mark.parametrize(("share", "reserve"), [(0.0, 1e9), (1.0, 0.99)])
def test_no_share_or_less_than_one_in_reserve_allows_nothing(share: float, reserve: float) -> None:
    assert retries_of(RetryBudget(share, reserve=reserve), 1000, each=1) == 0


@given(st.floats(0, 1), st.integers(0, 400))
def test_a_retry_budget_never_allows_more_than_its_share(share: float, messages: int) -> None:
    budget, retries = RetryBudget(share), 0
    for _ in range(messages):
        budget.deposit()
        retries += budget.withdraw()
    assert retries <= 10 + share * messages
