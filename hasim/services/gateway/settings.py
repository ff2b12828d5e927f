"""Settings of the dispatcher: how long clients wait, and what else is sent if that was in vain."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from hasim.services.gateway.presets import RETRIES
from hasim.settings import count, duration, factor, settings, share
from hasim.settings.parts import PartsBeside
from hasim.settings.presets import Preset
from hasim.settings.registry import Named
from hasim.units import MILLISECOND, SECOND

Failure = Literal[
    "refused",
    "connect_timeout",
    "reset",
    "timeout",
    "error",
    "rejected",
    "not_owner",
    "overflow",
    "unroutable",
]
"""How an attempt can fail, as `Cause` has it: nobody listens; no connection in time; the connection
broke; no answer in time; an answer that says that it failed; the master's queue is full; it does
not own the partition; the gateway's limits leave no room; no master is eligible."""
FAILURES: tuple[Failure, ...] = get_args(Failure)


@settings
class RetryLayer:
    """What one layer of a client does after a failed attempt: an SDK, a proxy, an application."""

    attempts: Annotated[int, count("Attempts at most, the first included.", most=100)] = 1
    on: tuple[Failure, ...] = FAILURES
    """The failures after which it tries again (HAProxy retry-on, nginx proxy_next_upstream, Envoy
    retry_on). Each way in which an attempt can fail, unless given."""
    master: Literal["another", "same", "same-then-another", "pinned"] = "another"
    """Of stateless messages: a retry avoids the masters that failed the message; or it goes to the
    last one again as long as that is eligible; or so do all but the last retry (HAProxy's retries
    with option redispatch where a cookie binds requests); or it is `pinned` to the last one,
    whatever is known of that by now (HAProxy's retries without)."""
    backoff_ns: Annotated[
        int,
        duration(
            "The wait before the second attempt, its upper bound with jitter. A retry that would "
            "begin after the message's deadline (traffic.deadline) is not made.",
            source="Envoy base interval 25 ms; HAProxy 1 s at the same server; nginx none",
        ),
    ] = 100 * MILLISECOND
    growth: Annotated[
        float,
        factor(
            "What the wait is multiplied by for each further attempt; 1: a fixed pause.",
            source="Envoy, AWS SDK: 2; gRPC backoffMultiplier; HAProxy 1",
            above=None,
            least=1,
            most=10,
        ),
    ] = 2.0
    most_backoff_ns: Annotated[
        int,
        duration(
            "The wait grows up to here; 0s: without end.",
            source="Envoy ten times the base, AWS SDK 20 s",
        ),
    ] = 0
    jitter: Annotated[
        float,
        share(
            "The share of the wait that is drawn at random, from nothing on: 100% is full "
            "jitter, 50% equal jitter, 0% none.",
            source="Envoy, AWS SDK: full; HAProxy: none",
        ),
    ] = 1.0


