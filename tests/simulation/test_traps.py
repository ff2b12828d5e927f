"""Known traps of load balancing under failure: they show here, and so do their cures."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hasim.journal import Journal
from hasim.model import Cause
from hasim.scenario.catalogue import shipped
from hasim.scenario.loader import from_data, load
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.guards import LimitSettings, OutlierSettings
from hasim.simulation.laws import Constant
from hasim.simulation.run import simulate
from hasim.simulation.settings import HedgeSettings, RetrySettings, TraceArrivals
from hasim.simulation.world import World
from hasim.truth import AttemptRollup, MessageRecord, TrafficRollup
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation import planes
from tests.simulation.planes import FAULTS, on_grid
from tests.simulation.worlds import NO_LATENCY, after, lasting, masters, run, traffic, world

even_phases = planes.even_phases

PLANES = ("reference", "compiled")
DEAF = detection(evidence=("probe",), interval_ns=3600 * SECOND)
"""Health checks that are so rare that nothing is ever found out."""


def of(name: str, **overrides: Any) -> Journal:
    """The first replication of the first cell of a shipped scenario."""
    loaded = load(shipped()[name], {k.replace("__", "."): v for k, v in overrides.items()}.items())
    cell = loaded.cells[0]
    recorded = loaded.recorded_of(cell)
    return simulate(cell.world, recorded, seed=1, replication=0)


def attempts_of(journal: Journal) -> dict[tuple[str, Cause], int]:
    return {(a.master, a.cause): a.attempts for _, a in journal.of(AttemptRollup)}


# -- the black hole ---------------------------------------------------------------------


def swallowed(**overrides: Any) -> float:
    """Share of the messages that the crashed master refused in the first 10 s of its crash."""
    journal = of("black-hole", vary={}, faults__0__at="60s", **overrides)
    found = [r for _, r in journal.of(TrafficRollup) if r.start_ns == 60 * SECOND]
    refused = sum(r.messages for r in found if r.outcome == Cause.REFUSED)
    return refused / sum(r.messages for r in found)


def test_a_master_that_refuses_at_once_attracts_most_of_the_traffic() -> None:
    assert swallowed() > 0.6
    # An even share for comparison: a fifth.
    assert swallowed(balancing__algorithm="round-robin") == pytest.approx(0.2, abs=0.02)


def test_it_attracts_nearly_all_where_masters_do_many_things_at_once() -> None:
    """Idle masters tie with it, and those that serve for long are never idle; the load is 60 %."""
    slow = {"masters__0__workers": 40, "masters__0__service__mean": "1500ms"}
    patient = {"traffic__timeout": "10s", "traffic__deadline": "20s"}
    assert swallowed(**slow, **patient) > 0.95


@pytest.mark.parametrize(
    "cure",
    [
        {"balancing__outliers": {}},
        {"balancing__breaker": {}},
        {"detection__evidence": ["probe", "messages"]},
    ],
)
def test_what_cures_the_black_hole(cure: dict[str, Any]) -> None:
    assert swallowed(**cure) < 0.02


def test_latency_alone_is_no_cure() -> None:
    """Fast errors are fast: Finagle's rule sends them twice an even share; a penalty helps."""
    rule = {"balancing__algorithm": "peak-ewma"}
    assert swallowed(**rule) > 0.35
    assert swallowed(**rule, balancing__failure_penalty="5s") < 0.15


def test_a_cap_of_ten_per_cent_of_five_masters_ejects_nobody() -> None:
    """Envoy's default; here one may always be ejected unless it is told otherwise."""
    assert swallowed(balancing__outliers={"always_eject_one": False}) > 0.6


# -- the retry storm --------------------------------------------------------------------


def last_minute(rate: int, budget: str) -> float:
    """Share of the messages of the last full minute that were answered, ten minutes after."""
    journal = of(
        "retry-storm", vary={}, traffic__arrivals__rate=f"{rate}/s", traffic__retry__budget=budget
    )
    found = [r for _, r in journal.of(TrafficRollup) if 530 <= r.start_ns / SECOND < 590]
    return sum(r.in_time for r in found) / sum(r.messages for r in found)


@pytest.mark.parametrize(
    ("rate", "budget", "recovers"),
    [
        (280, "100%", False),
        (200, "100%", False),
        (145, "100%", True),
        (280, "0%", True),
        (240, "10%", True),
        (280, "10%", False),
    ],
)
def test_a_retry_storm_outlives_its_cause_unless_the_budget_forbids(
    rate: int, budget: str, recovers: bool
) -> None:
    """Capacity 300/s: it recovers as long as rate x (1 + budget) is below."""
    answered = last_minute(rate, budget)
    assert answered > 0.999 if recovers else answered < 0.001


# -- counting -----------------------------------------------------------------------------


@pytest.mark.parametrize("plane", PLANES)
def test_a_crashed_master_finishes_nothing_afterwards(plane: str) -> None:
    crash = FAULTS["crash"](kind="crash", target="m1", at=after(10), for_=lasting(100))
    settings = world(
        40,
        masters=masters(2, service=Constant(mean_ns=300 * MILLISECOND), workers=2),
        network=NO_LATENCY,
        traffic=traffic(8, owned=0.0, timeout_ns=5 * SECOND),
        faults=(crash,),
        detection=DEAF,
        data_plane=plane,
    )
    ended = [
        m.ended_ns
        for _, m in run(settings, messages=True).of(MessageRecord)
        if (m.master, m.outcome) == ("m1", Cause.OK)
    ]
    assert 9 * SECOND < max(ended) <= 10 * SECOND


