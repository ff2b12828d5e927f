"""Both data planes against queueing theory, within confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import t as student

from hasim.measures import Measured, measure
from hasim.simulation.laws import Exponential
from hasim.sketch import count, middle_ns
from hasim.study.estimates.statistics import Interval, mean_interval
from hasim.study.estimates.warm_up import cut_off, steady
from hasim.truth import MessageRecord
from hasim.units import MILLISECOND
from tests.simulation.worlds import NO_LATENCY, masters, run, traffic, world
from tests.study import standins

MEAN_S = 0.02
erlang_c = standins.script("capacity").erlang_c


def mean_times_in_system(c: int, rho: float, replications: int, plane: str) -> np.ndarray:
    """Mean time in system of each replication, in seconds, at one master with `c` workers."""
    horizon_s = 60 if c > 1 else 400  # one worker: fewer messages a second, longer memory
    settings = world(
        horizon_s,
        masters=masters(1, service=Exponential(mean_ns=20 * MILLISECOND), workers=c, queue=10**6),
        traffic=traffic(c * rho / MEAN_S, owned=0.0, timeout_ns=10**12, deadline_ns=10**12),
        network=NO_LATENCY,
        data_plane=plane,
    )
    means = []
    for replication in range(replications):
        journal = run(settings, seed=11, replication=replication, messages=True)
        spans = [
            (m.ended_ns - m.arrived_ns) / 1e9
            for _, m in journal.of(MessageRecord)
            # warm-up and the end of the run left out
            if 10e9 < m.arrived_ns < (horizon_s - 5) * 1e9
        ]
        means.append(float(np.mean(spans)))
    return np.array(means)


@pytest.mark.parametrize("plane", ["reference", "compiled"])
@pytest.mark.parametrize(("c", "rho"), [(1, 0.5), (1, 0.7), (5, 0.5), (10, 0.5), (5, 0.8)])
def test_time_in_system_of_mmc(c: int, rho: float, plane: str) -> None:
    means = mean_times_in_system(c, rho, 12, plane)
    expected = MEAN_S + erlang_c(c, rho) * MEAN_S / (c * (1 - rho))
    # 99.9 %: this is one of five fixed seeds, not a hypothesis to be rejected 1 in 20 times.
    half = student.ppf(0.9995, len(means) - 1) * means.std(ddof=1) / math.sqrt(len(means))
    assert abs(means.mean() - expected) < half
    assert half < 0.12 * expected  # and the interval is narrow enough to prove something


MM1_REPLICATIONS = 800


def queue_that_starts_empty(warm_up: str) -> list[Measured]:
    """M/M/1 at 90 % load for 44 s (2000 messages), many times over."""
    settings = world(
        44,
        masters=masters(1, service=Exponential(mean_ns=20 * MILLISECOND), workers=1, queue=10**6),
        traffic=traffic(0.9 / MEAN_S, owned=0.0, timeout_ns=10**13, deadline_ns=10**13),
        network=NO_LATENCY,
        warm_up=warm_up,
    )
    return [
        measure(run(settings, seed=3, replication=number)) for number in range(MM1_REPLICATIONS)
    ]


def mean_latencies(runs: Sequence[Measured]) -> Interval:
    """The mean latency over replications, in seconds, to the sketch's accuracy of 1 %."""
    means = []
    for one in runs:
        (row,) = one.latencies
        total = sum(middle_ns(cell) / 1e9 * cell[2] for cell in row.cells)
        means.append(total / count(row.cells))
    return mean_interval(means)


@pytest.mark.slow
def test_mser_5_takes_out_the_bias_of_a_queue_that_starts_empty() -> None:
    """1/(mu - lambda) = 0.2 s in the long run, but the first seconds of an empty queue are short.

    The interval of the whole misses it, that of what MSER-5 leaves does not.
    """
    expected = MEAN_S / (1 - 0.9)
    runs = queue_that_starts_empty("mser-5")
    whole, rest, cut = mean_latencies(runs), mean_latencies(steady(runs)), cut_off(runs)
    assert whole.high < expected
    assert rest.low <= expected <= rest.high
    # The rule trades bias for variance, and leaves a little.
    assert rest.value is not None
    assert whole.value is not None
    assert expected - rest.value < 0.5 * (expected - whole.value)
    assert cut is not None
    assert not cut.too_short
    assert 2 < cut.end_s < 22
    assert 0.05 < cut.cut / cut.offered < 0.5


def test_erlang_c_against_published_values() -> None:
    """Brooker 2020-08-06: 13.0 % at (5, 0.5), 3.6 % at (10, 0.5); 55.41 % at (5, 0.8)."""
    assert erlang_c(5, 0.5) == pytest.approx(0.130, abs=5e-4)
    assert erlang_c(10, 0.5) == pytest.approx(0.036, abs=5e-4)
    assert erlang_c(5, 0.8) == pytest.approx(0.5541, abs=5e-5)
