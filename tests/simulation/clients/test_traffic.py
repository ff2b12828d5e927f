"""A stretch of the messages is what the same stretch of all of them would be, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hasim.simulation.clients.traffic import CONCERNS, RATIOS, STATELESS, Traffic, draw_all
from hasim.simulation.laws import Exponential, Lognormal, Weibull
from hasim.simulation.network import Jitter
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import (
    JitterLaw,
    JitterTrace,
    NetworkSettings,
    RetrySettings,
    TraceArrivals,
    WorldSettings,
)
from hasim.simulation.streams import Uniforms, generator
from hasim.units import SECOND
from tests.simulation.worlds import masters, traffic, world

ATTEMPTS = 3
LAWS = (Exponential(mean_ns=10**7), Lognormal(mean_ns=10**7, cv=1.3), Weibull(mean_ns=10**7))
SETTINGS = world(
    60,
    masters=tuple(masters(1, service=law)[0] for law in LAWS),
    traffic=traffic(331.7, owned=0.3, vip=0.2, retry=RetrySettings(attempts=ATTEMPTS)),
)
STRETCHES = [(0, 1), (0, 1000), (7, 64), (999, 4096), (3, 5), (12_000, 2)]


def source(
    settings: WorldSettings = SETTINGS,
    network: NetworkSettings | None = None,
    recorded: Recorded | None = None,
) -> Traffic:
    recorded = recorded or Recorded()
    jitter = Jitter(network or NetworkSettings(jitter=JitterLaw(cv=0.7)), recorded)
    return Traffic(settings, recorded, jitter, 3, seed=5, replication=2)


def stream(concern: str, count: int) -> Any:
    """One long array of uniforms."""
    return generator(5, 2, f"traffic:{concern}").random(count)


@pytest.mark.parametrize("size", [1, 2, 100, 8192, 10**6])
def test_poisson_arrivals_are_the_sums_of_one_long_array_of_gaps(size: int) -> None:
    draws = stream("arrivals", 30_000)
    gaps = np.rint(-np.log1p(-draws) * (SECOND / 331.7)).astype(np.int64)
    times = np.cumsum(gaps)
    expected = times[times < 60 * SECOND]
    chunks = list(source().arrivals(size))
    assert np.array_equal(np.concatenate(chunks), expected)
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert 19_000 < len(expected) < 21_000


@pytest.mark.parametrize("size", [1, 77, 10**6])
def test_recorded_arrivals_are_a_window_of_the_recording(size: int) -> None:
    recording = np.sort(np.random.default_rng(1).integers(0, 500 * SECOND, 5_000))
    on_trace = world(60, traffic=traffic(1, owned=0.0))
    on_trace = WorldSettings(
        masters=on_trace.masters,
        horizon_ns=on_trace.horizon_ns,
        traffic=type(on_trace.traffic)(arrivals=TraceArrivals(trace="", column="")),
    )
    found = np.concatenate(
        list(source(on_trace, recorded=Recorded(arrivals_ns=recording)).arrivals(size))
    )
    offset = int(stream("arrivals", 1)[0] * (recording[-1] - 60 * SECOND))
    inside = recording[(recording >= offset) & (recording < offset + 60 * SECOND)]
    assert np.array_equal(found, inside - offset)
    assert len(found) > 400


@pytest.mark.parametrize(("first", "count"), STRETCHES)
def test_classes_of_a_stretch(first: int, count: int) -> None:
    stretch, messages = slice(first, first + count), source()
    n = first + count
    gateways = (stream("region", n) * 3).astype(int)
    partitions = np.where(
        stream("owned", n) < 0.3, (stream("partition", n) * len(LAWS)).astype(int), STATELESS
    )
    assert np.array_equal(messages.gateway(first, count), gateways[stretch])
    assert np.array_equal(messages.partition(first, count), partitions[stretch])
    assert np.array_equal(messages.vip(first, count), (stream("vip", n) < 0.2)[stretch])


@pytest.mark.parametrize(("first", "count"), STRETCHES)
@pytest.mark.parametrize("network", [JitterLaw(cv=0.7), JitterTrace(trace="", column=""), None])
def test_columns_of_a_stretch(first: int, count: int, network: Any) -> None:
    recorded = Recorded(jitter=np.sort(np.random.default_rng(4).random(1000)))
    settings = NetworkSettings(jitter=network)
    messages = source(SETTINGS, settings, recorded)
    jitter = Jitter(settings, recorded)
    for name, concern in CONCERNS.items():
        draws = stream(concern, (first + count) * ATTEMPTS)
        if name in RATIOS:
            draws = jitter.ratios(draws)
        expected = draws.reshape(-1, ATTEMPTS)[first:].T
        assert np.array_equal(messages.column(name, first, count), expected)
        assert np.array_equal(messages.column(name, first, count, slice(1, None)), expected[1:])


@pytest.mark.parametrize(("first", "count"), STRETCHES)
def test_demands_of_a_stretch(first: int, count: int) -> None:
    draws = stream("service", (first + count) * ATTEMPTS)
    demands = source().demands(first, count, slice(0, 1))
    for law, found in zip(LAWS, demands, strict=True):
        assert found.shape == (1, count)
        expected = np.rint(law.quantile(draws)).astype(np.int64)
        assert np.array_equal(found[0], expected.reshape(-1, ATTEMPTS)[first:, 0])


def test_all_messages_at_once() -> None:
    drawn = draw_all(source())
    n = drawn.count
    assert np.array_equal(drawn.columns["loss_back"], stream("loss-back", n * ATTEMPTS))
    assert np.array_equal(drawn.vip, stream("vip", n) < 0.2)
    demand = LAWS[1].quantile(stream("service", n * ATTEMPTS))
    assert np.array_equal(drawn.demand_ns[LAWS[1]], np.rint(demand).astype(np.int64))


def test_uniforms_can_be_asked_for_in_any_order() -> None:
    long = generator(1, 2, "x").random(1000)
    uniforms = Uniforms(1, 2, "x")
    for first, count in [(0, 10), (10, 5), (3, 100), (900, 100), (0, 1000), (999, 1)]:
        assert np.array_equal(uniforms.take(first, count), long[first : first + count])
