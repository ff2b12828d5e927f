"""A retry budget: retries are a share of messages, so that they cannot multiply an outage."""

from __future__ import annotations


class RetryBudget:
    """A token bucket: each message deposits `share` of a token, each retry takes one.

    `reserve` tokens are there at the start and cap what can be saved up. The share is Finagle's
    (RetryBudget: 20 %), the reserve is not: Finagle has a floor of 10 retries a second
    instead, and here tokens come from messages alone. A share of nothing allows nothing.
    `most_active` retries at most are under way at a time, their wait included (Envoy's circuit
    breaker max_retries; 0: no limit).
    """

    def __init__(self, share: float, reserve: float = 10.0, most_active: int = 0) -> None:
        self.share = share
        self.reserve = reserve
        self.most_active = most_active
        self.tokens = reserve if share > 0.0 else 0.0
        self.active = 0

    def deposit(self) -> None:
        """A message was sent for the first time."""
        self.tokens = min(self.reserve, self.tokens + self.share)

    def withdraw(self) -> bool:
        """Whether a retry is allowed; takes its token if so. Its end is told to `release`."""
        if self.tokens < 1.0 or 0 < self.most_active <= self.active:
            return False
        self.tokens -= 1.0
        self.active += 1
        return True

    def release(self) -> None:
        """A retry has ended, however it ended."""
        self.active -= 1
