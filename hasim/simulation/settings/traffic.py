"""Settings of the clients: when messages arrive, and of what kind."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.services.gateway.settings import DispatcherSettings
from hasim.settings import Choice, count, duration, factor, rate, settings, share
from hasim.simulation.settings.recordings import TraceArrivals
from hasim.units import DAY, MINUTE


@settings
class PoissonArrivals:
    """A Poisson process."""

    law: Literal["poisson"] = "poisson"
    rate_per_s: Annotated[float, rate("Mean number of messages per second.")]


@settings
class ConstantArrivals:
    """Messages at equal distances, as load generators send them (wrk2, k6)."""

    law: Literal["constant"] = "constant"
    rate_per_s: Annotated[float, rate("Number of messages per second.")] = 20.0


@settings
class CurveArrivals:
    """A Poisson process whose rate follows a curve, over a day for instance."""

    law: Literal["curve"] = "curve"
    rates_per_s: tuple[Annotated[float, rate("Messages per second.")], ...]
    """The rates at points in equal distances over the period, the first at its beginning; linear
    between them, and from the last one to the first."""
    period_ns: Annotated[int, duration("How long it takes until all repeats.", above=0)] = DAY
    starts_ns: Annotated[int, duration("How far in its period the curve is when a run begins.")] = 0


@settings
class KeySettings:
    """What messages are about (a session, a user, an object), for hashing and sticky sessions."""

    number: Annotated[int, count("How many keys there are.", most=10**7)]
    law: Literal["uniform", "zipf"] = "uniform"
    """All keys alike, or number k (from 1) in proportion to 1 / k^exponent."""
    exponent: Annotated[float, factor("The exponent of the law zipf.")] = 1.0
    active_ns: Annotated[
        int,
        duration(
            "A key that no message was about for so long is inactive: the time until the next "
            "one counts neither for nor against user-uptime.",
            source="Hauer et al., NSDI 2020 (Gmail: 30 minutes)",
            above=0,
        ),
    ] = 30 * MINUTE


@settings
class RequestSettings(DispatcherSettings):
    """What somebody asks of a tier, and what is done about each request."""

    owned: Annotated[
        float,
        share(
            "Share of requests that must reach the owner of their partition; 0%: a tier without "
            "state, in which no master owns anything."
        ),
    ] = 1.0


@settings
class TrafficSettings(RequestSettings):
    """The messages that clients send, and what gateways do about each."""

    arrivals: Annotated[
        PoissonArrivals | ConstantArrivals | CurveArrivals | TraceArrivals, Choice(tag="law")
    ] = PoissonArrivals(rate_per_s=20.0)
    """When messages arrive."""
    owned: Annotated[
        float,
        share(
            "Share of messages that must reach the owner of their partition; 0%: a tier without "
            "state, in which no master owns anything."
        ),
    ] = 0.5
    vip: Annotated[float, share("Share of messages of the class VIP.")] = 0.0
    client_errors: Annotated[
        float,
        share(
            "Share of messages that are wrong in themselves (HTTP 4xx): they are served like the "
            "others, and answered with a client error, which is no failure of the service: "
            "nobody tries again, no evidence counts it, and `success` takes it for an answer."
        ),
    ] = 0.0
    keys: KeySettings | None = None
    """The messages' keys. Without, each message is a key of its own."""
    regions: tuple[str, ...] = ()
    """Client regions, each with a gateway, sharing the messages evenly. Empty: the masters'."""
