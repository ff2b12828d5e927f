"""A budget: what may be sent beside first attempts is a share of messages.

So that retries, and second attempts beside slow ones, cannot multiply an outage.
"""

from __future__ import annotations

from dataclasses import dataclass

from hasim.services.gateway.settings import DispatcherSettings

ENDLESS = 1e18
"""So many tokens that one more or less is lost in rounding."""


@dataclass(slots=True)
class Budget:
    """A token bucket: each message deposits `share` of a token, each attempt beside it takes one.

    `reserve` tokens are there at the start and cap what can be saved up. The share is Finagle's
    (RetryBudget: 20 %), the reserve is not: Finagle has a floor of 10 retries a second
    instead, and here tokens come from messages alone. A share of nothing allows nothing.
    `active` are under way, their wait included, and `most_active` may be at most (Envoy's
    circuit breaker max_retries; 0: no limit). `cut` counts what was wanted and not allowed.

    The compiled data plane has a record with the same fields, which is why the functions below
    read and write fields instead of being methods.
    """

    share: float
    reserve: float
    most_active: int = 0
    tokens: float = 0.0
    active: int = 0
    cut: int = 0


def budget_of(share: float, reserve: float, most_active: int = 0) -> Budget:
    """A budget as it is at the start: its reserve is full."""
    return Budget(share, reserve, most_active, reserve if share > 0.0 else 0.0)


def retries_of(settings: DispatcherSettings) -> Budget:
    """The budget of a gateway's retries; nothing is ever missing in it unless one is asked for."""
    retry = settings.retry
    if retry.budget is None:
        return Budget(0.0, ENDLESS, retry.most_active, ENDLESS)
    return budget_of(retry.budget, retry.reserve, retry.most_active)


def hedges_of(settings: DispatcherSettings) -> Budget:
    """The budget of its second attempts."""
    hedge = settings.hedge
    return budget_of(hedge.budget if hedge.on else 0.0, hedge.reserve)


def deposit(budget: Budget) -> None:
    """A message was sent for the first time."""
    budget.tokens = min(budget.reserve, budget.tokens + budget.share)


def allows(budget: Budget) -> bool:
    """Whether one more attempt may be sent."""
    return budget.tokens >= 1.0 and (budget.most_active == 0 or budget.active < budget.most_active)


def withdraw(budget: Budget) -> None:
    """One that is allowed is decided upon, and active until `release` is told of its end."""
    budget.tokens -= 1.0
    budget.active += 1


def release(budget: Budget) -> None:
    """It has ended, however it ended."""
    budget.active -= 1
