"""The compiled data plane gives what the reference plane gives, record by record."""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies

import hasim
from hasim.events import (
    AlgorithmSwitched,
    GatewayReport,
    ProbeReply,
    StatusChanged,
    SwitchAlgorithm,
)
from hasim.model import Cause, Ownership, RoutingTable
from hasim.scenario import catalogue
from hasim.scenario.loader import load
from hasim.services.balancing import BalancingSettings, registry
from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.balancing.settings import PowerSettings
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.services.gateway.guards import LimitSettings
from hasim.settings import from_plain
from hasim.simulation.clients.compiled import arrays, availability, growth, plane, window
from hasim.simulation.clock import INPUT, Call
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import conclude, simulate
from hasim.simulation.settings import (
    FencingDeviceSettings,
    FixedRtt,
    HedgeSettings,
    JitterLaw,
    KeySettings,
    NetworkSettings,
    RetrySettings,
    TraceArrivals,
    WorldSettings,
)
from hasim.simulation.settings.operations import Switch
from hasim.simulation.world import World
from hasim.truth import AttemptRollup, MessageRecord, PartitionServed, WritesHeld
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation import planes
from tests.simulation.planes import (
    FAULTS,
    GRID_NS,
    assert_equal,
    both,
    on_grid,
    some,
    target_of,
    worlds,
)
from tests.simulation.worlds import NO_LATENCY, after, build, lasting, masters, run, traffic, world

even_phases = planes.even_phases

SHIPPED = catalogue.shipped()
LONGEST_NS = 100 * SECOND
FACTORS: dict[str, list[Any]] = {
    "algorithm": sorted(ALGORITHMS),
    "kind": ["none", *sorted(FAULTS)],
    "attempts": [1, 2, 4],
    "evidence": [("probe",), ("messages",), ("probe", "messages")],
    "workers": [1, 4],
    "grid": [False, True],
    "health": ["shallow", "deep"],
    "owned": [0.0, 0.5],
    "hedge": ["off", "after", "quantile"],
    "budget": [0.2, 0.0, 1.0],
    "connect": [0, 3 * GRID_NS],
    "wrong": [0.0, 0.1],
}
HEDGES = {
    "off": HedgeSettings(),
    "after": HedgeSettings(after_ns=5 * GRID_NS, budget=0.2, reserve=3.0),
    "quantile": HedgeSettings(quantile=0.8, budget=1.0),
}
OTHERS = {name: values for name, values in FACTORS.items() if name not in ("algorithm", "kind")}
SEEDS = 20
STRIDE = 2347
"""Coprime to the number of settings, and no near-multiple of a product of its first factors."""


