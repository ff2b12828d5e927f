"""MSER-5 against sequences worked by hand, a slow loop, and a queue that starts empty."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.mser import LAST, Truncation, mser5


def slow(values: list[float]) -> Truncation:
    """The definition, written down: every truncation point, every sum anew."""
    k = len(values) // 5
    batches = [math.fsum(values[5 * i : 5 * i + 5]) / 5 for i in range(k)]
    if k < 10:
        return Truncation(0, len(values), True)
    found = []
    for d in range(k - LAST + 1):
        rest = batches[d:]
        mean = math.fsum(rest) / len(rest)
        found.append(math.fsum((z - mean) ** 2 for z in rest) / len(rest) ** 2)
    best = min(range(len(found)), key=found.__getitem__)
    if best > k / 2:
        return Truncation(0, len(values), True)
    return Truncation(5 * best, len(values), False)


def batches(*means: float) -> list[float]:
    return [mean for mean in means for _ in range(5)]


def test_by_hand() -> None:
    """MSER(0) = 84.167/144, MSER(1) = 2.727/121, MSER(2) = 2.5/100: the first batch goes.

    Twelve batches: 10 (the start), then 1 and 2 in turn, eleven times. All: sum 26, sum of squares
    100 + 6 + 20 = 126, so 126 - 26^2/12 = 69.667; /144 = 0.4838. Without the first: 26 - 16^2/11 =
    2.727; /121 = 0.02254. Without two (1 gone): 25 - 15^2/10 = 2.5; /100 = 0.025.
    """
    means = [10.0, *[1.0, 2.0] * 5, 1.0]
    assert mser5(batches(*means)) == Truncation(5, 60, False)


def test_a_flat_run_loses_nothing() -> None:
    assert mser5(batches(*[3.0] * 20)) == Truncation(0, 100, False)
    assert mser5([*batches(*[3.0] * 20), 100.0]).cut == 0  # no whole batch


def test_a_trend_has_no_steady_half() -> None:
    """What keeps growing is steadiest at its end: too short."""
    assert mser5(np.arange(500.0)) == Truncation(0, 500, True)
    late = batches(*[0.0, 1.0] * 15, *[5.0, 5.1] * 10)
    assert mser5(late).too_short


def test_too_few_batches() -> None:
    assert mser5([]) == Truncation(0, 0, True)
    assert mser5(np.ones(49)).too_short
    assert not mser5(np.ones(50)).too_short


def test_alike_by_chance_at_the_end_is_no_steady_state() -> None:
    """The last two batches are equal: a minimum of 0, which is not looked at."""
    rng = np.random.default_rng(1)
    means = [*rng.normal(size=60), 0.5, 0.5]
    assert not mser5(batches(*means)).too_short


values = st.lists(st.integers(0, 50).map(float), max_size=150)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(values)
def test_against_the_slow_loop(observed: list[float]) -> None:
    found, expected = mser5(observed), slow(observed)
    if found != expected:
        # Whole numbers make ties, which rounding may break either way.
        assert found.n == expected.n
        k = len(observed) // 5
        means = np.array(observed[: 5 * k]).reshape(k, 5).mean(axis=1)
        statistic = [means[d:].var() / (k - d) for d in range(k - LAST + 1)]
        assert statistic[found.cut // 5] == pytest.approx(min(statistic), abs=1e-12) or (
            found.too_short and min(statistic[k // 2 :]) <= min(statistic) + 1e-12
        )


def test_shift_and_scale_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    start = np.concatenate([np.linspace(0, 3, 100), np.full(900, 3.0)]) + rng.normal(0, 0.5, 1000)
    found = mser5(start)
    assert 40 <= found.cut <= 200
    assert mser5(start * 1e-3) == mser5(start * 4) == mser5(start + 1e6) == found
