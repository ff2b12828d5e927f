"""Service that breaks down, slows with load, or is cold, against closed forms, on both planes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hasim.model import Cause
from hasim.simulation.clients.results import OUTCOMES
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.settings import ColdSettings, WorldSettings
from hasim.simulation.settings.faults import AddedDelay, Crash, ErrorRate, Hang
from hasim.truth import MessageRecord
from hasim.units import HOUR, MILLISECOND, SECOND
from tests.intervals import assert_met
from tests.services.bench import detection
from tests.simulation.worlds import (
    NO_LATENCY,
    after,
    lasting,
    masters,
    results,
    run,
    traffic,
    world,
)

PLANES = pytest.mark.parametrize("plane", ["compiled", "reference"])
UNSEEN = detection(evidence=("probe",), interval_ns=HOUR)
MEAN_NS = 10 * MILLISECOND


def queue(rate: float, horizon_s: float, plane: str, **more: object) -> WorldSettings:
    """One master, patient clients, nobody who looks."""
    master = {"workers": 1, "queue": 10**6, "service": Exponential(mean_ns=MEAN_NS)}
    for name in list(more):
        if name in ("workers", "queue", "service", "capacity", "cold_start"):
            master[name] = more.pop(name)
    return world(
        horizon_s,
        masters=masters(1, **master),
        traffic=traffic(rate, owned=0.0, timeout_ns=10**13, deadline_ns=10**13),
        network=NO_LATENCY,
        detection=UNSEEN,
        data_plane=plane,
        **more,
    )


def messages(settings: WorldSettings, replication: int) -> list[MessageRecord]:
    """Those of a replication that arrived neither at its start nor near its end."""
    found = run(settings, seed=7, replication=replication, messages=True)
    end_ns = settings.horizon_ns - 5 * SECOND
    return [m for _, m in found.of(MessageRecord) if 5 * SECOND < m.arrived_ns < end_ns]


def latency_s(message: MessageRecord) -> float:
    return (message.ended_ns - message.arrived_ns) / SECOND


def settled(settings: WorldSettings, replication: int) -> tuple[np.ndarray, np.ndarray]:
    """The latencies (s) and outcomes of those messages, as arrays."""
    (found,) = results(settings, seed=7, replication=replication)
    end_ns = settings.horizon_ns - 5 * SECOND
    inside = (found.arrival_ns > 5 * SECOND) & (found.arrival_ns < end_ns)
    latency_s = (found.ended_ns - found.arrival_ns)[inside] / SECOND
    return latency_s, found.outcome[inside]


SCALE = SECOND / MEAN_NS
"""So many services a second."""


def in_system(load: float, breaks: float, repairs: float) -> float:
    """Mean number in the system, all rates relative to that of service (White, Christie 1958)."""
    up = repairs / (breaks + repairs)
    return load * (1 + breaks / (breaks + repairs) ** 2) / (up - load)


def with_breakdowns(
    plane: str, load: float, breaks: float, repairs: float, horizon_s: float
) -> Any:
    hang = Hang(
        kind="hang",
        target="m1",
        every=Exponential(mean_ns=round(SECOND / (breaks * SCALE))),
        for_=Exponential(mean_ns=round(SECOND / (repairs * SCALE))),
    )
    return queue(load * SCALE, horizon_s, plane, faults=(hang,))


@pytest.mark.parametrize(
    ("plane", "horizon_s", "runs", "within"),
    [
        ("compiled", 300, 12, 0.06),
        ("reference", 50, 12, 0.15),
        pytest.param("compiled", 1000, 16, 0.02, marks=pytest.mark.slow),
    ],
)
def test_mm1_with_breakdowns(plane: str, horizon_s: float, runs: int, within: float) -> None:
    """Service is interrupted and goes on, and breaks down while nobody is there, too.

    A third longer than without breakdowns; at (.5, .1, .4) it would be 7/3 of a service for 1
    (Avi-Itzhak and Naor, Operations Research 11, 1963).
    """
    assert in_system(0.5, 0.1, 0.4) == pytest.approx(7 / 3)
    settings = with_breakdowns(plane, 0.3, 0.05, 0.5, horizon_s)
    means = [settled(settings, n)[0].mean() for n in range(runs)]
    assert_met(means, in_system(0.3, 0.05, 0.5) / (0.3 * SCALE), within)


def chain(rate: float, capacity: float, workers: int, room: int) -> np.ndarray:
    """Stationary probabilities of 0, 1, ... in the system: a birth-death chain."""
    weights = [1.0]
    for n in range(1, room + 1):
        served = min(n, workers) / (MEAN_NS / SECOND) / (1 + n / capacity)
        weights.append(weights[-1] * rate / served)
    return np.array(weights) / sum(weights)


@PLANES
@pytest.mark.parametrize(
    ("workers", "capacity", "rate", "room"), [(1, 5.0, 50.0, 6), (4, 8.0, 220.0, 10)]
)
def test_service_that_slows_with_load_is_a_birth_death_chain(
    plane: str, workers: int, capacity: float, rate: float, room: int
) -> None:
    # The compiled plane affords many times as many messages.
    messages, within = (150_000, 0.02) if plane == "compiled" else (2_000, 0.15)
    settings = queue(
        rate, messages / rate + 10, plane, workers=workers, queue=room - workers, capacity=capacity
    )
    p = chain(rate, capacity, workers, room)
    number = float(p @ np.arange(room + 1))
    found = [settled(settings, n) for n in range(24)]
    answered, rejected = (OUTCOMES.index(cause) for cause in (Cause.OK, Cause.REJECTED))
    means = [latency_s[outcome == answered].mean() for latency_s, outcome in found]
    assert_met(means, number / (rate * (1 - p[-1])), within)
    assert_met([(outcome == rejected).mean() for _, outcome in found], p[-1], within)


@PLANES
def test_a_master_is_cold_after_its_return(plane: str) -> None:
    """Three times as long at first, then linearly less, in ten steps, for ten seconds."""
    crash = Crash(kind="crash", target="m1", at=after(10), for_=lasting(5))
    settings = queue(
        2.0,
        40,
        plane,
        workers=8,
        service=Constant(mean_ns=MEAN_NS),
        faults=(crash,),
        cold_start=ColdSettings(factor=3.0, for_ns=10 * SECOND),
    )
    served = [m for m in messages(settings, 0) if m.outcome == Cause.OK]
    late = [m for m in served if 15 * SECOND < m.arrived_ns < 25 * SECOND]
    assert len(late) > 10
    for message in served:
        step = (message.arrived_ns - 15 * SECOND) // SECOND
        expected = 1 + 2 * (1 - (step + 0.5) / 10) if 0 <= step < 10 else 1.0
        if (message.arrived_ns + 3 * MEAN_NS) // SECOND == message.arrived_ns // SECOND:
            assert latency_s(message) == pytest.approx(expected * MEAN_NS / SECOND, abs=1e-8)


@PLANES
def test_an_added_delay_is_kept_by_what_began_under_it(plane: str) -> None:
    fault = AddedDelay(
        kind="added-delay", target="m1", at=after(10), for_=lasting(5), extra_ns=200 * MILLISECOND
    )
    settings = queue(
        20.0, 30, plane, workers=50, service=Constant(mean_ns=MEAN_NS), faults=(fault,)
    )
    for message in messages(settings, 0):
        delayed = 10 * SECOND <= message.arrived_ns < 15 * SECOND
        assert latency_s(message) == pytest.approx(0.21 if delayed else 0.01, abs=1e-9)


@PLANES
@pytest.mark.parametrize(("takes_ns", "expected_s"), [(None, 0.01), (2 * MILLISECOND, 0.002)])
def test_an_error_has_a_time_of_its_own(
    plane: str, takes_ns: int | None, expected_s: float
) -> None:
    fault = ErrorRate(
        kind="error-rate", target="m1", at=after(10), for_=lasting(8), rate=0.5, takes_ns=takes_ns
    )
    service = Constant(mean_ns=MEAN_NS)
    settings = queue(20.0, 30, plane, workers=50, service=service, faults=(fault,))
    found = messages(settings, 0)
    errors = {round(latency_s(m), 9) for m in found if m.outcome == Cause.ERROR}
    others = {round(latency_s(m), 9) for m in found if m.outcome == Cause.OK}
    assert (errors, others) == ({expected_s}, {0.01})


@PLANES
def test_what_waited_through_a_hang_is_answered_when_it_ends(plane: str) -> None:
    hang = Hang(kind="hang", target="m1", at=after(10), for_=lasting(5))
    settings = queue(5.0, 30, plane, workers=50, service=Constant(mean_ns=MEAN_NS), faults=(hang,))
    waited = [m for m in messages(settings, 0) if 10 * SECOND < m.arrived_ns < 15 * SECOND]
    assert len(waited) > 10
    assert {m.ended_ns for m in waited} == {15 * SECOND + MEAN_NS}