def pairwise(factors: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Cases in which every two values of different factors meet: greedy, rows grown in turn."""
    names = list(factors)
    open_pairs = {
        ((a, u), (b, v))
        for a, b in itertools.combinations(names, 2)
        for u in factors[a]
        for v in factors[b]
    }
    cases = []
    while open_pairs:
        case = dict(min(open_pairs, key=repr))
        for name in names:
            if name not in case:
                case[name] = max(
                    factors[name],
                    key=lambda value, n=name: len(
                        open_pairs & set(pairs_of({**case, n: value}, names))
                    ),
                )
        open_pairs -= set(pairs_of(case, names))
        cases.append({name: case[name] for name in names})
    return cases


def pairs_of(case: dict[str, Any], names: list[str]) -> list[tuple[Any, Any]]:
    return list(itertools.combinations([(n, case[n]) for n in names if n in case], 2))


CASES = pairwise(FACTORS)


def name_of(case: dict[str, Any]) -> str:
    return "-".join(str(value).replace(" ", "") for value in case.values())


def others_of(seed: int, algorithm: str, kind: str) -> dict[str, Any]:
    """The other settings with a seed: the digits, one for each factor, of a number that strides."""
    first = 29 * FACTORS["algorithm"].index(algorithm) + 811 * FACTORS["kind"].index(kind)
    number, found = first + seed * STRIDE, {}
    for name, values in OTHERS.items():
        number, digit = divmod(number, len(values))
        found[name] = values[digit]
    return found


def world_of(case: dict[str, Any], horizon_s: int = 40, rate: int = 25, seed: int = 7) -> Any:
    """About 1,000 messages at three masters, the first of which is struck twice.

    `seed` is that of the arrivals on the grid.
    """
    faults = ()
    if case["kind"] != "none":
        fault = FAULTS[case["kind"]](
            kind=case["kind"],
            target=target_of(case["kind"]),
            at=(*after(8), *after(25)),
            for_=lasting(9),
        )
        crash = FAULTS["crash"](kind="crash", target="m2", at=after(20), for_=lasting(6))
        faults = (fault, crash)
    law = Constant(mean_ns=4 * GRID_NS) if case["grid"] else Exponential(mean_ns=40 * MILLISECOND)
    settings = world(
        horizon_s,
        masters=masters(3, service=law, workers=case["workers"], queue=6, health=case["health"]),
        traffic=traffic(
            rate,
            owned=case["owned"],
            vip=0.2,
            keys=KeySettings(number=50, law="zipf"),
            timeout_ns=20 * GRID_NS,
            retry=RetrySettings(
                attempts=case["attempts"], backoff_ns=GRID_NS, budget=case["budget"]
            ),
            hedge=HEDGES[case["hedge"]],
            connect_timeout_ns=case["connect"],
            client_errors=case["wrong"],
        ),
        faults=faults,
        detection=detection(evidence=case["evidence"], interval_ns=SECOND),
        balancing=BalancingSettings(
            algorithm=case["algorithm"],
            ring_size=64,
            table_size=251,
            power=PowerSettings(report_interval_ns=SECOND, blackout_ns=0),
        ),
    )
    if not case["grid"]:
        return settings, None
    on_trace = dataclasses.replace(settings.traffic, arrivals=TraceArrivals(trace="", column=""))
    network = dataclasses.replace(settings.network, local_rtt_ns=2 * GRID_NS)
    settings = dataclasses.replace(settings, traffic=on_trace, network=network)
    return settings, on_grid(rate, horizon_s, seed)


@pytest.mark.parametrize("case", CASES, ids=map(name_of, CASES))
def test_equal_in_every_pair_of_circumstances(case: dict[str, Any]) -> None:
    journal = assert_equal(both(*world_of(case)))
    assert sum(1 for _ in journal.of(MessageRecord)) > 800


def test_the_cases_meet_what_they_are_made_for() -> None:
    """Together they reach every way in which an attempt can end, and deep probes that fail."""
    attempts, probes, unroutable = Counter[str](), Counter[str](), 0
    for case in CASES:
        settings, recorded = world_of(case)
        settings = dataclasses.replace(settings, data_plane="compiled")
        journal = simulate(settings, recorded or Recorded(), seed=1, replication=0, messages=True)
        attempts.update({a.cause: a.attempts for _, a in journal.of(AttemptRollup)})
        probes.update(p.cause for _, p in journal.of(ProbeReply))
        unroutable += sum(m.outcome == Cause.UNROUTABLE for _, m in journal.of(MessageRecord))
    # The last one takes limits.
    never = {Cause.UNROUTABLE, Cause.NOT_OWNER, Cause.OVERFLOW}
    assert set(attempts) == set(Cause) - never
    assert unroutable > 0
    assert set(probes) >= {Cause.OK, Cause.REFUSED, Cause.ERROR, Cause.REJECTED}


def test_equal_when_gateways_hear_late_of_a_new_owner() -> None:
    """A master that is fenced by mistake is back before its clients know, as a standby."""
    cut_off = FAULTS["partition"](
        kind="partition", target="m1", scope="monitor", at=after(5), for_=lasting(30)
    )
    settings = world(
        30,
        traffic=traffic(50, regions=("far",), owned=0.8, retry=RetrySettings(attempts=2)),
        network=NetworkSettings(rtt=FixedRtt(rtt_ns=800 * MILLISECOND)),
        detection=detection(interval_ns=SECOND),
        fencing_device=FencingDeviceSettings(
            latency=Constant(mean_ns=0), restart=Constant(mean_ns=MILLISECOND)
        ),
        faults=(cut_off,),
    )
    journal = assert_equal(both(settings))
    causes = {a.cause: a.attempts for _, a in journal.of(AttemptRollup)}
    assert causes[Cause.NOT_OWNER] > 5


def test_equal_when_deep_probes_die_in_the_queue() -> None:
    """Their answers draw from one random stream, so that their order matters as well."""
    crashes = tuple(
        FAULTS[kind](kind=kind, target="m1", at=(*after(at), *after(at + 15)), for_=lasting(1))
        for kind, at in (("crash", 8.05), ("hang", 4), ("slow", 11))
    )
    settings = world(
        40,
        masters=masters(2, service=Constant(mean_ns=900 * MILLISECOND), workers=2, health="deep"),
        traffic=traffic(5, owned=0.0, timeout_ns=4 * SECOND),
        network=NetworkSettings(jitter=JitterLaw(cv=0.5)),
        detection=detection(interval_ns=200 * MILLISECOND, timeout_ns=100 * MILLISECOND, fall=100),
        faults=crashes,
    )
    journal = assert_equal(both(settings))
    resets = Counter(t for t, p in journal.of(ProbeReply) if p.cause is Cause.RESET)
    assert len(resets) > 2


@pytest.mark.parametrize("name", SHIPPED)
def test_equal_in_every_shipped_scenario(name: str) -> None:
    study = load(SHIPPED[name])
    for cell in some(study.cells, 6):
        horizon_ns = min(cell.world.horizon_ns, LONGEST_NS)
        shortened = dataclasses.replace(cell.world, horizon_ns=horizon_ns)
        assert_equal(both(shortened, study.recorded_of(cell), seed=study.scenario.seed))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_equal_in_any_world(drawn: Any) -> None:
    assert_equal(both(*drawn))


def of_single_workers(drawn: tuple[WorldSettings, Recorded], *, jitter: bool) -> Any:
    """The same world, whose masters' work is foreseen as long as nothing comes between."""
    settings, recorded = drawn
    single = tuple(dataclasses.replace(m, workers=1) for m in settings.masters)
    network = settings.network if jitter else dataclasses.replace(settings.network, jitter=None)
    return dataclasses.replace(settings, masters=single, network=network), recorded


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(worlds(), strategies.booleans())
def test_equal_in_any_world_of_single_workers(drawn: Any, jitter: bool) -> None:
    assert_equal(both(*of_single_workers(drawn, jitter=jitter)))


@pytest.mark.slow
@settings(max_examples=4000, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), strategies.booleans())
def test_equal_in_thousands_of_worlds(drawn: Any, jitter: bool) -> None:
    assert_equal(both(*drawn))
    assert_equal(both(*of_single_workers(drawn, jitter=jitter)))


