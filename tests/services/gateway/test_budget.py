"""A retry budget at its ends: none at all, and practically no limit, as the help of it says."""

from __future__ import annotations

import math

import numpy as np
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


@pytest.mark.parametrize("reserve", [1, 3, 10])
def test_of_a_budget_of_all_messages_chance_cuts_one_retry_in_reserve_and_one(reserve: int) -> None:
    """Each message wants one retry, a second later; Poisson arrivals, 150 a second.

    Tokens are a symmetric random walk on 0..c that its ends hold back, at each level equally long:
    a retry finds none with probability 1 / (c + 1). How many are cut has a variance of at most
    2/3 for each message (that of what holds back a Brownian motion of variance 2 between two
    walls: R. J. Williams, Asymptotic variance parameters for the boundary local times of reflected
    Brownian motion on a compact interval, 1992).
    """
    messages = 200_000
    sent_s = np.cumsum(np.random.default_rng(1).exponential(1 / 150, messages))
    is_retry = np.repeat([False, True], messages)[np.argsort(np.append(sent_s, sent_s + 1.0))]
    budget, cut = budget_of(1.0, float(reserve)), 0
    for retry in is_retry.tolist():
        if not retry:
            deposit(budget)
        elif not retried(budget):
            cut += 1
    error = math.sqrt(2 / 3 / messages)
    assert cut / messages == pytest.approx(1 / (reserve + 1), abs=3.3 * error)


def test_so_many_are_active_at_most() -> None:
    budget = budget_of(1.0, 100.0, most_active=2)
    assert [retried(budget) for _ in range(3)] == [True, True, False]
    release(budget)
    assert [retried(budget) for _ in range(2)] == [True, False]
    assert budget.tokens == 97.0
