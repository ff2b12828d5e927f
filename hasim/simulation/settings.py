"""What a simulated world is made of, as settings; laws and faults have files of their own."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.services.balancing.settings import BalancingSettings
from hasim.services.detection.settings import DetectionSettings
from hasim.services.failover.settings import FailoverSettings
from hasim.services.monitoring.settings import MonitorSettings
from hasim.settings import (
    Choice,
    bandwidth,
    count,
    duration,
    factor,
    rate,
    settings,
    share,
    size,
)
from hasim.simulation.clients.warm_up import WarmUp, WarmUpRule
from hasim.simulation.faults.settings import AnyFault, DurationLaw
from hasim.simulation.laws import Constant
from hasim.simulation.operations import AnyOperation
from hasim.units import MILLISECOND, SECOND


@settings
class StateSettings:
    """The state of the partition that a master owns at the start."""

    size_bytes: Annotated[int, size("Size of the state at the start.")] = 64 * 2**20
    write_bytes: Annotated[int, size("Bytes that each acknowledged (owned) message adds.")] = 4096


@settings
class MasterSettings:
    """One simulated master."""

    id: str
    """The name of the master, unique in the scenario."""
    region: str = "local"
    """The site that it stands in."""
    priority: Annotated[int, count("Order of preference: the lowest number first.")] = 1
    workers: Annotated[int, count("Messages that it serves at the same time.")] = 8
    weight: Annotated[
        float | None,
        factor("Its share of messages relative to others', as workers if not given."),
    ] = None
    queue: Annotated[
        int, count("Messages that wait for a worker at most; more are rejected.", least=0)
    ] = 200
    service: DurationLaw = Constant(mean_ns=20 * MILLISECOND)
    """The law of the time that a worker needs for a message."""
    health: Literal["shallow", "deep"] = "shallow"
    """The health endpoint answers while the process lives, or (deep) through the queue."""
    state: StateSettings = StateSettings()
    """The state of its partition."""
    absent: bool = False
    """No part of the cluster until the operation `add`: owns nothing, gets nothing."""


@settings
class JitterTrace:
    """Recorded round-trip times: each value over its pair's median is a ratio to draw from."""

    trace: str
    """A CSV file, relative to the scenario file."""
    column: str
    """The column with the round-trip times (any unit: only ratios are used)."""
    pair: tuple[str, ...] = ()
    """The columns that name a pair; the median is taken per pair. Empty: one pair."""


@settings
class JitterLaw:
    """A lognormal factor with mean 1 on each crossing."""

    law: Literal["lognormal"] = "lognormal"
    cv: Annotated[float, factor("Coefficient of variation of the factor.")] = 0.1


@settings
class FixedRtt:
    """One round-trip time for every pair of sites."""

    rtt_ns: Annotated[int, duration("Median round-trip time.")]


@settings
class MatrixTrace:
    """Round-trip times between sites, from a CSV file."""

    matrix: str
    """A CSV file, relative to the scenario file."""
    source: str = "source"
    """The column with the first site."""
    destination: str = "destination"
    """The column with the second site."""
    column: str = "rtt"
    """The column with the round-trip time."""
    unit: Literal["ns", "us", "ms", "s"] = "ms"
    """The unit of that column."""


@settings
class NetworkSettings:
    """Links between sites; every probe, message, report, command and write crosses one."""

    rtt: Annotated[FixedRtt | MatrixTrace, Choice(tag="", text=FixedRtt, text_field="rtt")] = (
        FixedRtt(rtt_ns=10 * MILLISECOND)
    )
    """Median round-trip time: one duration for all pairs, or a matrix."""
    local_rtt_ns: Annotated[int, duration("Round-trip time inside one site.")] = MILLISECOND
    jitter: Annotated[JitterLaw | JitterTrace, Choice(tag="law")] | None = None
    """The factor by which a crossing is slower or faster than the median."""
    loss: Annotated[float, share("Probability that a packet is lost, each way.")] = 0.0
    bandwidth_bytes_per_s: Annotated[int, bandwidth("Bandwidth of a state transfer.")] = 200 * 2**20