@pytest.mark.parametrize("plane", PLANES)
def test_least_loaded_counts_what_is_queued(plane: str) -> None:
    """A slow master with one worker and a long queue gets no more than it can do."""
    slow = FAULTS["slow"](kind="slow", target="m1", at=after(0), for_=lasting(1000), speed=0.1)
    settings = world(
        60,
        masters=masters(2, service=Constant(mean_ns=100 * MILLISECOND), workers=1, queue=10**6),
        network=NO_LATENCY,
        traffic=traffic(9, owned=0.0, timeout_ns=60 * SECOND, deadline_ns=60 * SECOND),
        faults=(slow,),
        balancing=BalancingSettings(algorithm="least-loaded"),
        detection=DEAF,
        data_plane=plane,
    )
    sent = {"m1": 0, "m2": 0}
    for (master, _), count in attempts_of(run(settings)).items():
        sent[master] += count
    # By the number in service alone it would be half and half.
    assert sent["m1"] < 0.2 * sum(sent.values())


@pytest.mark.parametrize("plane", PLANES)
def test_a_lost_message_leaves_every_count_of_what_is_in_flight(plane: str) -> None:
    """Requests and answers get lost, are hedged, retried, refused: at the end nothing is left."""
    loss = FAULTS["packet-loss"](
        kind="packet-loss", target="all", at=after(0), for_=lasting(20), loss=0.3
    )
    settings = world(
        60,
        traffic=traffic(
            50,
            owned=0.3,
            timeout_ns=SECOND,
            retry=RetrySettings(attempts=3),
            hedge=HedgeSettings(after_ns=50 * MILLISECOND, budget=1.0),
        ),
        faults=(loss,),
        balancing=BalancingSettings(
            algorithm="least-loaded",
            limits=LimitSettings(max_concurrency=3, max_queue=10, max_requests=8),
            outliers=OutlierSettings(),
        ),
        detection=DEAF,
        data_plane=plane,
    )
    on_trace = dataclasses.replace(settings.traffic, arrivals=TraceArrivals(trace="", column=""))
    settings = dataclasses.replace(settings, traffic=on_trace)
    made = World(settings, on_grid(50, 20, 1), seed=1, replication=0)  # the last one comes at 20 s
    made.changes.changed()
    made.injector.schedule(settings.faults, settings.horizon_ns)
    made.start()
    made.messages.run(settings.horizon_ns)
    causes = {cause for _, cause in made.messages.attempt_causes}
    assert {Cause.OK, Cause.TIMEOUT, Cause.CANCELLED} <= causes
    for gateway in made.front.gateways.values():
        assert list(gateway.balancer.choice.fleet.in_flight) == [0, 0, 0]
        assert gateway.balancer.choice.protection.gate.in_flight == 0


# -- hedging ------------------------------------------------------------------------------


def hedged(**hedge: Any) -> Journal:
    """One of twenty masters has become slow; nobody is told."""
    data = {
        "horizon": "60s",
        "masters": [
            {"id": f"m{n}", "workers": 8, "service": {"law": "exponential", "mean": "20ms"}}
            for n in range(20)
        ],
        "traffic": {
            "arrivals": {"law": "poisson", "rate": "300/s"},
            "owned": "0%",
            "hedge": hedge,
        },
        "faults": [{"kind": "slow", "target": "m3", "speed": "2%", "at": "0s", "for": "2m"}],
        "detection": {"evidence": ["probe"]},
        "network": {"rtt": "1ms"},
    }
    loaded = from_data(data)
    cell = loaded.cells[0]
    return simulate(cell.world, loaded.recorded_of(cell), seed=1, replication=0, messages=True)


def p99_ms(journal: Journal) -> float:
    found = sorted(m.ended_ns - m.arrived_ns for _, m in journal.of(MessageRecord) if m.outcome)
    return found[int(0.99 * len(found))] / MILLISECOND


def test_hedging_cuts_the_tail_for_a_few_per_cent_of_messages() -> None:
    """Dean, Barroso 2013: a second request after the 95th percentile, about 5 % more load."""
    plain, with_hedges = hedged(), hedged(quantile="95%", budget="10%")
    assert p99_ms(plain) > 500
    assert p99_ms(with_hedges) < 250
    messages = sum(1 for _ in with_hedges.of(MessageRecord))
    attempts = sum(attempts_of(with_hedges).values())
    assert 1.03 < attempts / messages < 1.1


def test_the_budget_bounds_the_second_attempts() -> None:
    journal = hedged(after="1ms", budget="2%", reserve=5)
    messages = sum(1 for _ in journal.of(MessageRecord))
    second = sum(attempts_of(journal).values()) - messages
    assert 0.019 * messages < second <= 0.02 * messages + 5


def test_what_was_cancelled_is_counted_and_answered_by_the_other() -> None:
    journal = hedged(after="50ms", budget="100%")
    attempts = attempts_of(journal)
    cancelled = sum(count for (_, cause), count in attempts.items() if cause is Cause.CANCELLED)
    assert cancelled > 100
    answered = sum(count for (_, cause), count in attempts.items() if cause is Cause.OK)
    assert answered == sum(m.outcome == Cause.OK for _, m in journal.of(MessageRecord))
