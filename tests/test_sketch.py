from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim import sketch


@pytest.mark.parametrize("accuracy", [0.01, 0.05])
@pytest.mark.parametrize("p", [0.5, 0.95, 0.99, 0.999])
def test_quantiles_are_within_the_stated_relative_error(accuracy: float, p: float) -> None:
    values = np.random.default_rng(3).lognormal(math.log(40e6), 1.5, 20_000).astype(np.int64)
    exact = np.sort(values)[math.ceil(p * len(values)) - 1]
    found = sketch.quantile(sketch.sketch(values, accuracy), p, accuracy)
    assert found is not None
    assert abs(found / exact - 1) <= accuracy + 1e-9


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 2**62))
def test_the_bounds_of_the_buckets_are_those_of_the_sketch(value: int) -> None:
    ((bucket, _),) = sketch.sketch(np.array([value]))
    assert np.searchsorted(sketch.bounds_ns(2200), value) == bucket


def test_the_bounds_of_the_buckets_are_the_last_values_in_them() -> None:
    bounds = sketch.bounds_ns(1800)
    assert (np.diff(bounds) >= 0).all()
    for bucket in range(40, 1800, 7):  # the first ones hold no integer
        ((inside, _),) = sketch.sketch(bounds[bucket : bucket + 1])
        ((beyond, _),) = sketch.sketch(bounds[bucket : bucket + 1] + 1)
        assert inside <= bucket < beyond


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 10**15))
def test_every_value_is_within_the_error_of_its_bucket(value: int) -> None:
    ((bucket, count),) = sketch.sketch(np.array([value]))
    assert count == 1
    assert abs(sketch.bucket_value_ns(bucket) / value - 1) <= sketch.ACCURACY + 1e-9


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 10**12)), st.lists(st.integers(1, 10**12)))
def test_merging_sketches_is_sketching_together(left: list[int], right: list[int]) -> None:
    apart = [sketch.sketch(np.array(part, dtype=np.int64)) for part in (left, right)]
    together = sketch.sketch(np.array(left + right, dtype=np.int64))
    assert sketch.merge(apart) == together
    assert sketch.count(together) == len(left) + len(right)


def test_bounds_of_the_buckets() -> None:
    gamma = sketch.gamma(0.01)
    inside = [math.floor(gamma**1000), math.ceil(gamma**999)]
    assert sketch.sketch(np.array(inside)) == ((1000, 2),)
    assert sketch.sketch(np.array([0, 1])) == ((0, 2),)


def test_the_empty_sketch() -> None:
    assert sketch.sketch(np.array([], dtype=np.int64)) == ()
    assert sketch.quantile((), 0.5) is None
