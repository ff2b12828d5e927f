from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy import stats

from hasim.study.estimates import survival
from hasim.study.estimates.statistics import (
    FEW,
    effective_number,
    holm,
    interval_of_left_out,
    jackknife_interval,
    mean_interval,
    needed,
    order_statistics,
    proportion_interval,
    quantile_interval,
    rate_interval,
    ratio_interval,
    renewal_reward,
    skewness,
    t_interval,
    t_quantile,
    transformed_quantiles,
)

# -- means ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "t"),
    [(2, 12.706205), (3, 4.302653), (5, 2.776445), (10, 2.262157), (30, 2.04523), (1000, 1.962341)],
)
def test_quantiles_of_student_t(n: int, t: float) -> None:
    assert t_quantile(0.95, n - 1) == pytest.approx(t, abs=1e-5)


def test_t_interval_of_sleep_data() -> None:
    """Student 1908, extra hours of sleep, drug minus drug: 0.7 to 2.46 in R's t.test."""
    differences = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    found = t_interval(differences)
    assert found.value == pytest.approx(1.58)
    assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)


def test_too_few_for_a_mean() -> None:
    assert t_interval([]).value is None
    assert t_interval([3.0]).low == -math.inf
    assert t_interval([3.0, 3.0]).method == "Student t, all equal"


def test_of_a_symmetric_sample_halls_interval_is_students() -> None:
    values = [1.0, 2.0, 4.0, 7.0, 9.0, 10.0]
    assert skewness(np.array(values)) == pytest.approx(0)
    left, right = mean_interval(values), t_interval(values)
    assert (left.low, left.high) == pytest.approx((right.low, right.high))


def test_skewness_against_scipy() -> None:
    values = np.random.default_rng(1).exponential(size=25)
    assert skewness(values) == pytest.approx(stats.skew(values, bias=False))
    assert skewness(np.ones(5)) == 0


@settings(deadline=None, derandomize=True)
@given(st.floats(-6, 6), st.integers(3, 200))
def test_halls_transformation_undoes_its_inverse(skew: float, n: int) -> None:
    """The cubic of Hall 1992, equation 2.3, at the bounds is Student's quantile."""
    gamma = skew * math.sqrt(n) / max(1.0, abs(skew))  # at most that of a single odd one out
    t = t_quantile(0.95, n - 1)
    for bound, quantile in zip(transformed_quantiles(gamma, n), (-t, t), strict=True):
        cubic = (
            bound
            + gamma * bound**2 / (3 * math.sqrt(n))
            + gamma**2 * bound**3 / (27 * n)
            + gamma / (6 * math.sqrt(n))
        )
        assert cubic == pytest.approx(quantile, rel=1e-6)


def test_a_long_tail_moves_both_bounds_towards_it() -> None:
    values = [*range(1, 20), 100]
    plain, hall = t_interval(values), mean_interval(values)
    assert plain.value == hall.value
    assert plain.low < hall.low < hall.value
    assert hall.high > plain.high
    turned = mean_interval([-v for v in values])
    assert (turned.low, turned.high) == pytest.approx((-hall.high, -hall.low))


def test_two_observations_are_too_few_for_skewness() -> None:
    assert mean_interval([1.0, 3.0]) == t_interval([1.0, 3.0])
    assert mean_interval([]).value is None
    assert mean_interval([3.0, 3.0, 3.0]).method == "Student t, all equal"


def test_jackknife_of_a_mean_is_that_of_a_mean() -> None:
    values = np.random.default_rng(1).exponential(size=40)
    left, right = ratio_interval(values, np.ones(40)), mean_interval(values)
    assert (left.value, left.low, left.high) == pytest.approx((right.value, right.low, right.high))


def test_replications_without_anything_tell_nothing_of_a_ratio() -> None:
    """Three of sixty have a failover: that is three observations, not sixty."""
    lost, failovers = [3.0, 5.0, 10.0], [1.0, 1.0, 2.0]
    few = ratio_interval(lost, failovers)
    many = ratio_interval([*lost, *[0.0] * 57], [*failovers, *[0.0] * 57])
    assert many == few
    assert (many.value, many.n) == (4.5, 3)
    assert ratio_interval([0.0] * 9, [0.0] * 9).value is None