@pytest.mark.parametrize("demand_ns", [0, 1, GRID_NS])
def test_equal_when_requests_and_deep_probes_come_at_once(demand_ns: int) -> None:
    """To masters that have no queue, on a grid: who comes first is served."""
    service = Constant(mean_ns=demand_ns)
    settings = world(
        5,
        masters=masters(
            2,
            service=service,
            workers=1,
            queue=0,
            health="deep",
            health_work=Constant(mean_ns=MILLISECOND),
        ),
        network=NetworkSettings(local_rtt_ns=2 * GRID_NS, loss=0.05),
        traffic=dataclasses.replace(
            traffic(50, owned=0.0), arrivals=TraceArrivals(trace="", column="")
        ),
        detection=detection(interval_ns=SECOND // 2),
    )
    rejected = 0
    for seed in range(8):
        journal = assert_equal(both(settings, on_grid(50, 5, seed)))
        rejected += sum(
            a.attempts for _, a in journal.of(AttemptRollup) if a.cause == Cause.REJECTED
        )
    assert rejected > 0


def test_equal_when_a_deep_probe_is_served_at_the_very_start() -> None:
    """Between two shallow ones, without any delay: at 0 s no time lies before the next event."""
    crash = FAULTS["crash"](
        kind="crash", target="m3", at=(Constant(mean_ns=0),), for_=Constant(mean_ns=GRID_NS)
    )
    shallow, deep, last = masters(3, service=Constant(mean_ns=0), workers=1, queue=0)
    settings = world(
        3,
        masters=(shallow, dataclasses.replace(deep, health="deep"), last),
        network=NO_LATENCY,
        traffic=dataclasses.replace(
            traffic(50, owned=0.0), arrivals=TraceArrivals(trace="", column="")
        ),
        detection=detection(interval_ns=SECOND // 2, fall=1),
        faults=(crash,),
    )
    journal = assert_equal(both(settings, on_grid(50, 3, 1)))
    first = [change.master for t_ns, change in journal.of(StatusChanged) if t_ns == 0]
    assert first == ["m1", "m2", "m3"]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_work_of_single_workers_is_foreseen(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the tests above would say nothing of it."""
    taken_back = []

    def watched(table: Any, limit_ns: int, limit_priority: int) -> None:
        taken_back.append(limit_ns)
        kernel.take_back(table, limit_ns, limit_priority)

    kernel = plane.KERNEL
    monkeypatch.setattr(plane, "KERNEL", kernel._replace(take_back=watched))
    crashes = FAULTS["crash"](
        kind="crash",
        target="m1",
        at=tuple(a for t in (3, 5, 7, 9) for a in after(t)),
        for_=lasting(1),
    )
    busy = masters(2, service=Constant(mean_ns=80 * MILLISECOND), workers=workers)
    run(world(12, masters=busy, traffic=traffic(20, owned=0.0), faults=(crashes,)))
    assert bool(taken_back) == (workers == 1)


def test_what_is_done_does_not_fill_a_queue() -> None:
    """On a long way back there are more answers than the queue has room for requests."""
    few = masters(4, service=Constant(mean_ns=MILLISECOND), workers=1, queue=50, region="c")
    settings = world(
        5,
        masters=few,
        traffic=traffic(3000, owned=0.0, regions=("a",), timeout_ns=2 * SECOND),
        network=NetworkSettings(rtt=FixedRtt(rtt_ns=80 * MILLISECOND)),
    )
    made, most = build(settings), 0
    made.changes.changed()
    made.start()
    for time_ns in range(SECOND, 5 * SECOND, SECOND // 50):
        made.messages.run(time_ns)
        memory = cast(plane.CompiledPlane, made.messages)._memory
        assert not memory["masters"]["busy"].any(), "work goes on by events"
        most = max(most, int(memory["in_flight"].max()))
    assert most > 50


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_equal_when_the_arrays_have_to_grow(algorithm: str) -> None:
    """Thousands under way at once, behind a hang and behind slow workers."""
    hang = FAULTS["hang"](kind="hang", target="m1", at=after(3), for_=lasting(4))
    crash = FAULTS["crash"](kind="crash", target="m2", at=after(6), for_=lasting(1))
    settings = world(
        9,
        masters=masters(2, service=Exponential(mean_ns=SECOND), workers=300, queue=10**5),
        traffic=traffic(
            1500, owned=0.9, timeout_ns=2 * SECOND, retry=RetrySettings(attempts=2, budget=0.2)
        ),
        faults=(hang, crash),
        balancing=BalancingSettings(algorithm=algorithm),
    )
    journal = assert_equal(both(settings))
    outcomes = Counter(m.outcome for _, m in journal.of(MessageRecord))
    assert outcomes[Cause.TIMEOUT] > 1000
    assert outcomes[Cause.OK] > 1000
    assert any(e.reason == "overloaded" for _, e in journal.of(PartitionServed))
    assert sum(1 for _ in journal.of(GatewayReport)) > 5


@pytest.mark.parametrize("owned", [0.0, 1.0])
def test_equal_when_thousands_are_foreseen(owned: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than may be, with faults in between, and more writes than there is room for at once."""
    foreseen = []
    make_room = growth.Growth.make_heap_room

    def watched(self: growth.Growth, events: int) -> None:
        foreseen.append(int(self._state["foreseen"]))
        make_room(self, events)

    monkeypatch.setattr(growth.Growth, "make_heap_room", watched)
    monkeypatch.setattr(arrays, "WRITES", 1 << 13)
    bursts = (SECOND + np.arange(6000) * 10**5, 12 * SECOND + np.arange(3000) * 10**5)
    faults = tuple(
        FAULTS[kind](kind=kind, target="m1", at=after(at), for_=lasting(1))
        for kind, at in (("slow", 3), ("hang", 13), ("crash", 14.5))
    )
    settings = world(
        20,
        masters=masters(1, service=Constant(mean_ns=MILLISECOND), workers=1, queue=10**5),
        traffic=dataclasses.replace(
            traffic(1, owned=owned, timeout_ns=30 * SECOND, retry=RetrySettings(attempts=2)),
            arrivals=TraceArrivals(trace="", column=""),
        ),
        faults=faults,
        detection=detection(evidence=("probe",), interval_ns=7 * SECOND, fall=100),
    )
    journal = assert_equal(both(settings, Recorded(arrivals_ns=np.concatenate(bursts))))
    assert max(foreseen) > 4000
    assert sum(h.acknowledged for _, h in journal.of(WritesHeld)) >= 6000 * owned
    assert any(m.outcome != Cause.OK for _, m in journal.of(MessageRecord))


def test_equal_when_a_line_is_served_while_failures_are_reported() -> None:
    """All at the instant of a crash: the line goes on before the control plane hears of it."""
    crash = FAULTS["crash"](kind="crash", target="all", at=after(1.28), for_=lasting(1))
    settings = world(
        5,
        masters=masters(1, service=Constant(mean_ns=5 * GRID_NS), workers=1, queue=5),
        network=NO_LATENCY,
        traffic=dataclasses.replace(
            traffic(1, owned=0.5, regions=("a", "b", "c")),
            arrivals=TraceArrivals(trace="", column=""),
        ),
        faults=(crash,),
        detection=detection(interval_ns=30 * SECOND, error_limit=5),
        failover=FailoverSettings(fencing=NoFencingSettings()),
        balancing=BalancingSettings(limits=LimitSettings(max_concurrency=1, max_queue=20)),
    )
    for seed in range(8):
        journal = assert_equal(both(settings, on_grid(50, 5, seed)))
        refused = [m for _, m in journal.of(MessageRecord) if m.outcome == Cause.REFUSED]
        assert len([m for m in refused if m.ended_ns == 1.28 * SECOND > m.arrived_ns]) > 3


def test_equal_writes_of_a_split_brain() -> None:
    """Two masters take one partition for theirs, whose answers take unlike times."""
    regions = ("a", "c", "c")
    found = masters(3, service=Constant(mean_ns=5 * MILLISECOND), workers=1)
    settings = world(
        3,
        masters=tuple(
            dataclasses.replace(m, region=r) for m, r in zip(found, regions, strict=True)
        ),
        traffic=dataclasses.replace(
            traffic(1, owned=1.0, regions=("a", "b")),
            arrivals=TraceArrivals(trace="", column=""),
        ),
        network=NetworkSettings(rtt=FixedRtt(rtt_ns=100 * MILLISECOND), local_rtt_ns=MILLISECOND),
        detection=detection(evidence=("probe",), interval_ns=3600 * SECOND),
    )
    recorded = Recorded(arrivals_ns=np.arange(100) * GRID_NS)
    for seed in range(1, 6):
        stale = [stale_writes(settings, recorded, seed, kind) for kind in PLANES]
        assert stale[0] == stale[1]
        assert sum(count for count, _ in stale[0].values()) > 20


PLANES = ("reference", "compiled")


def stale_writes(
    settings: WorldSettings, recorded: Recorded, seed: int, plane_: str
) -> dict[int, tuple[int, int]]:
    """How many writes of p1 nobody owned, and when the first was, by failover."""
    on_it = dataclasses.replace(settings, data_plane=plane_)
    built = World(on_it, recorded, seed=seed, replication=0)
    (tier,) = built.tiers
    for gateway, owner in zip(tier.gateways.values(), ("m1", "m2"), strict=True):
        owned = tuple(
            Ownership(p, owner if p == "p1" else gateway.balancer.standing.owner_of(p), 1)
            for p in tier.partitions.names
        )
        table = RoutingTable(2, tuple(tier.masters), owned, "round-robin")
        gateway.balancer.apply_routing(0, table)
        tier.masters[owner].promote(("p1",), 5)
    tier.partitions.states["p1"].owner = "m3"
    built.changes.changed()
    built.messages.run(settings.horizon_ns)
    return dict(tier.partitions.states["p1"].stale)


@pytest.mark.parametrize("bits", [0, 2, 5])
@pytest.mark.parametrize("case", CASES[::5], ids=map(name_of, CASES[::5]))
def test_equal_when_messages_are_drawn_in_small_chunks(
    case: dict[str, Any], bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts, retries and losses cross the borders of chunks of 1, 4 and 32 messages."""
    monkeypatch.setattr(window, "CHUNK_BITS", bits)
    settings, recorded = world_of(case, horizon_s=20)
    loss = FAULTS["packet-loss"](
        kind="packet-loss", target="all", at=after(6), for_=lasting(5), loss=0.3
    )
    jitter = dataclasses.replace(settings.network, jitter=JitterLaw(cv=0.5))
    network = settings.network if case["grid"] else jitter
    settings = dataclasses.replace(settings, faults=(*settings.faults, loss), network=network)
    assert_equal(both(settings, recorded))


def test_equal_when_errors_begin_after_clients_have_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a master still works on may be of messages that were forgotten long ago."""
    monkeypatch.setattr(window, "CHUNK_BITS", 3)
    errors = FAULTS["error-rate"](
        kind="error-rate", target="all", at=after(12), for_=lasting(10), rate=0.5
    )
    settings = world(
        30,
        masters=masters(2, service=Constant(mean_ns=8 * SECOND), workers=40),
        traffic=traffic(4, owned=1.0, timeout_ns=SECOND, retry=RetrySettings(attempts=2)),
        faults=(errors,),
        detection=detection(evidence=("probe",), fall=100),
    )
    journal = assert_equal(both(settings))
    records = [m for _, m in journal.of(MessageRecord)]
    assert records
    assert all(m.outcome != Cause.OK for m in records)
    # Whoever wrote has left, and hears of nothing: none of it is acknowledged.
    assert sum(h.acknowledged for _, h in journal.of(WritesHeld)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(FAULTS))
@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_equal_on_twenty_seeds(algorithm: str, kind: str) -> None:
    for seed in range(SEEDS):
        case = {"algorithm": algorithm, "kind": kind, **others_of(seed, algorithm, kind)}
        settings, recorded = world_of(case, seed=seed)
        assert_equal(both(settings, recorded, seed=seed))


def test_twenty_seeds_are_twenty_settings_with_every_value_and_arrivals_of_their_own() -> None:
    for algorithm, kind in itertools.product(ALGORITHMS, FAULTS):
        found = [others_of(seed, algorithm, kind) for seed in range(SEEDS)]
        assert len({name_of(case) for case in found}) == SEEDS
        for name, values in OTHERS.items():
            assert {case[name] for case in found} == set(values), (algorithm, kind, name)
    case = {**CASES[0], "grid": True}
    arrivals = [world_of(case, seed=seed)[1].arrivals_ns.tolist() for seed in range(SEEDS)]
    assert all(one != other for one, other in itertools.combinations(arrivals, 2))


def test_every_two_values_of_different_factors_meet_in_some_case() -> None:
    met = {pair for case in CASES for pair in itertools.combinations(case.items(), 2)}
    for (a, u), (b, v) in itertools.combinations(FACTORS.items(), 2):
        assert {((a, x), (b, y)) for x in u for y in v} <= met


def test_the_plane_knows_every_algorithm() -> None:
    assert all(map(availability.available, ALGORITHMS))


def last(fleet: Fleet, request: Request) -> int:
    return max((i for i, weight in enumerate(fleet.weight) if weight > 0.0), default=-1)


@pytest.mark.parametrize("name", ["last", "least-loaded"])
def test_a_users_own_algorithm_runs_on_the_reference_plane(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "ALGORITHMS", ALGORITHMS)
    monkeypatch.setitem(ALGORITHMS, name, registry.Algorithm("The last one.", last))
    settings = world(
        5,
        traffic=traffic(50, owned=0.0),
        balancing=from_plain(BalancingSettings, {"algorithm": name}),
        data_plane="compiled",
    )
    journal = run(settings)
    assert {a.master for _, a in journal.of(AttemptRollup)} == {"m3"}
    first = dataclasses.replace(settings.balancing, algorithm="round-robin")
    switch = Switch(do="switch-algorithm", at_ns=2 * SECOND, algorithm=name)
    journal = run(dataclasses.replace(settings, balancing=first, operations=(switch,)))
    chosen = {a.master: a.attempts for _, a in journal.of(AttemptRollup)}
    assert chosen["m3"] > 3 * chosen["m1"] > 0


def switch_to(built: World, algorithm: str) -> Callable[[], None]:
    return lambda: built.feed(SwitchAlgorithm(algorithm))


def test_one_algorithm_may_follow_another_during_a_run() -> None:
    """Every pair of neighbours in the list, each with its memory begun afresh."""
    names = list(ALGORITHMS)
    journals = []
    for kind in ("reference", "compiled"):
        settings = world(
            2 * len(names),
            traffic=traffic(30, owned=0.2, keys=KeySettings(number=50)),
            balancing=BalancingSettings(ring_size=64, table_size=251),
            data_plane=kind,
        )
        built = build(settings, keep_messages=True)
        for number, name in enumerate(names, 1):
            at = 2 * number * SECOND - 1
            Call(built.env, at, INPUT, lambda e: e.load(), switch_to(built, name))
        built.changes.changed()
        built.start()
        built.messages.run(settings.horizon_ns)
        conclude(built, messages=True)
        journals.append(built.journal)
    assert_equal((journals[0], journals[1]))
    assert sum(1 for _ in journals[0].of(AlgorithmSwitched)) == len(names) - 1


PROGRAM = """
import sys
from tests.simulation.planes import both
from tests.simulation.clients.compiled.test_compiled import CASES, world_of
case = {**CASES[0], "algorithm": "least-loaded", "workers": 1, "grid": False, "owned": 0.0}
reference, compiled = both(*world_of(case))
assert reference == compiled
print([m.body.master for m in compiled.records if type(m.body).__name__ == "MessageRecord"])
"""


def test_an_edited_picker_takes_effect(tmp_path: Path) -> None:
    """numba's cache must not answer for the picker that was there before."""
    root = Path(hasim.__file__).parent.parent
    for part in ("hasim", "scenarios", "tests"):
        shutil.copytree(root / part, tmp_path / part)

    def masters_chosen() -> str:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    before = masters_chosen()
    assert masters_chosen() == before
    picker = tmp_path / "hasim/services/balancing/pickers/least_loaded.py"
    old = "(counts[first + index] < turn)"
    text = picker.read_text()
    assert text.count(old) == 1
    picker.write_text(text.replace(old, old.replace("<", ">=")))  # ties to the last one picked
    assert masters_chosen() != before


def test_the_reference_plane_does_without_numba() -> None:
    program = (
        "import sys\n"
        "from tests.simulation.worlds import run, world\n"
        "run(world(5, data_plane='reference'))\n"
        "print('numba' in sys.modules)\n"
        "run(world(5, data_plane='compiled'))\n"
        "print('numba' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["False", "True"]
