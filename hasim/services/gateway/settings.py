"""Settings of the dispatcher: how long clients wait, and what else is sent if that was in vain."""

from __future__ import annotations

from typing import Annotated

from hasim.settings import count, duration, factor, settings, share
from hasim.units import MILLISECOND, SECOND


@settings
class RetrySettings:
    """What a client does after a failed attempt."""

    attempts: Annotated[int, count("Attempts at most, the first included.", most=100)] = 1
    backoff_ns: Annotated[
        int,
        duration(
            "Upper bound of the wait before the second attempt, doubled for each further one "
            "without an upper limit; drawn with full jitter. A retry that would begin after the "
            "message's deadline (traffic.deadline) is not made.",
            source="Envoy base interval 25 ms, full jitter; there ten times the base at most",
        ),
    ] = 100 * MILLISECOND
    budget: Annotated[
        float,
        share(
            "Retries at most, as a share of messages, beside the reserve: each message adds this "
            "much to its gateway's budget, each retry takes 1. 0%: no retries. Practically no "
            "limit: any other share with a reserve that no run uses up (reserve: 1000000000).",
            source="Finagle RetryBudget 20 %",
        ),
    ] = 0.2
    reserve: Annotated[
        float,
        factor(
            "Retries that a gateway's budget has at the start, and can save up at most (less than "
            "1: no retries). Only the share fills it up again: there is no floor of retries per "
            "second, as Finagle has (10 a second).",
        ),
    ] = 10.0
    most_active: Annotated[
        int,
        count(
            "Retries under way at a gateway at most, their wait included; 0: no limit.",
            source="Envoy circuit breakers max_retries (default 3)",
            least=0,
        ),
    ] = 0


@settings
class HedgeSettings:
    """A second attempt beside the first: whichever is answered first counts.

    Of stateless messages only. The other one is given up by the client; the master, which
    does not know, goes on with it.
    """

    after_ns: Annotated[
        int, duration("Wait for an answer so long before the second attempt. 0s: no hedging.")
    ] = 0
    quantile: Annotated[
        float,
        share(
            "Wait for this quantile of the gateway's latest latencies instead (and for `after`, if "
            "any, before there are a hundred). 0%: no.",
            source="Dean, Barroso 2013: 95 %",
        ),
    ] = 0.0
    budget: Annotated[
        float,
        share(
            "Second attempts at most, as a share of messages.",
            source="Dean, Barroso 2013: about 5 % more load",
        ),
    ] = 0.05
    reserve: Annotated[
        float, factor("Second attempts that the budget has at the start, and can save up at most.")
    ] = 10.0

    @property
    def on(self) -> bool:
        """Whether there is any hedging."""
        return self.after_ns > 0 or self.quantile > 0.0


@settings
class DispatcherSettings:
    """What a gateway does with each message until it is answered or has failed."""

    timeout_ns: Annotated[
        int,
        duration(
            "An attempt without an answer this long after it was sent has failed. One that waits "
            "at the gateway for room (balancing.limits.max_queue) gives up after this time as "
            "well, and has all of it again once it is sent, as with HAProxy's timeout queue and "
            "timeout server.",
            above=0,
        ),
    ] = 2 * SECOND
    deadline_ns: Annotated[
        int,
        duration(
            "A message counts as a success if answered this soon; no retry begins later.", above=0
        ),
    ] = 5 * SECOND
    retry: RetrySettings = RetrySettings()
    """Retries of a failed attempt."""
    hedge: HedgeSettings = HedgeSettings()
    """A second attempt beside the first, if that takes long."""