def test_clusters_of_uneven_size_have_the_degrees_of_freedom_of_their_effective_number() -> None:
    """Ten of which one holds half: (9 + 9)^2 / (9 + 81) = 3.6 (Kish 1965)."""
    sizes = np.array([1.0] * 9 + [9.0])
    assert effective_number(sizes) == pytest.approx(3.6)
    left_out = np.tile([-1.0, 1.0], 5)
    even = interval_of_left_out(0.0, left_out, 10, weights=np.ones(10))
    uneven = interval_of_left_out(0.0, left_out, 10, weights=sizes)
    assert (even.high / uneven.high) == pytest.approx(
        stats.t.ppf(0.975, 9) / stats.t.ppf(0.975, 2.6)
    )


def test_few_replications_of_a_skewed_measure_are_noted() -> None:
    values = np.array([0.0] * 18 + [1.0, 9.0])
    assert skewness(values) > 4
    assert mean_interval(values).note == FEW
    assert ratio_interval(values, np.ones(20)).note == FEW
    assert mean_interval(np.tile(values, 20)).note == ""  # 400 are enough
    assert mean_interval(np.arange(20.0)).note == ""
    # Four that happen to lie askew are no sign of a skewed law.
    assert mean_interval([1.0, 2.0, 3.0, 4.8]).note == ""


def test_few_observations_take_the_wider_of_student_and_hall() -> None:
    """On either side: eight exponential ones do not know their skewness well."""
    values = np.random.default_rng(4).exponential(size=8)
    student, found = t_interval(values), mean_interval(values)
    low, high = transformed_quantiles(skewness(values), 8)
    error = values.std(ddof=1) / math.sqrt(8)
    hall = values.mean() - high * error, values.mean() - low * error
    assert hall[0] > student.low
    assert hall[1] > student.high
    assert (found.low, found.high) == pytest.approx((student.low, hall[1]))
    twenty = np.tile(values, 3)[:20]
    assert mean_interval(twenty).low > t_interval(twenty).low


def test_jackknife_against_the_slow_loop() -> None:
    rng = np.random.default_rng(2)
    y, x = rng.exponential(size=25), rng.exponential(size=25) + 0.5
    found = ratio_interval(y, x)
    theta = y.sum() / x.sum()
    out = [np.delete(y, i).sum() / np.delete(x, i).sum() for i in range(25)]
    error = math.sqrt(24 / 25 * sum((o - sum(out) / 25) ** 2 for o in out))
    pseudo = [25 * theta - 24 * o for o in out]
    freedom = x.sum() ** 2 / (x**2).sum() - 1  # of the effective number (Kish)
    skew = float(stats.skew(pseudo, bias=False))
    low, high = transformed_quantiles(skew, 25, freedom=freedom)
    assert found.value == pytest.approx(theta)
    assert (found.low, found.high) == pytest.approx((theta - high * error, theta - low * error))


def test_ratio_that_hangs_on_one_replication() -> None:
    found = ratio_interval([2, 0, 0], [1, 0, 0])
    assert (found.value, found.low, found.high) == (2, -math.inf, math.inf)
    assert ratio_interval([0, 0], [0, 0]).value is None


# -- shares and rates -----------------------------------------------------------------


def test_clopper_pearson_published_values() -> None:
    found = proportion_interval(3, 1000)
    assert (found.low, found.high) == pytest.approx((0.000619, 0.008742), abs=1e-6)
    assert proportion_interval(0, 10).low == 0
    assert proportion_interval(10, 10).high == 1
    # The rule for no failure seen: p^n = alpha/2.
    assert proportion_interval(10, 10).low == pytest.approx(0.025**0.1)


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 60), st.data())
def test_clopper_pearson_against_scipy(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    exact = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    found = proportion_interval(k, n)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [(0, 0, 3.6889), (1, 0.0253, 5.5716), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904)],
)
def test_poisson_limits(events: int, low: float, high: float) -> None:
    found = rate_interval(events, 1.0)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    assert rate_interval(events, 4.0).high == pytest.approx(high / 4, abs=1e-4)


