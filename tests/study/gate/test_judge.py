"""Non-inferiority of paired differences: bounds, verdicts, and error rates over many suites."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hasim.study.gate.judge import ALPHA, Comparison, bounds, exceeds, judge, pair
from hasim.study.gate.quantities import values_of
from tests.study.runs import run

DETECTION = "detection_time.mean"  # less is better, in seconds


def verdict_of(
    differences: list[float],
    margin: float = 1.0,
    *,
    at_cap: bool = True,
    changed: bool = True,
    looks: int = 1,
) -> Comparison:
    before = [10.0] * len(differences)
    after = [10.0 + d for d in differences]
    one = pair("cell", DETECTION, margin, before, after)
    return judge([one], looks=looks, at_cap=[at_cap], changed=[changed])[0]


def test_bounds_are_those_of_a_printed_t_table():
    # mean 3, s^2 2.5, n 5; t(4; 0.95) = 2.131847 in every table.
    low, high = bounds(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 0.05)
    half = 2.131847 * math.sqrt(2.5 / 5)
    assert (low, high) == pytest.approx((3 - half, 3 + half), abs=1e-6)


def test_p_value_meets_the_bound():
    rng = np.random.default_rng(1)
    differences = rng.normal(2, 3, 20)
    low, _ = bounds(differences, 0.05)
    assert exceeds(differences, low) == pytest.approx(0.05, abs=1e-9)
    assert exceeds(differences, low - 0.1) < 0.05 < exceeds(differences, low + 0.1)


def test_equal_differences_prove_no_more_than_a_sign_test():
    assert exceeds(np.full(5, 3.0), 1.0) == 1 / 32
    assert exceeds(np.full(5, 0.5), 1.0) == 1.0
    assert bounds(np.full(5, 3.0), 0.05) == (3.0, 3.0)


NOISE = [0.1, -0.1, 0.2, -0.2, 0.05, -0.05, 0.15, -0.15]


@pytest.mark.parametrize(
    ("shift", "spread", "verdict"),
    [
        (0.0, 1, "pass"),
        (-5.0, 1, "pass"),
        (0.5, 1, "pass"),  # worse, but within the margin of 1
        (2.0, 1, "regression"),
        (1.0, 1, "inconclusive"),
        (0.0, 100, "inconclusive"),
    ],
)
def test_verdict_by_where_the_bounds_lie(shift, spread, verdict):
    found = verdict_of([shift + spread * noise for noise in NOISE])
    assert found.verdict == verdict
    assert found.difference == pytest.approx(shift, abs=1e-9)
    assert found.better == (shift == -5.0)


def test_worse_is_positive_also_where_more_is_better():
    one = pair("cell", "uptime", 0.001, [0.999] * 6, [0.9, 0.91, 0.92, 0.9, 0.91, 0.92])
    (found,) = judge([one], looks=1, at_cap=[True], changed=[True])
    assert found.difference == pytest.approx(0.089)
    assert found.verdict == "regression"


def test_unchanged_behaviour_passes_at_once_with_width_zero():
    found = verdict_of([0.0] * 5, margin=0.0, at_cap=False, changed=False)
    assert (found.verdict, found.lower, found.upper) == ("pass", 0.0, 0.0)
    assert found.identical


def test_changed_behaviour_that_has_not_shown_yet_does_not_pass_before_the_cap():
    # The zero-inflated trap: a bug that strikes one replication in twenty.
    assert verdict_of([0.0] * 10, at_cap=False).verdict == "inconclusive"
    assert verdict_of([0.0] * 9 + [0.01], at_cap=False).verdict == "inconclusive"
    assert verdict_of([0.0] * 10, at_cap=True).verdict == "pass"


def test_a_lost_value_is_no_pass_and_a_gained_one_no_harm():
    lost = pair("cell", DETECTION, 1.0, [3.0] * 6, [3.0] * 5 + [None])
    gained = pair("cell", DETECTION, 1.0, [3.0] * 5 + [None], [3.0] * 6)
    new = pair("cell", DETECTION, 1.0, [None] * 6, [3.0] * 6)
    neither = pair("cell", DETECTION, 1.0, [None] * 6, [None] * 6)
    found = judge([lost, gained, new, neither], looks=1, at_cap=[True] * 4, changed=[True] * 4)
    assert [one.verdict for one in found] == ["inconclusive", "pass", "inconclusive", "pass"]
    assert found[0].lost == 1
    assert "lost" in found[0].reason


def test_what_is_no_longer_detected_counts_for_as_long_as_it_lasted():
    """Six detected after 10 s; then one of the two in each is not, in the 60 s that it lasts."""
    before = [values_of(run(n, [10.0, 10.0]), (DETECTION,))[DETECTION] for n in range(6)]
    after = [values_of(run(n, [10.0, None]), (DETECTION,))[DETECTION] for n in range(6)]
    assert (before, after) == ([10.0] * 6, [35.0] * 6)
    found = judge(
        [pair("cell", DETECTION, 1.0, before, after)], looks=1, at_cap=[True], changed=[True]
    )
    assert (found[0].difference, found[0].lost, found[0].verdict) == (25.0, 0, "regression")


def test_holm_counts_the_measures_that_can_fail():
    rng = np.random.default_rng(3)
    # Alone, this one is a regression at about p = 0.02; beside nine noisy others it is not,
    # beside nine identical ones it still is.
    shifted = 1.0 + 0.55 + NOISE_LONG
    one = pair("cell", DETECTION, 1.0, [0.0] * 20, list(shifted))
    noisy = [pair("cell", DETECTION, 1.0, [0.0] * 20, list(rng.normal(0, 1, 20))) for _ in range(9)]
    same = [pair("cell", DETECTION, 1.0, [1.0] * 20, [1.0] * 20) for _ in range(9)]
    caps = {"at_cap": [True] * 10, "changed": [True] * 10}
    alone = judge([one], looks=1, at_cap=[True], changed=[True])[0]
    assert 0.005 < alone.p < 0.05
    assert judge([one, *noisy], looks=1, **caps)[0].verdict == "inconclusive"
    among_same = judge([one, *same], looks=1, **caps)[0]
    assert (among_same.verdict, among_same.p) == ("regression", alone.p)


NOISE_LONG = np.tile([1.1, -1.1], 10)


def test_looks_share_the_error():
    differences = [2.0 + 8 * noise for noise in NOISE]
    one, two = verdict_of(differences), verdict_of(differences, looks=2)
    assert two.p == pytest.approx(2 * one.p)
    assert two.lower < one.lower
    assert (two.lower, two.upper) == pytest.approx(bounds(np.array(differences), ALPHA / 2))


def gate_with_looks(rng: np.random.Generator, shift: float, n_measures: int) -> str:
    """A synthetic suite of one cell with looks at 10, 20 and 40 pairs, as the gate takes them."""
    pairs = rng.normal(shift, 1.0, (n_measures, 40))
    for n in (10, 20, 40):
        found = judge(
            [pair("c", DETECTION, 0.5, [0.0] * n, list(row[:n])) for row in pairs],
            looks=3,
            at_cap=[n == 40] * n_measures,
            changed=[True] * n_measures,
        )
        verdicts = {one.verdict for one in found}
        if "regression" in verdicts:
            return "regression"
        if verdicts == {"pass"}:
            return "pass"
    return "inconclusive"


def test_false_alarms_and_false_passes_at_the_margin_are_below_five_percent():
    rng = np.random.default_rng(11)
    trials = 400
    # The worst case for both errors: every measure lies exactly at its margin.
    many = [gate_with_looks(rng, 0.5, 5) for _ in range(trials)]
    single = [gate_with_looks(rng, 0.5, 1) for _ in range(trials)]
    # 5 % of 400 is 20; 32 is its 99.6 % quantile (binomial).
    assert many.count("regression") <= 32
    assert single.count("regression") <= 32
    assert single.count("pass") <= 32


def test_power_where_the_difference_is_clear():
    rng = np.random.default_rng(12)
    assert [gate_with_looks(rng, 1.7, 5) for _ in range(100)].count("regression") >= 99
    assert [gate_with_looks(rng, -0.5, 5) for _ in range(100)].count("pass") >= 95


def test_badness_puts_regressions_first_and_the_largest_of_them():
    some = [verdict_of([2.0 + n for n in NOISE]), verdict_of([9.0 + n for n in NOISE])]
    some += [verdict_of([0.0] * 8), verdict_of([1.0 + n for n in NOISE])]
    order = sorted(some, key=lambda one: one.badness, reverse=True)
    assert [one.verdict for one in order] == ["regression", "regression", "inconclusive", "pass"]
    assert order[0].difference == pytest.approx(9.0)