@settings
class PoissonArrivals:
    """A Poisson process."""

    law: Literal["poisson"] = "poisson"
    rate_per_s: Annotated[float, rate("Mean number of messages per second.")]


@settings
class TraceArrivals:
    """Recorded arrival times; each replication replays a window at a random offset."""

    trace: str
    """A CSV file, relative to the scenario file."""
    column: str
    """The column with the arrival times."""
    unit: Literal["timestamp", "ns", "us", "ms", "s"] = "timestamp"
    """ISO 8601 time stamps, or numbers in this unit."""
    time_scale: Annotated[float, factor("Times are divided by this: 2 replays twice as fast.")] = (
        1.0
    )


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


@settings
class ObserverSettings:
    """Where the control plane stands."""

    region: str = ""
    """The site of the control plane. Empty: the region of the first master."""


@settings
class ReplicationSettings:
    """How acknowledged writes reach other masters."""

    copies: Annotated[
        int,
        count("Standbys that hold a copy of each partition, in order of priority.", least=0),
    ] = 2
    lag_ns: Annotated[
        int, duration("Time from acknowledgement to the standby's copy, besides the network.")
    ] = 20 * MILLISECOND


@settings
class FencingDeviceSettings:
    """The out-of-band power switch."""

    latency_ns: Annotated[int, duration("Time from the order to the confirmed power-off.")] = (
        2 * SECOND
    )
    fails: Annotated[float, share("Probability that an order fails.")] = 0.0
    restart_ns: Annotated[int, duration("Time until a fenced master is back, as a standby.")] = (
        60 * SECOND
    )


@settings
class RepairSettings:
    """Who cures faults."""

    crews: Annotated[
        int,
        count(
            "Repair crews: so many faults are being repaired at once, first come first served, "
            "and the others wait; 0: as many as there are faults.",
            least=0,
        ),
    ] = 0


@settings
class PromotionSettings:
    """What a promotion costs the master that is promoted."""

    duration_ns: Annotated[
        int, duration("Time from the order until it accepts writes and says so.")
    ] = 100 * MILLISECOND


@settings
class WorldSettings:
    """All that one simulated run is made of."""

    masters: tuple[MasterSettings, ...]
    """The masters; each that is not absent owns one partition at the start: p1, p2, ... in this
    order."""
    horizon_ns: Annotated[int, duration("Simulated time of one replication.", above=0)]
    network: NetworkSettings = NetworkSettings()
    """Latency, jitter and loss."""
    traffic: TrafficSettings = TrafficSettings()
    """The messages that clients send."""
    faults: tuple[AnyFault, ...] = ()
    """What goes wrong."""
    repair: RepairSettings = RepairSettings()
    """How many faults are repaired at a time."""
    operations: tuple[AnyOperation, ...] = ()
    """What operators do at run time."""
    replication: ReplicationSettings = ReplicationSettings()
    """Copies of the state."""
    fencing_device: FencingDeviceSettings = FencingDeviceSettings()
    """The power switch."""
    promotion: PromotionSettings = PromotionSettings()
    """What a promotion takes."""
    observer: ObserverSettings = ObserverSettings()
    """Where the control plane stands."""
    detection: DetectionSettings = DetectionSettings()
    """Failure detection."""
    failover: FailoverSettings = FailoverSettings()
    """Failover orchestration."""
    balancing: BalancingSettings = BalancingSettings()
    """Load balancing."""
    monitor: MonitorSettings = MonitorSettings()
    """High-availability monitoring."""
    warm_up: Annotated[WarmUp, WarmUpRule()] = "none"
    """What the measures of load (latency, attempts, rates, balance) leave out at the start: what
    arrives in a given time, or until MSER-5 finds the latencies steady. Source: White 1997."""
    data_plane: Literal["compiled", "reference"] = "compiled"
    """How messages are simulated: in compiled batches, or one SimPy process each. The results
    are the same; the reference is slower and easier to follow."""
