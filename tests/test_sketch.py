from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim import sketch

TIMES = st.integers(0, 10**12)


def of(values: list[int]) -> sketch.Cells:
    return sketch.sketch(np.array(values, dtype=np.int64))


@pytest.mark.parametrize("accuracy", [0.01, 0.05])
@pytest.mark.parametrize("p", [0.5, 0.95, 0.99, 0.999])
def test_quantiles_are_within_the_stated_relative_error(accuracy: float, p: float) -> None:
    values = np.random.default_rng(3).lognormal(math.log(40e6), 1.5, 20_000).astype(np.int64)
    exact = np.sort(values)[math.ceil(p * len(values)) - 1]
    cells = sketch.sketch(values, accuracy)
    assert len(cells) < 1000
    found = sketch.quantile(cells, p)
    assert found is not None
    assert abs(found / exact - 1) <= accuracy + 1e-9


@settings(deadline=None, derandomize=True)
@given(st.lists(TIMES, min_size=1), st.floats(0, 1))
def test_quantiles_of_few_are_exact(values: list[int], p: float) -> None:
    rank = max(1, math.ceil(p * len(values) * (1 - 1e-12)))
    assert sketch.quantile(of(values), p) == pytest.approx(sorted(values)[rank - 1], rel=1e-12)


@pytest.mark.parametrize("n", [3, sketch.EXACT, 50 * sketch.EXACT])
def test_a_constant_stays_what_it_is(n: int) -> None:
    assert of([100_000_000] * n) == ((100_000_000, 100_000_000, n),)


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 2**62))
def test_the_bounds_of_the_buckets_are_those_of_the_sketch(value: int) -> None:
    (bucket,) = sketch.buckets_of(((value, value, 1),))
    assert np.searchsorted(sketch.bounds_ns(2200), value) == bucket


def test_the_bounds_of_the_buckets_are_the_last_values_in_them() -> None:
    bounds = sketch.bounds_ns(1800).tolist()
    assert sorted(bounds) == bounds
    for bucket in range(40, 1800, 7):  # the first ones hold no integer
        last = bounds[bucket]
        inside, beyond = sketch.buckets_of(((last, last, 1), (last + 1, last + 1, 1)))
        assert inside <= bucket < beyond


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.lists(st.lists(TIMES, max_size=20), max_size=4),
    st.sampled_from([0, sketch.EXACT - 20, sketch.EXACT, 2 * sketch.EXACT]),
)
def test_merging_sketches_is_sketching_together(parts: list[list[int]], more: int) -> None:
    """In any order, also where some are exact, some are not, and what they make is not."""
    parts = [*parts, [10**9 + 10**5 * i for i in range(more)]]
    together = of([value for part in parts for value in part])
    assert sketch.merge(of(part) for part in parts) == together
    assert sketch.merge([sketch.merge(map(of, parts[1:])), of(parts[0])]) == together
    assert sketch.count(together) == sum(map(len, parts))


def test_cells_lie_in_one_bucket_and_hold_all_that_is_between() -> None:
    values = np.random.default_rng(5).exponential(1e8, 30_000).astype(np.int64)
    cells = sketch.sketch(values)
    for least, greatest, n in cells:
        assert greatest <= max(least, 1) * sketch.gamma(sketch.ACCURACY) * (1 + 1e-9)
        assert ((values >= least) & (values <= greatest)).sum() == n
        assert {least, greatest} <= set(values.tolist())
    assert sketch.count(cells) == len(values)


def test_the_empty_sketch() -> None:
    assert of([]) == () == sketch.merge([(), ()])
    assert sketch.quantile((), 0.5) is None
