"""Detection times of the simulated prober against their closed form.

Polling with completion-scheduled checks: a crash is declared after
U(0, I) + (F - 1) I_f, a hang after U(0, I) + F T + (F - 1) I_f, where the phase
U counts from the last completed check.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from hasim.events import StatusChanged
from hasim.model import Status
from hasim.simulation.laws import Uniform
from hasim.simulation.settings.faults import Crash, Fault, Hang
from hasim.truth import FaultStarted
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.worlds import NO_LATENCY, after, lasting, run, traffic, world

POLLING = detection(
    evidence=("probe",),
    interval_ns=10 * SECOND,
    fast_interval_ns=SECOND,
    timeout_ns=700 * MILLISECOND,
    fall=3,
)


def detection_times(fault: Fault, count: int) -> np.ndarray:
    settings = world(
        100, network=NO_LATENCY, traffic=traffic(0.01), detection=POLLING, faults=(fault,)
    )
    times = []
    for replication in range(count):
        journal = run(settings, seed=5, replication=replication)
        start = next(t for t, _ in journal.of(FaultStarted))
        times.append(
            next(t for t, e in journal.of(StatusChanged) if e.new is Status.FAILED) - start
        )
    return np.array(times) / SECOND


@pytest.mark.parametrize(
    ("kind", "low"),
    [(Crash, 2 * 1.0), (Hang, 3 * 0.7 + 2 * 1.0)],
    ids=["crash", "hang"],
)
def test_polling_matches_its_closed_form(kind: type[Fault], low: float) -> None:
    name = kind.__name__.lower()
    # The fault falls anywhere in whole cycles of the prober.
    at = (Uniform(low_ns=20 * SECOND, high_ns=60 * SECOND),)
    times = detection_times(kind(kind=name, at=at, for_=lasting(1000)), 200)
    assert times.min() >= low
    assert times.max() <= low + 10.0
    assert kstest(times, "uniform", args=(low, 10.0)).pvalue > 0.001


def test_messages_bring_a_declaration_long_before_the_next_probe() -> None:
    """Two refused messages and one refused probe: no later than the 30 s rhythm would allow."""
    settings = world(
        100,
        traffic=traffic(60, owned=1.0),
        faults=(Crash(kind="crash", at=(Uniform(low_ns=30 * SECOND, high_ns=60 * SECOND),)),),
    )
    for replication in range(10):
        journal = run(settings, seed=5, replication=replication)
        start = next(t for t, _ in journal.of(FaultStarted))
        declared = next(t for t, e in journal.of(StatusChanged) if e.new is Status.FAILED)
        # Poisson at 20/s per owner: two arrivals within 2 s but for e^-40.
        assert 0 < declared - start < 2 * SECOND


EACH_30_S = detection(
    evidence=("probe",), interval_ns=30 * SECOND, fast_interval_ns=30 * SECOND, fall=2
)
"""Detection of a crash takes U(30, 60) s."""


def declared_after_s(at_s: float, probes: str, replication: int, **beside: Any) -> float:
    settings = world(
        200,
        network=NO_LATENCY,
        traffic=traffic(0.01),
        probes=probes,
        faults=(Crash(kind="crash", target="m2", at=after(at_s), for_=lasting(1000)),),
        **{"detection": EACH_30_S, **beside},
    )
    journal = run(settings, seed=9, replication=replication)
    failed = [t_ns for t_ns, event in journal.of(StatusChanged) if event.new is Status.FAILED]
    return failed[0] / SECOND - at_s


@pytest.mark.parametrize("at_s", [20, 60, 61, 75, 89])
def test_a_fault_at_a_set_time_meets_any_phase(at_s: float) -> None:
    times = [declared_after_s(at_s, "stretches", replication) for replication in range(120)]
    assert 30 <= min(times) < max(times) <= 60
    assert kstest(times, "uniform", args=(30, 30)).pvalue > 0.001


def test_the_phase_is_the_same_however_probes_are_simulated_and_whatever_judges() -> None:
    """Common random numbers: detection alone differs, by what the settings say."""
    other = detection(
        evidence=("probe",), interval_ns=30 * SECOND, fast_interval_ns=10 * SECOND, fall=3
    )
    for replication in range(5):
        one = declared_after_s(60, "stretches", replication)
        assert declared_after_s(60, "single", replication) == one
        # The probe that finds it, and two after 10 s instead of one after 30 s.
        found = declared_after_s(60, "stretches", replication, detection=other)
        assert found == pytest.approx(one - 30 + 20, abs=1e-6)
