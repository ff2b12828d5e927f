"""Sums and products of intervals, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hasim.study.estimates.statistics import Interval, rate_interval
from hasim.study.rare.combine import difference, exactly, product, scaled, total


def interval(value: float, low: float, high: float) -> Interval:
    return Interval(value, low, high, 10, "some")


def test_distances_add_in_squares() -> None:
    found = total([interval(10, 7, 16), interval(20, 16, 28)])
    assert (found.value, found.low, found.high) == (30, 25, 40)  # 3-4-5 below, 6-8-10 above
    assert found.n == 20


def test_what_is_known_widens_nothing() -> None:
    found = total([interval(10, 7, 16), exactly(5)])
    assert (found.value, found.low, found.high) == (15, 12, 21)


def test_nothing_known_of_one_is_nothing_known_of_the_sum() -> None:
    found = total([interval(10, 7, 16), interval(1, 0, math.inf)])
    assert (found.value, found.high) == (11, math.inf)
    assert found.low == pytest.approx(11 - math.sqrt(10))


def test_difference_turns_the_second_round() -> None:
    found = difference(interval(20, 17, 26), interval(10, 2, 14))
    assert (found.value, found.low, found.high) == (10, 5, 20)  # 3 and 4 below, 6 and 8 above


def test_product_of_a_rate_and_a_duration() -> None:
    found = product(interval(2, 1.5, 3), interval(100, 80, 140))
    assert found.value == 200
    assert found.low == pytest.approx(200 - math.hypot(2 * 20, 100 * 0.5))
    assert found.high == pytest.approx(200 + math.hypot(2 * 40, 100 * 1))


def test_more_of_what_is_negative_is_less() -> None:
    found = product(interval(2, 1.5, 3), interval(-100, -120, -90))
    assert found.low == pytest.approx(-200 - math.hypot(2 * 20, 100 * 1))
    assert found.high == pytest.approx(-200 + math.hypot(2 * 10, 100 * 0.5))


def test_a_known_factor_keeps_the_kind_of_interval() -> None:
    found = scaled(interval(3, 2, 5), 60)
    assert (found.value, found.low, found.high, found.method) == (180, 120, 300, "some")
    assert scaled(interval(3, 2, math.inf), 0).high == 0


def test_a_sum_of_poisson_rates_is_covered_although_the_bounds_are_lopsided() -> None:
    """Two counts of mean 3 and 6: MOVER of exact bounds covers at least as often as it says."""
    draws = np.random.default_rng(3).poisson([3.0, 6.0], (2000, 2))
    hits = 0
    for one, other in draws:
        found = total([rate_interval(int(one), 1.0), rate_interval(int(other), 1.0)])
        hits += found.low <= 9.0 <= found.high
    assert 0.94 <= hits / len(draws) <= 0.99
