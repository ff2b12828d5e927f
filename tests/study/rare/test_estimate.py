"""The estimator against closed forms, fed by a sampler that knows nothing of hasim's worlds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hasim.study.estimates.statistics import Interval, mean_interval
from hasim.study.rare.combine import exactly
from hasim.study.rare.estimate import (
    ALL,
    FAULTS,
    OVERLAP,
    QUIET,
    TOTAL,
    Budget,
    Kind,
    Pair,
    Run,
    estimate,
)

H = 3600.0
LAMBDA, REPAIR = 1 / (1000 * H), 10 * H
"""One failure in a thousand hours of a component, ten hours of repair."""
RHO = LAMBDA * REPAIR


def kind(processes: int = 1, rate: float = LAMBDA, mean: float = REPAIR, name: str = "x") -> Kind:
    return Kind(name, processes, exactly(rate), mean)


# -- formulas by hand ------------------------------------------------------------------


def test_intensity_is_that_of_an_alternating_process() -> None:
    """1 / (up + down): 990 hours up and 10 down are one failure in 1000 hours."""
    assert kind(3, 1 / (990 * H), 10 * H).intensity.value == pytest.approx(3 / (1000 * H))
    fitted = Kind("x", 2, Interval(1e-6, 5e-7, 2e-6, 8, "exact chi-square"), 1000.0)
    assert fitted.intensity.low == pytest.approx(2 * 5e-7 / (1 + 5e-4))
    assert fitted.intensity.high == pytest.approx(2 * 2e-6 / (1 + 2e-3))


def test_one_kind_is_renewal_reward() -> None:
    runs = [Run((10.0, 2.0), 500.0), Run((14.0, 4.0), 500.0)]
    found = estimate([kind(5, 1e-6, 1000.0)], {"x": runs}, causes=("a", "b"))
    each = 5 * 1e-6 / (1 + 1e-3)
    assert found.parts["x", "a"].value == pytest.approx(each * 12)
    assert found.parts["x", "b"].value == pytest.approx(each * 3)
    assert found.parts["x", ALL].value == pytest.approx(each * 15)
    assert found.unavailability.value == pytest.approx(each * 15)
    mean = mean_interval([12.0, 18.0])
    assert found.parts[TOTAL, ALL].low == pytest.approx(each * mean.low)
    assert found.parts[TOTAL, ALL].high == pytest.approx(each * mean.high)
    assert found.uptime.low == pytest.approx(1 - each * mean.high)
    assert found.down_s["x"].value == 15


def test_pairs_weigh_their_window_and_the_intensities() -> None:
    kinds = [kind(2, 1e-6, 1000.0, "x"), kind(1, 3e-6, 500.0, "y")]
    singles = {"x": [Run((0.0,), 1.0)] * 2, "y": [Run((0.0,), 1.0)] * 2}
    pairs = [Pair((7.0,), 1200.0, 5000.0), Pair((-1.0,), 700.0, 5000.0)]
    found = estimate(kinds, singles, pairs, causes=("a",))
    each = 2e-6 / 1.001 + 3e-6 / 1.0015
    mean = (7 * 1200 - 700) / 2
    assert found.parts[OVERLAP, ALL].value == pytest.approx(each**2 * mean)
    assert found.crowd == pytest.approx(2e-6 / 1.001 * 1000 + 3e-6 / 1.0015 * 500)
    assert found.left_out == pytest.approx(found.crowd**3 / 6)


def test_what_is_down_without_a_fault_is_counted_once() -> None:
    """A tenth of the time is down anyway: a run of 100 s with 13 s down cost 3 s."""
    quiet = [Run((20.0,), 200.0, mistakes=2), Run((10.0,), 100.0, mistakes=1)]
    pairs = [Pair((5.0 - 10.0,), 50.0, 100.0)] * 2  # 5 beyond either, less 10 that cancel
    found = estimate(
        [kind(1, 1e-5, 50.0)],
        {"x": [Run((13.0,), 100.0)] * 2},
        pairs,
        quiet,
        causes=("mistaken",),
    )
    each = 1e-5 / (1 + 5e-4)
    assert found.parts["x", ALL].value == pytest.approx(each * 3)
    assert found.parts[OVERLAP, ALL].value == pytest.approx(each**2 * 50 * 5)
    assert found.parts[QUIET, ALL].value == pytest.approx(0.1)
    assert (found.quiet_s, found.mistakes, found.floor) == (300, 3, 0)
    whole = each * 3 + each**2 * 250 + 0.1
    assert found.unavailability.value == pytest.approx(whole)
    assert found.seen == found.unavailability


def test_no_false_failover_seen_is_none_excluded() -> None:
    """0 in 1000 s: with 95 % confidence fewer than 3.6889 (Poisson), of 4 s each."""
    runs = [Run((6.0,), 100.0, failovers_s=(3.0,)), Run((6.0,), 100.0, failovers_s=(5.0,))]
    quiet = [Run((0.0,), 250.0)] * 4
    found = estimate([kind(1, 1e-6, 50.0)], {"x": runs}, (), quiet, causes=("mistaken",))
    assert found.floor == pytest.approx(3.6889 / 1000 * 4, rel=1e-4)
    assert found.parts[QUIET, ALL].value == 0
    assert found.parts[QUIET, ALL].high == pytest.approx(found.floor)
    assert found.unavailability.high > found.floor
    assert found.seen == found.parts[FAULTS, ALL]
    assert found.seen.high == pytest.approx(6e-6, rel=1e-3)


def test_of_a_false_failover_nobody_knows_the_length_of_there_is_no_bound() -> None:
    quiet = [Run((0.0,), 250.0)]
    found = estimate([kind()], {"x": [Run((1.0,), 9.0)] * 2}, (), quiet, causes=("mistaken",))
    assert found.floor == math.inf
    assert found.unavailability.high == math.inf


def test_few_false_failovers_are_bounded_by_their_rate() -> None:
    """One in ten runs: the jackknife knows one only; Poisson allows 5.57 of the same length."""
    quiet = [Run((2.0 if r == 0 else 0.0,), 100.0, mistakes=int(r == 0)) for r in range(10)]
    found = estimate([kind()], {"x": [Run((1.0,), 9.0)] * 2}, (), quiet, causes=("mistaken",))
    part = found.parts[QUIET, ALL]
    assert part.value == pytest.approx(0.002)
    assert part.low == 0
    assert part.high >= 5.5716 * 0.002 * (1 - 1e-5)


def test_a_downtime_that_was_cut_short_has_no_upper_bound() -> None:
    runs = [Run((5.0,), 100.0), Run((7.0,), 100.0, open_end=True)]
    found = estimate([kind()], {"x": runs}, causes=("a",))
    assert found.unavailability.high == math.inf
    assert found.uptime.low == 0
    assert found.unavailability.low < (found.unavailability.value or 0)


def test_a_fitted_rate_widens_the_interval() -> None:
    runs = [Run((d,), 100.0) for d in (9.0, 10.0, 11.0)]
    known = estimate([kind(1, 1e-6, 0.0)], {"x": runs}, causes=("a",)).unavailability
    rate = Interval(1e-6, 5e-7, 2e-6, 8, "exact chi-square")
    found = estimate([Kind("x", 1, rate, 0.0)], {"x": runs}, causes=("a",)).unavailability
    assert found.value == known.value == pytest.approx(1e-5)
    assert known.high == pytest.approx(1e-5 + 1e-6 * (mean_interval([9, 10, 11]).high - 10))
    assert found.high == pytest.approx(1e-5 + math.hypot(known.high - 1e-5, 1e-5))
    assert found.low == pytest.approx(1e-5 - math.hypot(1e-5 - known.low, 5e-6))


def test_errors_of_rates_that_may_be_one_fit_are_added() -> None:
    rate = Interval(1e-6, 5e-7, 2e-6, 8, "exact chi-square")
    kinds = [Kind("x", 1, rate, 0.0), Kind("y", 1, rate, 0.0)]
    runs = {"x": [Run((10.0,), 100.0)] * 2, "y": [Run((30.0,), 100.0)] * 2}
    found = estimate(kinds, runs, causes=("a",)).unavailability
    assert (found.value, found.low, found.high) == pytest.approx((4e-5, 2e-5, 8e-5))


def test_without_pairs_two_faults_are_what_is_left_out() -> None:
    found = estimate([kind(3)], {"x": [Run((1.0,), 9.0)] * 2}, causes=("a",))
    assert found.left_out == pytest.approx((3 * RHO / (1 + RHO)) ** 2 / 2)
    assert found.parts[OVERLAP, ALL] == Interval(0.0, 0.0, 0.0, 0, "left out")


def test_the_columns_add_up() -> None:
    rng = np.random.default_rng(1)
    runs = [Run(tuple(row), 60.0) for row in rng.random((20, 3))]
    pairs = [Pair(tuple(row), 50.0, 60.0) for row in rng.random((20, 3)) - 0.5]
    quiet = [Run(tuple(row), 600.0) for row in rng.random((20, 3))]
    kinds = [kind(2, 1e-4, 30.0, "x"), kind(1, 2e-4, 60.0, "y")]
    singles = {"x": runs[:10], "y": runs[10:]}
    found = estimate(kinds, singles, pairs, quiet, causes=("a", "mistaken", "c"))
    for fault in found.faults:
        parts = [found.parts[fault, cause].value or 0.0 for cause in found.causes]
        assert sum(parts) == pytest.approx(found.parts[fault, ALL].value)
    for cause in (*found.causes, ALL):
        column = [found.parts[f, cause].value or 0.0 for f in ("x", "y", OVERLAP, QUIET)]
        assert sum(column) == pytest.approx(found.parts[TOTAL, cause].value)


# -- closed forms ------------------------------------------------------------------------


def birth_death(n: int, k: int, crews: int) -> float:
    """Unavailability of k-out-of-n hot: solve for the number that are failed, one by one."""
    weights = [1.0]
    for failed in range(n):
        up, down = (n - failed) * LAMBDA, min(failed + 1, crews) / REPAIR
        weights.append(weights[-1] * up / down)
    return sum(weights[n - k + 1 :]) / sum(weights)


@pytest.mark.parametrize(
    ("n", "k", "crews", "published"),
    [
        (1, 1, 1, 9.900990e-3),
        (2, 1, 2, 9.802960e-5),
        (2, 1, 1, 1.960400e-4),
        (3, 2, 3, 2.921476e-4),
        (3, 2, 1, 5.880036e-4),
    ],
)
def test_birth_death_is_solved_right(n: int, k: int, crews: int, published: float) -> None:
    assert birth_death(n, k, crews) == pytest.approx(published, rel=1e-6)


def redundant(n: int, k: int, crews: int, count: int, seed: int) -> Budget:
    """The budget of k-out-of-n: two failures at a time, drawn without any of hasim.

    The second component fails while the first is repaired; with one crew its own
    repair begins when the first is over, else at once.
    """
    rng = np.random.default_rng(seed)
    first, second = rng.exponential(REPAIR, (2, count))
    moment = rng.random(count) * first
    both = first - moment if crews == 1 else np.minimum(first - moment, second)
    same = rng.integers(n, size=count) == rng.integers(n, size=count)
    if k == n:  # one is down from 0, service with it; what overlaps counts once
        excess = np.where(same, 0.0, -both)
        singles = [Run((repair,), repair) for repair in rng.exponential(REPAIR, count)]
    else:
        excess = np.where(same, 0.0, both)
        singles = [Run((0.0,), REPAIR)] * 2
    pairs = [
        Pair((float(e),), float(w), 0.0 if e == 0 else float(w))
        for e, w in zip(excess, first, strict=True)
    ]
    return estimate([kind(n)], {"x": singles}, pairs, causes=("down",))


@pytest.mark.parametrize(
    ("n", "k", "crews", "seed"),
    [(2, 1, 2, 11), (2, 1, 1, 12), (3, 2, 3, 13), (3, 2, 1, 14)],
)
def test_redundant_components_hit_the_markov_model(n: int, k: int, crews: int, seed: int) -> None:
    exact = birth_death(n, k, crews)
    found = redundant(n, k, crews, 150_000, seed).unavailability
    assert found.low <= exact <= found.high
    assert (found.high - found.low) / 2 <= 0.02 * exact


@pytest.mark.parametrize(("n", "k", "crews"), [(2, 1, 2), (2, 1, 1), (3, 2, 3), (3, 2, 1)])
def test_what_is_left_out_is_no_more_than_is_said(n: int, k: int, crews: int) -> None:
    """With the integral in closed form (E[min] = 1/2, E[first - moment] = 1, in repairs)."""
    budget = redundant(n, k, crews, 10, 1)
    share = (n - 1) / n * (1.0 if crews == 1 else 0.5) * REPAIR**2
    second = (kind(n).intensity.value or 0.0) ** 2 * share
    assert abs(second - birth_death(n, k, crews)) < budget.left_out


def test_components_in_series_share_their_overlap() -> None:
    exact = 1 - (1 - RHO / (1 + RHO)) ** 3
    found = redundant(3, 3, 3, 60_000, 15)
    assert found.unavailability.low <= exact <= found.unavailability.high
    assert (found.parts[OVERLAP, ALL].high or 0.0) < 0
    width = found.unavailability.high - found.unavailability.low
    assert width / 2 <= 0.02 * exact
    # Without pairs, the first order alone is off by more than pairs leave.
    assert 3 * RHO / (1 + RHO) - exact > found.left_out


@pytest.mark.parametrize(
    ("coverage", "failover_s", "exact", "count"),
    [(1.0, 40, 1.543186e-5, 2), (0.95, 40, 8.409787e-5, 140_000), (1.0, 10, 3.858010e-6, 2)],
)
def test_failover_with_coverage(
    coverage: float, failover_s: float, exact: float, count: int
) -> None:
    """U = down / (MTBF + down), down = c (D + F) + (1 - c) R; MTBF 720 h, R an hour."""
    covered = np.random.default_rng(16).random(count) < coverage
    runs = [Run((failover_s if ok else 3600.0,), 4000.0) for ok in covered]
    down_s = coverage * failover_s + (1 - coverage) * 3600
    found = estimate([kind(1, 1 / (720 * H), down_s)], {"x": runs}, causes=("down",))
    u = found.unavailability
    assert u.low * (1 - 1e-6) <= exact <= u.high * (1 + 1e-6)
    assert (u.high - u.low) / 2 <= 0.02 * exact


def test_outcomes_that_were_simulated_apart_count_as_much_as_they_are_likely() -> None:
    """9 in 10 faults cost 10 s, 1 in 10 costs 100 s: 19 s on average, of as many runs of each."""
    often = [Run((d,), 500.0, outcome=0, chance=0.9) for d in (8.0, 12.0, 9.0, 11.0)]
    seldom = [Run((d,), 500.0, outcome=1, chance=0.1) for d in (90.0, 110.0, 95.0, 105.0)]
    found = estimate([kind()], {"x": [*often, *seldom]}, causes=("a",)).down_s["x"]
    assert found.value == pytest.approx(0.9 * 10 + 0.1 * 100)
    parts = [mean_interval([run.down_s[0] for run in runs]) for runs in (often, seldom)]
    half = math.hypot(0.9 * (parts[0].high - 10), 0.1 * (parts[1].high - 100))
    assert found.high == pytest.approx(19 + half)
    alone = estimate([kind()], {"x": often}, causes=("a",)).down_s["x"]
    assert (alone.low, alone.high) == (-math.inf, math.inf)


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Coverage of 95 % intervals, of two kinds whose downtimes have a cv of 1 and 0.3."""
    rng = np.random.default_rng(17)
    kinds = [kind(1, 2e-6, 100.0, "x"), kind(3, 1e-6, 100.0, "y")]
    exact = sum((one.intensity.value or 0.0) * 20.0 for one in kinds)
    hits, trials = 0, 600
    for _ in range(trials):
        singles = {
            "x": [Run((d,), 100.0) for d in rng.exponential(20.0, 60)],
            "y": [Run((d,), 100.0) for d in rng.normal(20.0, 6.0, 60)],
        }
        u = estimate(kinds, singles, causes=("a",)).unavailability
        hits += u.low <= exact <= u.high
    assert 0.92 <= hits / trials <= 0.975
