"""Settings of the load balancing service."""

from __future__ import annotations

from typing import Annotated

from hasim.services.balancing.chance import DRAWS
from hasim.services.balancing.names import names
from hasim.services.gateway.guards.breaker import BreakerSettings
from hasim.services.gateway.guards.limits import LimitSettings
from hasim.services.gateway.guards.outliers import OutlierSettings
from hasim.services.gateway.guards.slow_start import SlowStartSettings
from hasim.settings import Name, count, duration, factor, settings, share
from hasim.units import SECOND


@settings
class PowerSettings:
    """The algorithm power-aware: weights by what masters report of themselves."""

    report_interval_ns: Annotated[
        int,
        duration(
            "Each master reports rate, errors and utilisation to every gateway this often.",
            source="Envoy out-of-band reports, 10 s",
            above=0,
        ),
    ] = 10 * SECOND
    blackout_ns: Annotated[
        int,
        duration("A master's reports count this long after the first one.", source="gRPC A58"),
    ] = 10 * SECOND
    expiration_ns: Annotated[
        int, duration("A report older than this counts no more.", source="gRPC A58", above=0)
    ] = 180 * SECOND
    error_penalty: Annotated[
        float, factor("What an error rate of 100 % adds to the utilisation.", source="gRPC A58")
    ] = 1.0


@settings
class PrequalSettings:
    """The algorithm prequal: probes of requests in flight and latency."""

    pool: Annotated[
        int, count("Probes that a gateway keeps at most.", source="Prequal, 16", most=64)
    ] = 16
    age_ns: Annotated[
        int, duration("An older probe is forgotten.", source="Prequal, 1 s", above=0)
    ] = SECOND
    hot_quantile: Annotated[
        float,
        share(
            "A master is hot with more in flight than this quantile of the probes.",
            source="Prequal, 2^-0.25",
        ),
    ] = 2**-0.25
    probes: Annotated[
        int, count("Masters that each message has probed.", source="Prequal, 3", most=6)
    ] = 3
    removals: Annotated[float, factor("Probes that each message removes.", source="Prequal, 1")] = (
        1.0
    )
    delta: Annotated[
        float,
        factor(
            "How far uses of a probe exceed what keeps the pool as it is: (1 + delta) / "
            "((1 - pool / masters) x probes - removals) uses, 1 at least.",
            source="Prequal, 1",
        ),
    ] = 1.0


@settings
class BalancingSettings:
    """The algorithm, and how gateways and control plane keep each other informed."""

    algorithm: Annotated[str, Name(names)] = "round-robin"
    """Who takes a stateless message; an owned message goes to the owner of its partition."""
    reserve: Annotated[
        float,
        share(
            "Of each tier's workers, the share kept for VIP messages by the priority algorithm.",
        ),
    ] = 0.2
    overprovisioning: Annotated[
        float,
        factor(
            "A tier (priority-spillover) or region (geo-weighted-spillover) keeps all its messages "
            "while so many times its available masters are all its masters. Not available: not "
            "eligible, drained, ejected, or with an open breaker; absent or removed masters and "
            "those in maintenance are none of all.",
            source="Envoy, 140 %",
        ),
    ] = 1.4
    decay_ns: Annotated[
        int,
        duration(
            "Time in which what is known of latency fades to 1/e (least-latency, peak-ewma, "
            "geo-hysteresis).",
            source="Finagle PeakEwma, 10 s",
            above=0,
        ),
    ] = 10 * SECOND
    failure_penalty_ns: Annotated[
        int,
        duration(
            "A failed attempt counts as at least so long (least-latency, peak-ewma). 0s: as long "
            "as it was, so that fast failures look fast, as in Finagle.",
        ),
    ] = 0
    badness: Annotated[
        float,
        share(
            "By how much the nearest master's latency may exceed the best (geo-hysteresis).",
            source="Cassandra dynamic_snitch_badness_threshold, 0.1",
            most=100.0,
        ),
    ] = 0.1
    snitch_reset_ns: Annotated[
        int,
        duration(
            "Latencies are forgotten this often (geo-hysteresis).",
            source="Cassandra dynamic_snitch_reset_interval, 600 s",
            above=0,
        ),
    ] = 600 * SECOND
    choices: Annotated[
        int,
        count(
            "Masters drawn for each message (two-choices, two-choices-with-replacement).",
            source="Envoy, gRPC choice_count 2 (gRPC: 10 at most)",
            least=2,
            most=DRAWS,
        ),
    ] = 2
    ring_size: Annotated[
        int,
        count("Points on the hash ring, all masters together.", source="Envoy, 1024", most=2**20),
    ] = 1024
    table_size: Annotated[
        int,
        count(
            "Places of Maglev's table, a prime number.",
            source="Maglev, 65537",
            least=2,
            most=5_000_011,
        ),
    ] = 65537
    load_bound: Annotated[
        float,
        factor(
            "A master is full with so many times its fair share in flight (ring-hash-bounded, "
            "maglev-bounded).",
            source="HAProxy hash-balance-factor, 125 to 200 useful",
            above=1.0,
        ),
    ] = 1.25
    sessions: Annotated[
        int, count("Places of the session table (sticky).", least=1, most=2**24)
    ] = 65536
    power: PowerSettings = PowerSettings()
    """The algorithm power-aware."""
    prequal: PrequalSettings = PrequalSettings()
    """The algorithm prequal."""
    slow_start: SlowStartSettings | None = None
    """A master that is back gets its share little by little. `{}` for the defaults. No effect with
    ring-hash and maglev, where a key's master does not depend on load; with sticky and the bounded
    hashes as far as there is load."""
    panic_threshold: Annotated[
        float,
        share(
            "If less than this share of the masters is healthy and not ejected, and they cannot "
            "carry the load, stateless messages go to all masters; with the priority algorithms, "
            "to all of each such tier (if no tier has anybody left, of the first). 0%: never.",
            source="Envoy healthy_panic_threshold, 50 % there by default",
        ),
    ] = 0.0
    outliers: OutlierSettings | None = None
    """Gateways leave out masters whose messages fail. `{}` for Envoy's defaults."""
    breaker: BreakerSettings | None = None
    """A circuit breaker for each master at each gateway. `{}` for linkerd's defaults."""
    limits: LimitSettings = LimitSettings()
    """What a gateway sends at a time."""
    report_interval_ns: Annotated[
        int,
        duration(
            "A gateway with news reports at least this often; failures are reported at once.",
            above=0,
        ),
    ] = 10 * SECOND
    resend_interval_ns: Annotated[
        int,
        duration("A routing table that a gateway has not acknowledged is sent again.", above=0),
    ] = 1 * SECOND
