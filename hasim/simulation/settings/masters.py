"""Settings of the masters: capacity, state, its copies, what a promotion and a power cut take."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import Choice, count, duration, factor, settings, share, size
from hasim.simulation.laws import Constant, DurationLaw, Law
from hasim.simulation.settings.acknowledging import Acknowledging, Asynchronous
from hasim.simulation.settings.recordings import SampleFile
from hasim.units import MILLISECOND, SECOND

ServiceLaw = Annotated[Law | SampleFile, Choice(tag="law", text=Constant, text_field="mean")]
"""A law of durations, or recorded ones: ``{trace: log.csv, column: seconds, unit: s}``."""


@settings
class StateSettings:
    """The state of the partition that a master owns at the start."""

    size_bytes: Annotated[int, size("Size of the state at the start.")] = 64 * 2**20
    write_bytes: Annotated[int, size("Bytes that each acknowledged (owned) message adds.")] = 4096


@settings
class ColdSettings:
    """A master whose caches are cold after its return from a crash or a power cut."""

    factor: Annotated[
        float,
        factor(
            "How many times as long service takes at first; then linearly less.",
            above=None,
            least=1,
        ),
    ]
    for_ns: Annotated[int, duration("Until service takes as long as ever.", above=0)]


@settings
class MasterSettings:
    """One simulated master."""

    id: str
    """The name of the master, unique in the scenario."""
    region: str = "local"
    """The region that it stands in. A place inside may be named as well, down to the host: faults
    strike places, and who has more in common is nearer (`network.near`)."""
    zone: str = ""
    """The zone in the region."""
    rack: str = ""
    """The rack in the zone."""
    host: str = ""
    """The host in the rack."""
    priority: Annotated[int, count("Order of preference: the lowest number first.")] = 1
    workers: Annotated[int, count("Messages that it serves at the same time.", most=10**5)] = 8
    weight: Annotated[
        float | None,
        factor("Its share of messages relative to others', as workers if not given."),
    ] = None
    queue: Annotated[
        int, count("Messages that wait for a worker at most; more are rejected.", least=0)
    ] = 200
    service: ServiceLaw = Constant(mean_ns=20 * MILLISECOND)
    """The law of the time that a worker needs for a message, or recorded times to draw from."""
    capacity: Annotated[
        float | None,
        factor(
            "Service slows with load: everybody who is being served takes (1 + in flight / "
            "capacity) times as long, those who wait included. Without, load slows nobody."
        ),
    ] = None
    cold_start: ColdSettings | None = None
    """Slower for a while after a crash or a power cut."""
    health: Literal["tcp", "shallow", "deep", "write"] = "shallow"
    """What a health check asks for: `tcp`: a connection, which the kernel accepts while the process
    hangs; `shallow`: an answer that the process gives past its queue; `deep`: one that a worker
    has worked for, in its turn; `write`: the same, with a write that waits for the disk."""
    health_work: Annotated[Law, Choice(tag="law", text=Constant, text_field="mean")] | None = None
    """The law of the time that a worker needs for a deep check or one that writes. Without, such a
    check is as much work as a message."""
    health_asks: bool = False
    """A deep check, or one that writes, asks the next tier, too (Spring's `db` health indicator):
    where that is slow or away, it fails at all who ask."""
    state: StateSettings = StateSettings()
    """The state of its partition."""
    promotion_rule: Literal["prefer", "neutral", "prefer-not", "must-not"] = "neutral"
    """Whether it shall take over from others. Source: orchestrator's promotion rules; Patroni
    nofailover; Redis replica-priority 0."""
    standby: bool = False
    """Owns nothing at the start, and is a candidate to take over: PostgreSQL's standby, Redis'
    replica. Stateless messages (reads) go to it as to any other."""
    absent: bool = False
    """No part of the cluster until the operation `add`: owns nothing, gets nothing."""


@settings
class ReplicationSettings:
    """How acknowledged writes reach other masters."""

    copies: Annotated[
        int,
        count("Standbys that hold a copy of each partition, in order of priority.", least=0),
    ] = 2
    acknowledge: Acknowledging = Asynchronous(kind="asynchronous")
    """When a write is acknowledged. Who waits for standbys waits for a round trip to them, by the
    median, as writes that are waited for are sent at once."""
    lag_ns: Annotated[
        int,
        duration(
            "Time from acknowledgement to the standby's copy, besides the network, unless the "
            "acknowledgement waits for it."
        ),
    ] = 20 * MILLISECOND
    apply_ns: Annotated[
        int,
        duration(
            "A standby applies a write so long after it has received it; who is promoted applies "
            "first what it has received.",
        ),
    ] = 0
    net_timeout_ns: Annotated[
        int,
        duration(
            "A standby that is asked says that replication is broken once it has heard nothing of "
            "its owner for so long; at once if the connection was closed.",
            source="MySQL replica_net_timeout (60 s); orchestrator recommends 4 s",
        ),
    ] = 4 * SECOND
    setup: DurationLaw = Constant(mean_ns=0)
    """What a state transfer takes before its first byte: connections, locks, a rewind."""


@settings
class FencingDeviceSettings:
    """The out-of-band power switch."""

    latency: DurationLaw = Constant(mean_ns=2 * SECOND)
    """Time from the order to the confirmed power-off."""
    fails: Annotated[float, share("Probability that an order fails.")] = 0.0
    restart: DurationLaw = Constant(mean_ns=60 * SECOND)
    """Time until a fenced master is back, as a standby."""
    shares_fate: Literal["nothing", "node", "place"] = "nothing"
    """What takes the device down with the master: `nothing`; a power cut of the `node` (IPMI on the
    mainboard); or of the `place`: also while the observer's packets do not reach the master (a
    power switch on the same network). It answers no order then. Source: Pacemaker Explained,
    "What are the special requirements of fencing devices"."""


@settings
class PromotionSettings:
    """What a promotion costs the master that is promoted."""

    duration: DurationLaw = Constant(mean_ns=100 * MILLISECOND)
    """Time from the order until it accepts writes and says so."""
