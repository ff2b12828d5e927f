"""What promotions, transfers, fences and restarts take, by a law: against the law's quantiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kstest

from hasim.measures import measure
from hasim.services.failover import ConfirmedSettings, FailoverSettings
from hasim.simulation.durations import Durations
from hasim.simulation.laws import (
    Constant,
    Exponential,
    Lognormal,
    Uniform,
    Weibull,
    least_ns,
    longest_ns,
)
from hasim.simulation.settings import (
    FencingDeviceSettings,
    PromotionSettings,
    ReplicationSettings,
)
from hasim.simulation.settings.faults import Crash
from hasim.truth import MasterFenced, MasterRestarted
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.worlds import NO_LATENCY, after, lasting, run, traffic, world

SIGMA = math.log(32 / 22) / 1.2815515655446004
MEASURED = Lognormal(
    mean_ns=round(22 * MILLISECOND * math.exp(SIGMA**2 / 2)), cv=math.sqrt(math.expm1(SIGMA**2))
)
"""Promotions of real processes: median 22 ms, 90 % within 32 ms."""


def failovers(count: int) -> list[tuple[float, float, float, float]]:
    """Seconds of fencing, transferring, promoting, and off, of so many replications."""
    settings = world(
        30,
        2,
        network=NO_LATENCY,
        traffic=traffic(0.01),
        detection=detection(interval_ns=SECOND),
        faults=(Crash(kind="crash", target="m1", at=after(3), for_=lasting(100)),),
        promotion=PromotionSettings(duration=MEASURED),
        replication=ReplicationSettings(setup=Uniform(low_ns=SECOND, high_ns=2 * SECOND)),
        fencing_device=FencingDeviceSettings(
            latency=Exponential(mean_ns=200 * MILLISECOND), restart=Weibull(mean_ns=SECOND, shape=2)
        ),
        failover=FailoverSettings(fencing=ConfirmedSettings(), transfer_timeout_ns=10 * SECOND),
    )
    found = []
    for replication in range(count):
        journal = run(settings, seed=3, replication=replication)
        (failover,) = [f for f in measure(journal).failovers if f.outcome == "completed"]
        fenced = next(t for t, _ in journal.of(MasterFenced))
        back = next(t for t, _ in journal.of(MasterRestarted))
        steps = failover.fencing_s, failover.transferring_s, failover.promoting_s
        found.append((*steps, (back - fenced) / SECOND))
    return found


def test_each_step_takes_its_time_by_its_law() -> None:
    fencing, transferring, promoting, off = np.array(failovers(300)).T
    assert kstest(fencing, "expon", args=(0, 0.2)).pvalue > 0.001
    assert kstest(transferring, "uniform", args=(1, 1)).pvalue > 0.001
    assert kstest(promoting, "lognorm", args=(SIGMA, 0, 0.022)).pvalue > 0.001
    assert kstest(off, "weibull_min", args=(2, 0, 1 / math.gamma(1.5))).pvalue > 0.001
    assert abs(np.corrcoef(fencing, promoting)[0, 1]) < 4 / math.sqrt(300)


def test_the_law_has_the_quantiles_that_were_measured() -> None:
    u = np.array([0.5, 0.9])
    assert MEASURED.quantile(u) / MILLISECOND == pytest.approx([22, 32], rel=1e-6)


def test_what_one_master_needs_does_not_shift_the_luck_of_another() -> None:
    one, other = (
        Durations(MEASURED, "promotion", ["a", "b"], seed=1, replication=0) for _ in range(2)
    )
    assert [one.next_ns("a") for _ in range(5)] != [one.next_ns("b") for _ in range(5)]
    once = other.next_ns("b")
    assert once == Durations(MEASURED, "promotion", ["b"], seed=1, replication=0).next_ns("b")


def test_bounds_of_laws() -> None:
    assert least_ns(Uniform(low_ns=3, high_ns=9)) == 3
    assert least_ns(Exponential(mean_ns=5)) == 5
    assert longest_ns(Constant(mean_ns=7)) == 7
    assert longest_ns(Uniform(low_ns=0, high_ns=100_000)) == pytest.approx(100_000, rel=1e-3)
    assert longest_ns(Exponential(mean_ns=1000)) == math.ceil(1000 * math.log(1e4))
