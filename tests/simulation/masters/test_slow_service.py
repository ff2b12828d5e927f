"""Service that breaks down, slows with load, or is cold, against closed forms, on both planes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student

from hasim.model import Cause
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.settings import ColdSettings, WorldSettings
from hasim.simulation.settings.faults import AddedDelay, Crash, ErrorRate, Hang
from hasim.truth import MessageRecord
from hasim.units import HOUR, MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.worlds import NO_LATENCY, after, lasting, masters, run, traffic, world

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


def assert_mean(values: list[float], expected: float, narrow: float) -> None:
    """The 99.9 % interval holds what is expected, and proves something."""
    found = np.array(values)
    half = student.ppf(0.9995, len(found) - 1) * found.std(ddof=1) / math.sqrt(len(found))
    assert abs(found.mean() - expected) < half
    assert half < narrow * expected


@PLANES
def test_mm1_with_breakdowns(plane: str) -> None:
    """Service is interrupted and goes on: mean number in the system, Avi-Itzhak and Naor 1963.

    With arrivals l, service m, breakdowns a and repairs b: at (.5, 1, .1, .4) that is 7/3.
    """
    scale = SECOND / MEAN_NS  # so many services a second
    hang = Hang(
        kind="hang",
        target="m1",
        every=Exponential(mean_ns=round(SECOND / (0.1 * scale))),
        for_=Exponential(mean_ns=round(SECOND / (0.4 * scale))),
    )
    settings = queue(0.5 * scale, 110, plane, faults=(hang,))
    means = [np.mean([latency_s(m) for m in messages(settings, n)]) for n in range(12)]
    assert_mean(means, 7 / 3 / (0.5 * scale), narrow=0.12)


def chain(rate: float, capacity: float, workers: int, room: int) -> np.ndarray:
    """Stationary probabilities of 0, 1, ... in the system: a birth-death chain."""
    weights = [1.0]
    for n in range(1, room + 1):
        served = min(n, workers) / (MEAN_NS / SECOND) / (1 + n / capacity)
        weights.append(weights[-1] * rate / served)
    return np.array(weights) / sum(weights)


@PLANES
@pytest.mark.parametrize(("workers", "capacity", "rate"), [(1, 5.0, 50.0), (4, 8.0, 220.0)])
def test_service_that_slows_with_load_is_a_birth_death_chain(
    plane: str, workers: int, capacity: float, rate: float
) -> None:
    # The compiled plane affords many times as many messages: to 2 %.
    room = 16
    horizon_s, narrow = (90_000 / rate + 150, 0.02) if plane == "compiled" else (60, 0.1)
    settings = queue(
        rate, horizon_s, plane, workers=workers, queue=room - workers, capacity=capacity
    )
    p = chain(rate, capacity, workers, room)
    number = float(p @ np.arange(room + 1))
    found = [messages(settings, n) for n in range(12)]
    answered = [[latency_s(m) for m in one if m.outcome == Cause.OK] for one in found]
    rejected = [np.mean([m.outcome == Cause.REJECTED for m in one]) for one in found]
    assert_mean([np.mean(one) for one in answered], number / (rate * (1 - p[-1])), narrow)
    assert_mean(rejected, p[-1], 5 * narrow)


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
