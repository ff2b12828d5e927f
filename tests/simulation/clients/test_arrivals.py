"""When messages arrive, against closed forms."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.simulation.clients.arrivals import Curve, Poisson, expected
from hasim.simulation.clients.traffic import Traffic
from hasim.simulation.network import Jitter
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import ConstantArrivals, CurveArrivals, PoissonArrivals
from hasim.units import HOUR, MINUTE, SECOND
from tests.simulation.planes import assert_equal, both
from tests.simulation.worlds import traffic, world

DAY_NIGHT = CurveArrivals(rates_per_s=(2.0, 1.0, 6.0, 12.0, 9.0), period_ns=10 * MINUTE)


def times_of(law: Any, horizon_s: float, *, replication: int = 0, size: int = 997) -> Any:
    """Arrival times of a run in seconds, drawn so many at a time."""
    settings = world(horizon_s, traffic=dataclasses.replace(traffic(1), arrivals=law))
    made = Traffic(
        settings,
        Recorded(),
        Jitter(settings.network, Recorded()),
        1,
        seed=3,
        replication=replication,
    )
    chunks = list(made.arrivals(size))
    found = np.concatenate([np.zeros(0, np.int64), *chunks])
    assert (np.diff(found) >= 0).all()
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert len(found) <= made.limit
    assert len(found) == 0 or 0 <= found[0] <= found[-1] < settings.horizon_ns
    return found / SECOND


@pytest.mark.parametrize(
    "law", [DAY_NIGHT, ConstantArrivals(rate_per_s=7.3), PoissonArrivals(rate_per_s=7)]
)
def test_arrivals_are_the_same_however_many_at_a_time(law: Any) -> None:
    assert (times_of(law, 900, size=100) == times_of(law, 900, size=8192)).all()


@pytest.mark.parametrize("rate_per_s", [1e-15, 1e-6, 0.01, 7.0])
def test_arrivals_are_those_of_exact_sums(rate_per_s: float) -> None:
    """Also where the sum of a stretch's gaps does not fit in 64 bits."""
    draws = np.random.default_rng(5).random(200_000)
    made = Poisson(PoissonArrivals(rate_per_s=rate_per_s), HOUR, lambda a, n: draws[a : a + n])
    gaps_ns = [round(gap) for gap in (-np.log1p(-draws) * (SECOND / rate_per_s)).tolist()]
    exact = [t for t in itertools.accumulate(gaps_ns[: made.limit]) if t < HOUR]
    found = [t for times in made.times(8192) for t in times.tolist()]
    assert found == exact


def test_a_constant_rate_has_all_gaps_alike() -> None:
    found = [times_of(ConstantArrivals(rate_per_s=30), 100, replication=r) for r in range(40)]
    for times in found:
        assert np.diff(times) == pytest.approx(1 / 30, abs=2e-9)
        assert len(times) == 3000
    # The first comes at random within a gap, anew in each replication.
    phases = np.array([times[0] * 30 for times in found])
    assert phases.std() == pytest.approx(1 / math.sqrt(12), rel=0.3)


def rate_at(law: CurveArrivals, time_ns: float) -> float:
    """The rate by linear interpolation: an independent definition."""
    points = [*law.rates_per_s, law.rates_per_s[0]]
    at = (law.starts_ns + time_ns) % law.period_ns
    return float(np.interp(at, np.linspace(0, law.period_ns, len(points)), points))


CURVES = st.builds(
    CurveArrivals,
    rates_per_s=st.lists(st.floats(0.01, 100), min_size=1, max_size=6).map(tuple),
    period_ns=st.integers(SECOND, 3 * HOUR),
    starts_ns=st.integers(0, 5 * HOUR),
)


@given(CURVES, st.integers(0, 5 * HOUR))
def test_expected_messages_are_the_integral_of_the_rate(law: CurveArrivals, until: int) -> None:
    steps = 20_000
    middles = (np.arange(steps) + 0.5) * until / steps
    total = sum(rate_at(law, t) for t in middles[:: steps // 200]) * until / SECOND / 200
    # Whole periods exactly, and any time between its bounds.
    assert Curve(law).messages_until(law.period_ns) == pytest.approx(
        sum(law.rates_per_s) / len(law.rates_per_s) * law.period_ns / SECOND, rel=1e-9
    )
    low, high = min(law.rates_per_s), max(law.rates_per_s)
    found = expected(law, until)
    rounding = 1e-6
    assert low * until / SECOND - rounding <= found <= high * until / SECOND + rounding
    if until < law.period_ns:
        assert found == pytest.approx(total, rel=0.05, abs=(high - low) * until / SECOND / 100)


@given(CURVES, st.floats(0, 1e6))
def test_times_are_the_inverse_of_expected_messages(law: CurveArrivals, messages: float) -> None:
    (time_ns,) = Curve(law).times_of(np.array([messages]))
    assert time_ns >= -1
    back = Curve(law).messages_until(round(time_ns))
    assert back == pytest.approx(messages, rel=1e-6, abs=1e-4)


def test_arrivals_follow_the_curve() -> None:
    """Counts per half minute are Poisson about the integral of the rate: chi squared."""
    counts = np.zeros(20)
    runs = 40
    for replication in range(runs):
        times = times_of(DAY_NIGHT, 600, replication=replication)
        counts += np.histogram(times, bins=20, range=(0, 600))[0]
    curve = Curve(DAY_NIGHT)
    edges = [curve.messages_until(30 * n * SECOND) for n in range(21)]
    mean = runs * np.diff(edges)
    chi = float(((counts - mean) ** 2 / mean).sum())
    assert chi < 45.3  # 0.1 % of chi squared with 20 degrees of freedom
    assert mean.max() / mean.min() > 8


def test_one_rate_is_a_poisson_process() -> None:
    times = times_of(CurveArrivals(rates_per_s=(20.0,), period_ns=MINUTE), 2000)
    gaps = np.diff(times)
    assert gaps.mean() == pytest.approx(1 / 20, rel=4 / math.sqrt(len(gaps)))
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("law", [DAY_NIGHT, ConstantArrivals(rate_per_s=20)])
def test_both_planes_take_them(law: Any) -> None:
    settings = world(60, traffic=dataclasses.replace(traffic(1), arrivals=law))
    assert_equal(both(settings))