# -- order statistics -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "p", "ranks", "coverage"),
    [
        (100, 0.5, (40, 61), 0.9648),
        (200, 0.95, (184, 197), 0.967),
        (1000, 0.95, (936, 964), 0.958),
        (1000, 0.99, (983, 997), 0.976),
        (10000, 0.99, (9880, 9920), 0.956),
        (10000, 0.999, (9983, 9997), 0.975),
    ],
)
def test_published_ranks(n: int, p: float, ranks: tuple[int, int], coverage: float) -> None:
    assert order_statistics(n, p) == ranks
    lower, upper = ranks
    exact = sum(stats.binom.pmf(range(lower, upper), n, p))
    assert exact == pytest.approx(coverage, abs=6e-4)


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 400), st.sampled_from([0.5, 0.95, 0.99]), st.sampled_from([0.9, 0.95]))
def test_each_tail_is_small_enough_and_the_ranks_are_the_tightest(
    n: int, p: float, level: float
) -> None:
    lower, upper = order_statistics(n, p, level)
    tail = (1 - level) / 2 + 1e-12
    below = stats.binom.cdf
    assert below(lower - 1, n, p) <= tail
    assert below(lower, n, p) > tail - 2e-12
    if upper <= n:
        assert 1 - below(upper - 1, n, p) <= tail
        assert 1 - below(upper - 2, n, p) > tail - 2e-12
    else:
        assert 1 - below(n - 1, n, p) > tail - 2e-12


def test_observations_needed() -> None:
    assert [needed(p) for p in (0.95, 0.99, 0.999)] == [72, 368, 3688]
    assert [needed(p, 0.90) for p in (0.95, 0.99, 0.999)] == [59, 299, 2995]


@pytest.mark.parametrize("p", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_needed_is_where_both_bounds_begin_to_exist(p: float, level: float) -> None:
    n = needed(p, level)
    enough = quantile_interval(range(n), p, level)
    assert math.isfinite(enough.low)
    assert math.isfinite(enough.high)
    assert enough.needed is None
    short = quantile_interval(range(n - 1), p, level)
    assert math.isinf(short.low) or math.isinf(short.high)
    assert short.needed == n


# -- Kaplan-Meier ----------------------------------------------------------------------


def slow_survival(times: list[float], observed: list[bool]) -> list[tuple[float, float]]:
    """The textbook product over distinct event times, by counting."""
    s, curve = 1.0, []
    for t in sorted({t for t, seen in zip(times, observed, strict=True) if seen}):
        at_risk = sum(other >= t for other in times)
        died = sum(other == t and seen for other, seen in zip(times, observed, strict=True))
        s *= 1 - died / at_risk
        curve.append((t, s))
    return curve


def test_freireich_leukaemia_data() -> None:
    """6-MP group of Freireich et al. 1963: S(10) = .753, S(23) = .448, median 23 weeks."""
    events = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    times = events + censored
    observed = [True] * len(events) + [False] * len(censored)
    sample = survival.Sample.of(times, observed)
    curve = sample.survival(np.ones((1, 21)))[0]
    last = {t: s for t, s, seen in zip(sample.times, curve, sample.observed, strict=True) if seen}
    assert last[6] == pytest.approx(0.857, abs=5e-4)
    assert last[10] == pytest.approx(0.753, abs=5e-4)
    assert last[23] == pytest.approx(0.448, abs=5e-4)
    assert survival.quantile(times, observed, 0.5) == 23
    assert survival.quantile(times, observed, 0.25) == 13
    assert survival.quantile(times, observed, 0.9) == math.inf


def restricted_mean(times: ArrayLike, observed: ArrayLike) -> float:
    """The area under the Kaplan-Meier curve up to the longest duration, each counted once."""
    sample = survival.Sample.of(times, observed)
    return float(sample.restricted_means(np.ones((1, len(sample.times))))[0])


durations = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(durations, st.sampled_from([0.1, 0.5, 0.9, 0.95]))
def test_kaplan_meier_against_the_slow_product(rows: list[tuple[int, bool]], p: float) -> None:
    times, observed = [float(t) for t, _ in rows], [seen for _, seen in rows]
    curve = slow_survival(times, observed)
    expected = next((t for t, s in curve if s <= 1 - p + 1e-9), math.inf)
    assert survival.quantile(times, observed, p) == expected
    steps, area, t0, s0 = curve, 0.0, 0.0, 1.0
    for t, s in [*steps, (max(times), 0.0)]:
        area, t0, s0 = area + (t - t0) * s0, t, s
    assert restricted_mean(times, observed) == pytest.approx(area)


@settings(deadline=None, derandomize=True)
@given(durations, st.data())
def test_weights_are_repetitions(rows: list[tuple[int, bool]], data: st.DataObject) -> None:
    times, observed = [float(t) for t, _ in rows], [seen for _, seen in rows]
    sample = survival.Sample.of(times, observed)
    sizes = st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))
    weights = data.draw(sizes.filter(any))
    many = [
        (t, seen)
        for t, seen, w in zip(sample.times, sample.observed, weights, strict=True)
        for _ in range(w)
    ]
    row = np.array([weights], dtype=float)
    repeated = survival.quantile(*zip(*many, strict=True), 0.5)
    assert sample.quantiles(row, 0.5)[0] == repeated
    repeated = restricted_mean(*zip(*many, strict=True))
    assert sample.restricted_means(row)[0] == pytest.approx(repeated)


