"""Running a world on both data planes, and worlds that are drawn at random."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import strategies as st

from hasim.journal import Journal
from hasim.services.balancing import BalancingSettings
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.balancing.settings import PowerSettings
from hasim.services.failover import (
    ConfirmedSettings,
    FailoverSettings,
    LeaseFencingSettings,
    NoFencingSettings,
    TokenSettings,
)
from hasim.services.gateway.guards import (
    BreakerSettings,
    LimitSettings,
    OutlierSettings,
    SlowStartSettings,
)
from hasim.services.gateway.settings import (
    FAILURES,
    ClientSettings,
    ConnectionSettings,
    DnsSettings,
    HoldSettings,
    RetryLayer,
)
from hasim.settings import members_of
from hasim.simulation.laws import Constant, Exponential, Lognormal
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import simulate
from hasim.simulation.settings import (
    BurstSettings,
    ColdSettings,
    FencingDeviceSettings,
    FixedRtt,
    HedgeSettings,
    JitterLaw,
    KeySettings,
    MasterSettings,
    NetworkSettings,
    PoissonArrivals,
    PromotionSettings,
    ReplicationSettings,
    RetrySettings,
    TraceArrivals,
    TrafficSettings,
    WorldSettings,
)
from hasim.simulation.settings.faults import AnyFault, Fault
from hasim.simulation.settings.operations import (
    Add,
    Drain,
    EndMaintenance,
    Maintenance,
    Operation,
    Remove,
    Switch,
    Undrain,
)
from hasim.simulation.tier import Tier
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection

GRID_NS = 10 * MILLISECOND
ANY_TIME = Lognormal(mean_ns=8 * GRID_NS, cv=1.0)
BIG_PLAN = 100
BURSTS = (
    BurstSettings(share=0.1, mean_ns=20 * GRID_NS),
    BurstSettings(share=0.3, mean_ns=SECOND, within=0.7),
    BurstSettings(share=0.02, mean_ns=MILLISECOND),
)
FAULTS: dict[str, Any] = {
    typing.get_args(typing.get_type_hints(cls)["kind"])[0]: cls for cls in members_of(AnyFault)
}


def target_of(kind: str) -> str:
    """Somebody whom a fault of this kind can strike, m1 if it may be a master."""
    return "random" if kind == "region-outage" or FAULTS[kind].STRIKES != "masters" else "m1"


def both(
    world: WorldSettings, recorded: Recorded | None = None, *, seed: int = 1, replication: int = 0
) -> tuple[Journal, Journal]:
    """The journals of the reference plane and of the compiled one, every message included."""
    reference, compiled = (
        simulate(
            dataclasses.replace(world, data_plane=plane),
            recorded or Recorded(),
            seed=seed,
            replication=replication,
            messages=True,
        )
        for plane in ("reference", "compiled")
    )
    return reference, compiled


def assert_equal(journals: tuple[Journal, Journal]) -> Journal:
    """The two journals are one; says which record is the first that differs."""
    reference, compiled = journals
    for number, (one, other) in enumerate(zip(reference.records, compiled.records, strict=False)):
        assert one == other, f"record {number}"
    assert len(reference.records) == len(compiled.records)
    assert reference.header == compiled.header
    return reference


def some(cells: Sequence[Any], most: int) -> Sequence[Any]:
    """All cells of a usual plan; about `most` of a big one, which differ in every setting."""
    return cells if len(cells) < BIG_PLAN else cells[:: 1 + len(cells) // most]


def on_grid(rate_per_s: int, horizon_s: int, seed: int) -> Recorded:
    """Arrivals at multiples of 10 ms: many at the same time."""
    draws = np.random.default_rng(seed).integers(0, horizon_s * 100, rate_per_s * horizon_s)
    return Recorded(arrivals_ns=np.sort(draws) * GRID_NS)


def instants(grid: bool, least_s: float, most_s: float) -> st.SearchStrategy[Constant]:
    """A fixed time, on the grid or off it."""
    unit = GRID_NS if grid else 1
    bounds = round(least_s * SECOND) // unit, round(most_s * SECOND) // unit
    return st.integers(*bounds).map(lambda n: Constant(mean_ns=n * unit))


PASSING = (
    "stall",
    "link-stall",
    "observer-stall",
    "gateway-crash",
    "lost-answers",
    "doubled-answers",
)
"""The kinds that pass by themselves, or are no matter of a declaration."""


def faults(grid: bool, horizon_s: int, *, several: bool, owned: bool) -> st.SearchStrategy[Fault]:
    """A fault of any kind, one or two times."""
    targets = ["random", "all", "m1"] + ["owner-of:p1"] * owned + ["m2"] * several

    def fault(kind: str) -> st.SearchStrategy[Fault]:
        strength: dict[str, Any] = {
            "slow": {"speed": st.sampled_from([0.0, 0.1, 0.5, 0.7])},
            "error-rate": {
                "rate": st.sampled_from([0.2, 0.5, 1.0]),
                "takes_ns": st.sampled_from([None, 0, GRID_NS]),
            },
            "packet-loss": {"loss": st.sampled_from([0.2, 0.9, 1.0])},
            "added-delay": {"extra_ns": st.sampled_from([GRID_NS, 7 * GRID_NS + 3])},
            "latency-spike": {"extra_ns": st.sampled_from([GRID_NS, 30 * GRID_NS, 3 * SECOND])},
            "partition": {
                "scope": st.sampled_from(["all", "clients", "monitor"]),
                "direction": st.sampled_from(["both", "to", "from"]),
            },
        }.get(kind, {})
        if kind not in PASSING:
            strength["from_"] = st.sampled_from(["start", "start", "declaration"])
        whom = st.sampled_from(targets)
        if target_of(kind) == "random":
            whom = st.sampled_from(["random", "all"][: 1 + (kind != "region-outage")])
        when = st.lists(instants(grid, 0, horizon_s), min_size=1, max_size=2).map(tuple)
        lasting = instants(grid, 0.01, horizon_s / 2)
        return st.builds(
            FAULTS[kind], kind=st.just(kind), target=whom, at=when, for_=lasting, **strength
        )

    return st.sampled_from(sorted(FAULTS)).flatmap(fault)


def operations(horizon_s: int, count: int) -> st.SearchStrategy[Operation]:
    """Anything that an operator may do, whether it makes sense or not."""
    at_ns = st.integers(0, horizon_s * 100 - 1).map(lambda n: n * GRID_NS)
    on_master = st.sampled_from([Drain, Undrain, Maintenance, EndMaintenance, Add, Remove]).flatmap(
        lambda kind: st.builds(
            kind,
            do=st.just(next(iter(typing.get_args(typing.get_type_hints(kind)["do"])))),
            at_ns=at_ns,
            master=st.integers(1, count).map("m{}".format),
        )
    )
    algorithms = st.sampled_from(sorted(ALGORITHMS))
    return on_master | st.builds(
        Switch, do=st.just("switch-algorithm"), at_ns=at_ns, algorithm=algorithms
    )


def guards(one: Any) -> dict[str, Any]:
    """Guards that act within seconds, or none."""
    outliers = OutlierSettings(
        consecutive_failures=one(0, 2, 5),
        interval_ns=one(50, 100) * GRID_NS,
        base_ejection_ns=one(0, 30, 100) * GRID_NS,
        max_ejected=one(0.0, 0.5, 1.0),
        always_eject_one=one(False, True),
        success_rate=True,
        success_rate_hosts=2,
        success_rate_volume=one(2, 10),
        failure_share=one(0.0, 0.5),
        failure_share_hosts=1,
        failure_share_volume=3,
        check_ends=one(False, True),
    )
    found = {
        "outliers": one(None, outliers),
        "breaker": one(None, BreakerSettings(failures=one(1, 3), base_ns=one(1, 50) * GRID_NS)),
        "slow_start": one(None, SlowStartSettings(window_ns=one(150, 500) * GRID_NS)),
        "panic_threshold": one(0.0, 0.5, 1.0),
        "limits": LimitSettings(
            max_concurrency=one(0, 1, 4), max_requests=one(0, 5), max_queue=one(0, 1, 20)
        ),
    }
    return found if one(False, True) else {}


def layer(draw: Any) -> dict[str, Any]:
    """What a layer of retries does, but for how often."""

    def one(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    some = st.lists(st.sampled_from(FAILURES), unique=True).map(tuple)
    return {
        "on": draw(st.just(FAILURES) | some),
        "master": one("another", "another", "same", "same-then-another", "pinned"),
        "backoff_ns": one(0, 1, 10) * GRID_NS,
        "growth": one(1.0, 1.6, 2.0),
        "most_backoff_ns": one(0, 20) * GRID_NS,
        "jitter": one(0.0, 0.5, 1.0),
    }


def clients(one: Any) -> ClientSettings | None:
    """Clients that keep names, connections, both or neither; or none."""
    dns = DnsSettings(
        ttl_ns=one(1, 30, 100) * GRID_NS, keepers=one(0.0, 0.5), kept_ns=one(0, 200) * GRID_NS
    )
    kept = ConnectionSettings(lifetime_ns=one(0, 50, 300) * GRID_NS, validate=one(False, True))
    made = ClientSettings(
        number=one(1, 3, 20), dns=one(None, dns), connections=one(None, kept, kept)
    )
    return one(None, made)


@st.composite
def worlds(draw: Any) -> tuple[WorldSettings, Recorded]:
    """Any small world: few masters, a few seconds, much that can go wrong."""

    def one(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    grid, count, horizon_s, rate = one(False, True), one(1, 2, 3, 5), one(3, 10), one(5, 50, 150)
    owned = one(0.0, 0.5, 1.0)
    laws: Any = (
        [Constant(mean_ns=n * GRID_NS) for n in (0, 1, 2, 5)]
        if grid
        else [Exponential(mean_ns=2 * GRID_NS), Lognormal(mean_ns=4 * GRID_NS, cv=1.2)]
    )
    masters = tuple(
        MasterSettings(
            id=f"m{number}",
            region=one("here", "there"),
            priority=one(1, number),
            workers=one(1, 2, 8),
            weight=one(None, 0.5, 3.0),
            queue=one(0, 1, 5, 200),
            service=one(*laws),
            health=one("shallow", "deep"),
            health_asks=one(False, True),
            capacity=one(None, None, 2.0, 7.5),
            cold_start=one(None, None, ColdSettings(factor=4.0, for_ns=SECOND)),
            standby=number > 1 and owned > 0 and one(False, False, True),
            absent=number > 1 and one(False, False, False, True),
        )
        for number in range(1, count + 1)
    )
    plan = faults(grid, horizon_s, several=count > 1, owned=owned > 0)
    world = WorldSettings(
        masters=masters,
        horizon_ns=horizon_s * SECOND,
        queues=one("uncounted", "counted"),
        network=NetworkSettings(
            rtt=FixedRtt(rtt_ns=one(0, 2, 4) * GRID_NS),
            local_rtt_ns=one(0, 2 * GRID_NS),
            loss=one(0.0, 0.05, 0.5),
            bursts=one(None, None, *BURSTS),
            retransmit_ns=one(0, 0, 30 * GRID_NS),
            jitter=None if grid else one(None, JitterLaw(cv=0.5)),
        ),
        traffic=TrafficSettings(
            arrivals=TraceArrivals(trace="", column="")
            if grid
            else PoissonArrivals(rate_per_s=rate),
            owned=owned,
            vip=one(0.0, 0.3),
            client_errors=one(0.0, 0.0, 0.3),
            keys=one(None, KeySettings(number=20, law="zipf"), KeySettings(number=3)),
            regions=one((), ("here",), ("here", "there", "nowhere")),
            timeout_ns=one(5, 10, 50, 200) * GRID_NS,
            connect_timeout_ns=one(0, 0, 2, 4) * GRID_NS,
            hold=HoldSettings(most=one(0, 0, 2, 50), for_ns=one(5, 50, 300) * GRID_NS),
            clients=clients(one),
            deadline_ns=one(10, 500) * GRID_NS,
            retry=RetrySettings(
                attempts=one(1, 2, 4),
                **layer(draw),
                inner=one(None, None, RetryLayer(attempts=one(1, 3), **layer(draw))),
                budget=one(None, 0.0, 0.2, 1.0),
                reserve=one(1.0, 10.0),
                most_active=one(0, 0, 1, 3),
            ),
            hedge=HedgeSettings(
                after_ns=one(0, 0, 1, 4) * GRID_NS,
                quantile=one(0.0, 0.0, 0.7),
                budget=one(0.1, 1.0),
                reserve=one(1.0, 10.0),
            ),
        ),
        faults=tuple(draw(st.lists(plan, max_size=4))),
        operations=tuple(draw(st.lists(operations(horizon_s, count), max_size=3))),
        detection=detection(
            evidence=one(("probe",), ("messages",), ("probe", "messages")),
            interval_ns=one(50, 100, 3000) * GRID_NS,
            fast_interval_ns=one(10, 50) * GRID_NS,
            timeout_ns=one(10, 50) * GRID_NS,
            fall=one(1, 2, 3),
            error_limit=one(1, 2, 5),
            observe=(observe := one("answers", "answers", "connection")),
            counted=one(("reset", "error", "timeout"), ("error", "rejected"))
            if observe == "answers"
            else ("reset", "error", "timeout"),
            count_by=one("in-row", "in-row", "in-window", "share"),
            error_window_ns=one(20, 200, 3000) * GRID_NS,
            error_volume=one(1, 10),
            on_error=one("fail-check", "fast-interval", "sudden-death", "mark-down"),
        ),
        balancing=BalancingSettings(
            algorithm=one(*ALGORITHMS),
            ring_size=64,
            table_size=251,
            choices=one(2, 3),
            sessions=one(4, 1000),
            failure_penalty_ns=one(0, 500 * GRID_NS),
            snitch_reset_ns=one(SECOND, 600 * SECOND),
            power=PowerSettings(report_interval_ns=one(50, 300) * GRID_NS, blackout_ns=0),
            reserve=one(0.0, 0.2),
            report_interval_ns=one(10, 100, 1000) * GRID_NS,
            **guards(one),
        ),
        failover=FailoverSettings(
            fencing=one(
                NoFencingSettings(),
                ConfirmedSettings(),
                TokenSettings(),
                LeaseFencingSettings(ttl_ns=400 * GRID_NS, renew_ns=100 * GRID_NS),
                LeaseFencingSettings(ttl_ns=3 * SECOND, renew_ns=SECOND, watchdog=False),
            )
        ),
        fencing_device=FencingDeviceSettings(
            latency=Constant(mean_ns=one(0, 50) * GRID_NS),
            restart=one(Constant(mean_ns=SECOND), Exponential(mean_ns=3 * SECOND)),
        ),
        replication=ReplicationSettings(
            copies=one(0, 1, 2),
            lag_ns=one(0, 2) * GRID_NS,
            setup=one(Constant(mean_ns=0), ANY_TIME),
        ),
        promotion=PromotionSettings(
            duration=one(Constant(mean_ns=0), Constant(mean_ns=10 * GRID_NS), ANY_TIME)
        ),
    )
    return world, on_grid(rate, horizon_s, one(1, 2, 3)) if grid else Recorded()


@pytest.fixture(autouse=True, scope="module")
def even_phases() -> Iterator[None]:
    """Checks begin where their ranks say, so that in worlds on a grid they meet other events.

    Imported by a module, it holds for all of its tests.
    """
    with mock.patch.object(Tier, "chance_of", return_value=None):
        yield