@settings
class RetrySettings(RetryLayer, PartsBeside):
    """What clients do after a failed attempt.

    A preset is what a system does, and what stands beside it overrides it: ``{preset: haproxy,
    attempts: 2}``.
    """

    PRESETS: ClassVar[Named[Preset]] = RETRIES

    inner: RetryLayer | None = None
    """A layer below, such as an SDK under an application: each attempt of the layer above is so
    many of its own, so that 4 attempts with 3 each inside are 12."""
    budget: Annotated[
        float | None,
        share(
            "Retries at most, as a share of messages, beside the reserve: each message adds this "
            "much to its gateway's budget, each retry takes 1. 0%: no retries. Nothing limits "
            "them unless it is given.",
            source="Finagle and Linkerd RetryBudget 20 %; Envoy retry_budget 20 %, off by default",
        ),
    ] = None
    reserve: Annotated[
        float,
        factor(
            "Retries that the budget of a gateway, if there is one, has at the start, and can save "
            "up at most (less than 1: no retries). Only the share fills it up again: there is no "
            "floor of retries per second, as Finagle has (10 a second).",
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

    @property
    def total(self) -> int:
        """Attempts at most, of all layers."""
        return self.attempts * (1 if self.inner is None else self.inner.attempts)


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
class DnsSettings:
    """Clients ask a name where to send, and go by the answer for a while."""

    ttl_ns: Annotated[
        int,
        duration(
            "How long an answer holds. Each client asks with its first message after that.",
            source="Route 53: 60 s for records with health checks",
            above=0,
        ),
    ] = 60 * SECOND
    keepers: Annotated[
        float,
        share(
            "Clients that keep an answer longer.",
            source="the JVM's networkaddress.cache.ttl, resolvers with a least TTL",
        ),
    ] = 0.0
    kept_ns: Annotated[
        int, duration("For so long. 0s: until the end of the run.", source="JVM: for ever")
    ] = 0


@settings
class ConnectionSettings:
    """Clients keep connections open, and send over them until they break or are old.

    A refusal, a reset, a timeout and a message for another owner close one. A master that has died
    meanwhile resets it at its first use, so that the message fails; over a connection that is
    open there is no connect timeout.
    """

    lifetime_ns: Annotated[
        int,
        duration(
            "A connection is replaced after so long. 0s: it stays until it breaks.",
            source="HikariCP maxLifetime 30 min; Envoy max_connection_duration: none",
        ),
    ] = 0
    validate: bool = False
    """Connections are tested before they are used (HikariCP, test-on-borrow): a dead one costs no
    message, and a host that is off the connect timeout. The test takes no time of its own."""


@settings
class ClientSettings:
    """Clients that decide where to send for a while, rather than anew for each message.

    What a client asks is who may take messages by the routing table of its gateway: the master
    that the algorithm picks, or the owner of the partition.
    """

    number: Annotated[
        int, count("Clients of each gateway; each message comes from any of them.", most=10**6)
    ] = 100
    dns: DnsSettings | None = None
    """They go by the answers of a name server. Without, they ask whenever they connect."""
    connections: ConnectionSettings | None = None
    """They keep connections. Without, each attempt is one of its own."""


@settings
class HoldSettings:
    """Messages wait at the gateway while nobody may take them: during a failover, above all."""

    most: Annotated[
        int,
        count(
            "Attempts that a gateway holds at most. 0: none, they fail (unroutable).",
            source="PgBouncer PAUSE: no limit; Linkerd: 500 (queue)",
            least=0,
        ),
    ] = 0
    for_ns: Annotated[
        int,
        duration(
            "Each is held so long at most, then it has failed.",
            source="Linkerd failfast 3 s; PgBouncer query_wait_timeout 120 s",
            above=0,
        ),
    ] = 10 * SECOND


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
    connect_timeout_ns: Annotated[
        int,
        duration(
            "An attempt whose connection no host has accepted this long after it was sent has "
            "failed: what a host that is off, or cut off, does not do, and a process that hangs "
            "does. 0s: there is only the timeout.",
            source="HAProxy timeout connect (5 s usual), nginx proxy_connect_timeout 60 s",
        ),
    ] = 0
    deadline_ns: Annotated[
        int,
        duration(
            "A message counts as a success if answered this soon; no retry begins later. It may "
            "be shorter than the timeout of an attempt, whose answer then comes too late.",
            above=0,
        ),
    ] = 5 * SECOND
    retry: RetrySettings = RetrySettings()
    """Retries of a failed attempt."""
    hedge: HedgeSettings = HedgeSettings()
    """A second attempt beside the first, if that takes long."""
    hold: HoldSettings = HoldSettings()
    """Messages that nobody may take wait for a new owner or master. They are not held unless asked
    for."""
    clients: ClientSettings | None = None
    """Clients that keep names or connections. Without, each attempt goes where the routing table of
    the gateway sends it at that moment."""