def test_without_censoring_it_is_the_empirical_quantile() -> None:
    times = np.random.default_rng(4).exponential(size=997)
    seen = np.ones(997, dtype=bool)
    for p in (0.5, 0.95, 0.99):
        assert survival.quantile(times, seen, p) == np.sort(times)[math.ceil(p * 997) - 1]
    assert restricted_mean(times, seen) == pytest.approx(times.mean())


def test_ignoring_censored_ones_would_be_wrong_and_kaplan_meier_is_not() -> None:
    rng = np.random.default_rng(5)
    times, cures = rng.exponential(1.0, 20_000), rng.exponential(1.0, 20_000)
    observed = times <= cures
    found = survival.quantile(np.minimum(times, cures), observed, 0.5)
    assert found == pytest.approx(math.log(2), rel=0.04)
    assert np.median(times[observed]) < 0.6 * math.log(2)


# -- bootstrap ---------------------------------------------------------------------------


def test_draws_are_deterministic_and_add_up() -> None:
    draws = survival.cluster_draws(7, 100)
    assert (draws == survival.cluster_draws(7, 100)).all()
    assert (draws.sum(axis=1) == 7).all()
    assert draws.mean(axis=0) == pytest.approx(np.ones(7), abs=0.4)
    assert (draws != survival.cluster_draws(7, 100, seed=2)).any()


def test_the_bootstrap_is_that_of_a_loop() -> None:
    random = Random(6)
    rows = [(random.expovariate(1), random.random() < 0.8, c) for c in range(9) for _ in range(c)]
    times, observed, cluster = zip(*rows, strict=True)
    sample = survival.Sample.of(times, observed, cluster)
    draws = survival.cluster_draws(9, 30)
    found = sample.resample(draws, lambda weights: sample.quantiles(weights, 0.5))
    for draw, value in zip(draws, found, strict=True):
        again = [(t, seen) for t, seen, c in rows for _ in range(int(draw[c]))]
        assert value == survival.quantile(*zip(*again, strict=True), 0.5)


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = survival.Sample.of([1, 2, 3, 4], [1, 0, 1, 1], [0, 0, 1, 2])
    draws = survival.cluster_draws(3, 50)
    whole = sample.resample(draws, sample.restricted_means)
    monkeypatch.setattr(survival, "CHUNK", 8)
    assert np.array_equal(whole, sample.resample(draws, sample.restricted_means), equal_nan=True)


# -- comparisons, availability ---------------------------------------------------------------


def test_holm_worked_example() -> None:
    """Holm 1979 as R's p.adjust(c(.01, .02, .03, .04, .05), "holm")."""
    assert holm([0.03, 0.01, 0.05, 0.02, 0.04]) == pytest.approx([0.09, 0.05, 0.09, 0.08, 0.09])
    assert holm([0.7, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_renewal_reward_check_values() -> None:
    mtbf_s = 720 * 3600
    assert renewal_reward(40.0, mtbf_s) == pytest.approx(1.543186e-5, rel=1e-6)
    assert renewal_reward(10.0, mtbf_s) == pytest.approx(3.858010e-6, rel=1e-6)
    covered = 0.95 * 40 + 0.05 * 3600
    assert renewal_reward(covered, mtbf_s) == pytest.approx(8.409787e-5, rel=1e-6)


def test_jackknife_of_any_function_of_sums() -> None:
    rows = np.random.default_rng(9).exponential(size=(30, 2))
    found = jackknife_interval(rows, lambda s: np.log(s[..., 0] / s[..., 1]))
    plain = ratio_interval(rows[:, 0], rows[:, 1])
    assert found.value == pytest.approx(math.log(plain.value or 0))
