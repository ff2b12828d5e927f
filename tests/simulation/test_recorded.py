"""Service times from a file and counts per bin: on both planes, and against theory."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.stats import chi2
from scipy.stats import t as student

from hasim.simulation.laws import Samples
from hasim.simulation.recorded import Bins, Recorded
from hasim.simulation.run import simulate
from hasim.simulation.service import law_of, with_recorded_service
from hasim.simulation.settings import RetrySettings, TrafficSettings, WorldSettings
from hasim.simulation.settings.faults import Crash
from hasim.simulation.settings.recordings import SampleFile, TraceArrivals
from hasim.truth import MessageRecord
from hasim.units import MILLISECOND, SECOND
from tests.simulation.planes import assert_equal, both
from tests.simulation.worlds import NO_LATENCY, after, lasting, masters, traffic, world

LOG = SampleFile(trace="log.csv", column=4, unit="s")
TIMES = np.sort(np.array([1.0, 2, 2, 5, 30, 60])) * MILLISECOND


def binned(count: list[int], width_s: int = 10) -> Bins:
    edges = np.arange(len(count) + 1) * width_s * SECOND
    return Bins(edges[:-1], edges[1:], np.array(count))


def counted(**more: object) -> TrafficSettings:
    arrivals = TraceArrivals(trace="", column="", count_="n")
    return TrafficSettings(arrivals=arrivals, **more)


def test_samples_are_drawn_by_the_empirical_distribution_function() -> None:
    law, u = Samples(TIMES), np.random.default_rng(1).random(1000)
    assert np.array_equal(law.quantile(u), np.quantile(TIMES, u, method="inverted_cdf"))
    assert law.mean_ns == pytest.approx(100 / 6 * MILLISECOND)
    assert law.quantile(np.array([0.0])) == TIMES[0]


def test_masters_with_the_same_file_share_a_law() -> None:
    settings = world(1, masters=(*masters(2, service=LOG), *masters(3)[2:]))
    read = with_recorded_service(settings, Recorded(service_ns={0: TIMES, 1: TIMES}))
    one, other, third = map(law_of, read.masters)
    assert isinstance(one, Samples)
    assert one is other
    assert third == settings.masters[2].service
    assert with_recorded_service(settings, Recorded()) is settings


def test_both_planes_are_equal_with_service_times_and_counts_from_files() -> None:
    settings = world(
        60,
        masters=(*masters(2, service=LOG, workers=2), *masters(3)[2:]),
        traffic=counted(owned=0.5, timeout_ns=SECOND, retry=RetrySettings(attempts=3)),
        faults=(Crash(kind="crash", target="m1", at=after(20), for_=lasting(15)),),
    )
    recorded = Recorded(
        bins=binned([200, 0, 700, 300, 100, 400, 900, 50]), service_ns={0: TIMES, 1: TIMES}
    )
    journal = assert_equal(both(settings, recorded))
    assert len(list(journal.of(MessageRecord))) > 1000


def arrivals_s(settings: WorldSettings, bins: Bins, replication: int) -> np.ndarray:
    journal = simulate(
        settings, Recorded(bins=bins), seed=3, replication=replication, messages=True
    )
    return np.array([m.arrived_ns for _, m in journal.of(MessageRecord)]) / SECOND


def test_each_bin_has_its_messages_anywhere_in_it_and_anew_in_each_replication() -> None:
    """Given their number, the times of a Poisson process are uniform: chi-square of 20 parts."""
    count = [500, 0, 1000]
    settings = world(30, traffic=counted())
    found = [arrivals_s(settings, binned(count), replication) for replication in range(10)]
    for times in found:
        assert np.histogram(times, [0, 10, 20, 30])[0].tolist() == count
    assert not np.array_equal(found[0], found[1])
    parts = np.histogram(np.concatenate(found) % 10, 20, (0, 10))[0]
    expected = len(found) * sum(count) / 20
    assert ((parts - expected) ** 2 / expected).sum() < chi2.ppf(0.9999, 19)


def test_a_run_shorter_than_the_counts_replays_a_window() -> None:
    settings = world(20, traffic=counted())
    found = [len(arrivals_s(settings, binned([10] * 90 + [1000] * 10), r)) for r in range(40)]
    assert min(found) < 40
    assert max(found) > 1000


@pytest.mark.parametrize("plane", ["reference", "compiled"])
def test_mean_latency_of_one_queue_with_recorded_service(plane: str) -> None:
    """Pollaczek-Khinchine: E[S] + lambda E[S^2] / (2 (1 - rho)), with the moments of the file."""
    mean_s, square = TIMES.mean() / SECOND, (TIMES**2).mean() / SECOND**2
    rate = 0.5 / mean_s
    settings = world(
        200,
        masters=masters(1, service=LOG, workers=1, queue=10**6),
        traffic=traffic(rate, owned=0.0, timeout_ns=10**12, deadline_ns=10**12),
        network=NO_LATENCY,
    )
    settings = dataclasses.replace(settings, data_plane=plane)
    means = []
    for replication in range(12):
        journal = simulate(
            settings,
            Recorded(service_ns={0: TIMES}),
            seed=5,
            replication=replication,
            messages=True,
        )
        spans = [
            (m.ended_ns - m.arrived_ns) / SECOND
            for _, m in journal.of(MessageRecord)
            if 10 * SECOND < m.arrived_ns < 190 * SECOND
        ]
        means.append(np.mean(spans))
    expected = mean_s + rate * square / (2 * (1 - 0.5))
    half = student.ppf(0.9995, len(means) - 1) * np.std(means, ddof=1) / math.sqrt(len(means))
    assert abs(np.mean(means) - expected) < half
    assert half < 0.12 * expected
