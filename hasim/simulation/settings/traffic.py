"""Settings of the clients: when messages arrive, of what kind, and how long clients try."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import Choice, count, duration, factor, rate, settings, share
from hasim.simulation.settings.recordings import TraceArrivals
from hasim.units import MILLISECOND, SECOND


@settings
class PoissonArrivals:
    """A Poisson process."""

    law: Literal["poisson"] = "poisson"
    rate_per_s: Annotated[float, rate("Mean number of messages per second.")]


@settings
class RetrySettings:
    """What a client does after a failed attempt."""

    attempts: Annotated[int, count("Attempts at most, the first included.")] = 1
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
class KeySettings:
    """What messages are about (a session, a user, an object), for hashing and sticky sessions."""

    number: Annotated[int, count("How many keys there are.", most=10**7)]
    law: Literal["uniform", "zipf"] = "uniform"
    """All keys alike, or number k (from 1) in proportion to 1 / k^exponent."""
    exponent: Annotated[float, factor("The exponent of the law zipf.")] = 1.0


@settings
class TrafficSettings:
    """The messages that clients send."""

    arrivals: Annotated[PoissonArrivals | TraceArrivals, Choice(tag="law")] = PoissonArrivals(
        rate_per_s=20.0
    )
    """When messages arrive."""
    owned: Annotated[
        float, share("Share of messages that must reach the owner of their partition.")
    ] = 0.5
    vip: Annotated[float, share("Share of messages of the class VIP.")] = 0.0
    keys: KeySettings | None = None
    """The messages' keys. Without, each message is a key of its own."""
    regions: tuple[str, ...] = ()
    """Client regions, each with a gateway, sharing the messages evenly. Empty: the masters'."""
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
