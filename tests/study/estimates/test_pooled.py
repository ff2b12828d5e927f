"""Kaplan-Meier by effective number, design effects, pooled quantiles, means and shares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hasim.study.estimates import effective
from hasim.study.estimates.pooled import difference_of_means, mean_of, quantile_of, resampled_share
from hasim.study.estimates.statistics import mean_interval, order_statistics, ratio_interval
from hasim.study.estimates.survival import Sample, cluster_draws

EVENTS = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
FREIREICH = Sample.of(EVENTS + CENSORED, [True] * 9 + [False] * 12)
"""The 6-MP group of Freireich et al. 1963."""

rows = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=2, max_size=25)


# -- effective numbers ------------------------------------------------------------------


def test_greenwoods_standard_errors_as_published() -> None:
    """Of the 6-MP group: 0.0764 at 6 weeks, 0.0963 at 10, 0.1346 at 23 (R, survfit)."""
    curve = FREIREICH.survival(np.ones((1, 21)))[0]
    sizes = FREIREICH.effective_sizes()
    for week, error in ((6, 0.0764), (10, 0.0963), (23, 0.1346)):
        place = [i for i in range(21) if FREIREICH.times[i] == week and FREIREICH.observed[i]][-1]
        s = curve[place]
        assert math.sqrt(s * (1 - s) / sizes[place]) == pytest.approx(error, abs=5e-5)


@settings(deadline=None, derandomize=True)
@given(rows)
def test_effective_sizes_against_greenwoods_sum(data: list[tuple[int, bool]]) -> None:
    times, observed = zip(*data, strict=True)
    sample = Sample.of(times, observed)
    sizes = sample.effective_sizes()
    curve = sample.survival(np.ones((1, len(times))))[0]
    total = 0.0
    for place, (t, s) in enumerate(zip(sample.times, curve, strict=True)):
        if place + 1 < len(times) and sample.times[place + 1] == t:
            continue
        died = sum(x == t and ok for x, ok in data)
        at_risk = sum(x >= t for x, _ in data)
        if died == at_risk:
            break  # Greenwood's sum ends where nobody is left
        total += died / (at_risk * (at_risk - died))
        if total:
            assert sizes[place] == pytest.approx((1 - s) / (s * total))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=30))
def test_without_censoring_the_effective_number_is_the_number(times: list[int]) -> None:
    sample = Sample.of(times, [True] * len(times))
    assert sample.effective_sizes() == pytest.approx(np.full(len(times), len(times)))


def test_design_effect_of_copies_is_their_number() -> None:
    """Ten equal observations in a replication say as much as one."""
    hits = np.repeat([0.0, 10.0], (80, 120))
    resampled = cluster_draws(200) @ hits / 2000
    found = effective.design_effect(resampled, 0.24 / 2000, 2000, 200)
    few = (stats.t.ppf(0.975, 199) / stats.t.ppf(0.975, 1999)) ** 2
    # The variance of 2000 resamples is off by 3 % (one standard deviation).
    assert found == pytest.approx(10 * few, rel=0.1)
    assert effective.design_effect(np.full(9, 0.5), 0.1, 50, 9) == 1  # never below
    assert effective.design_effect(resampled, 0.0, 50, 9) == 1


def test_shares_against_published_jeffreys_intervals() -> None:
    """Brown, Cai, DasGupta 2001, table 5: n = 7."""
    low, high = effective.share_bounds(np.arange(8) / 7, np.full(8, 7.0))
    assert low[1:4] == pytest.approx([0.016, 0.065, 0.139], abs=5e-4)
    assert high[:4] == pytest.approx([0.292, 0.501, 0.648, 0.766], abs=1e-3)
    assert (low[0], high[7]) == (0, 1)


def test_share_of_clusters_that_agree_is_wider() -> None:
    counts = np.full(40, 5.0)
    draws = cluster_draws(40)
    mixed = effective.share_interval(np.tile([3.0, 4.0], 20), counts, draws)
    agreed = effective.share_interval(np.repeat([0.0, 5.0], (12, 28)), counts, draws)
    assert mixed.value == agreed.value == 0.7
    exact = stats.beta.ppf([0.025, 0.975], 140.5, 60.5)
    assert (mixed.low, mixed.high) == pytest.approx(exact, abs=0.006)
    narrow = stats.beta.ppf([0.025, 0.975], 28.5, 12.5)
    assert (agreed.low, agreed.high) == pytest.approx(narrow, abs=0.015)
    assert effective.share_interval(counts[:1], counts[:1] * 2, cluster_draws(1)).high == math.inf


def test_few_large_clusters_have_no_upper_bound_of_p95_even_if_the_longest_is_alone() -> None:
    """Thirty clusters of equal times cannot bound it: 72 independent ones are needed.

    Beyond the quantile there is a single time, which looks independent of all others.
    """
    times = np.sort(np.random.default_rng(3).exponential(size=30))
    sizes = np.array([4] * 25 + [1, 6, 6, 5, 1])
    of = np.repeat(np.arange(30), sizes)
    found = quantile_of(Sample.of(times[of], [True] * len(of), of), 0.95)
    assert found.needed is None
    assert found.low > 0
    assert found.high == math.inf


# -- quantiles --------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (100, 0.95), (400, 0.99), (40, 0.95)])
def test_with_exact_bounds_of_shares_the_inversion_gives_order_statistics(
    n: int, p: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.sort(np.random.default_rng(n).exponential(size=n))

    def clopper_pearson(shares, sizes, level=0.95):
        k = np.round(shares * sizes)
        low = np.where(k > 0, stats.beta.ppf(0.025, k, sizes - k + 1), 0.0)
        return low, np.where(k < sizes, stats.beta.ppf(0.975, k + 1, sizes - k), 1.0)

    monkeypatch.setattr(effective, "share_bounds", clopper_pearson)
    shares, sizes = np.arange(1, n + 1) / n, np.full(n, float(n))
    found = effective.quantile_bounds(values, shares, sizes, p)
    lower, upper = order_statistics(n, p)
    if lower >= 1:
        assert found[0] == values[lower - 1]
    assert found[1] == (values[upper - 1] if upper <= n else math.inf)


def test_median_of_the_6_mp_group() -> None:
    """23 weeks; R's log-log interval is 13 to infinity."""
    found = quantile_of(FREIREICH, 0.5)
    assert (found.value, found.low, found.high) == (23, 13, math.inf)
    assert (found.method, found.n, found.needed) == ("Kaplan-Meier", 21, None)
    assert quantile_of(FREIREICH, 0.95).needed == 72


def test_quantile_that_nobody_lived_to_see() -> None:
    """The lower bound is where the share may have reached p, else the end of what was seen."""
    censored = Sample.of([5.0] * 30, [False] * 30)
    found = quantile_of(censored, 0.5)
    assert (found.value, found.low, found.high) == (math.inf, 5.0, math.inf)
    staggered = Sample.of(np.arange(1.0, 31.0), [False] * 30)
    # Of the last few that are seen for longer, all may be the half that is to come.
    assert 20 < quantile_of(staggered, 0.5).low < 30


def test_clusters_widen_and_one_cluster_gives_no_bounds() -> None:
    own = np.random.default_rng(7).exponential(size=50)
    seen = np.ones(500, bool)
    copied = Sample.of(np.repeat(own, 10), seen, np.repeat(range(50), 10))
    apart = Sample.of(np.repeat(own, 10), seen, np.tile(range(50), 10))
    alone = quantile_of(Sample.of(own, seen[:50]), 0.5)
    ten = quantile_of(copied, 0.5)
    assert ten.low == pytest.approx(alone.low, abs=0.12)
    assert ten.high == pytest.approx(alone.high, abs=0.12)
    mixed = quantile_of(apart, 0.5)
    assert mixed.high - mixed.low < 0.5 * (ten.high - ten.low)
    one = quantile_of(Sample.of(own, seen[:50], [3] * 50), 0.5)
    assert (one.low, one.high) == (-math.inf, math.inf)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(rows, st.lists(st.integers(0, 4), min_size=25, max_size=25), st.sampled_from([0.5, 0.9]))
def test_an_interval_holds_its_point(
    data: list[tuple[int, bool]], clusters: list[int], p: float
) -> None:
    times, observed = zip(*data, strict=True)
    found = quantile_of(Sample.of(times, observed, clusters[: len(data)]), p)
    assert found.low <= found.value <= found.high


def test_resampled_shares_are_those_of_a_loop() -> None:
    sample = Sample.of([1, 2, 3, 4, 5], [1, 0, 1, 1, 0], [0, 0, 1, 2, 2])
    draws = cluster_draws(3, 40)
    found = resampled_share(sample, 3, draws)
    for draw, share in zip(draws, found, strict=True):
        weights = np.array([draw[c] for c in sample.cluster])
        s = 1.0
        for place in range(3):
            if sample.observed[place] and weights[place]:
                s *= 1 - weights[place] / weights[place:].sum()
        assert share == pytest.approx(1 - s)
    assert np.isnan(resampled_share(sample, math.inf, draws)).all()


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    rows,
    st.lists(st.integers(0, 4), min_size=25, max_size=25),
    st.lists(st.integers(0, 13), min_size=1, max_size=4),
)
def test_many_resamples_followed_together_are_those_taken_one_by_one(
    data: list[tuple[int, bool]], clusters: list[int], until: list[int]
) -> None:
    """To the last bit, in whatever order the times are asked for, also where nothing is drawn."""
    sample = Sample.of(*zip(*data, strict=True), clusters[: len(data)])
    draws = cluster_draws(5, 200)
    for time in until:
        single = [resampled_share(sample, time, draws[row : row + 1]) for row in range(200)]
        together = resampled_share(sample, time, draws)
        assert np.array_equal(np.concatenate(single), together, equal_nan=True)


# -- means ------------------------------------------------------------------------------


def test_mean_without_censoring_is_the_ratio_of_sums() -> None:
    times, of = np.random.default_rng(3).exponential(size=30), np.repeat(range(10), 3)
    found = mean_of(Sample.of(times, np.ones(30, bool), of))
    expected = ratio_interval(np.bincount(of, times), np.full(10, 3))
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    alone = mean_of(Sample.of(times, np.ones(30, bool)))
    assert (alone.low, alone.high) == pytest.approx(
        (mean_interval(times).low, mean_interval(times).high)
    )


def test_restricted_mean_against_the_slow_jackknife() -> None:
    rng = np.random.default_rng(5)
    times, cures, of = rng.uniform(0, 1, 40), rng.uniform(0, 2, 40), np.repeat(range(8), 5)
    seen = times <= cures
    times = np.minimum(times, cures)
    sample = Sample.of(times, seen, of)
    found = mean_of(sample)
    ones = np.ones((1, 35))
    left_out = []
    for cluster in range(8):
        rest = of != cluster
        left_out.append(Sample.of(times[rest], seen[rest]).restricted_means(ones)[0])
    error = math.sqrt(7 / 8 * sum((v - sum(left_out) / 8) ** 2 for v in left_out))
    assert found.method == "restricted mean, jackknife t, Hall"
    width = found.high - found.low
    assert width == pytest.approx(2 * stats.t.ppf(0.975, 7) * error, rel=0.1)


# -- differences ------------------------------------------------------------------------


def censored_pairs(rng: np.random.Generator, shift: float) -> Sample:
    """Eight clusters of 2 to 5 durations, censored after 1."""
    of = np.repeat(range(8), rng.integers(2, 6, 8))
    times = rng.uniform(0, 0.9, len(of)) + shift
    return Sample.of(np.minimum(times, 1), times <= 1, of)


def test_difference_of_restricted_means_against_the_slow_jackknife() -> None:
    rng = np.random.default_rng(6)
    first, second = censored_pairs(rng, 0.0), censored_pairs(rng, 0.4)

    def area(sample: Sample, without: int) -> float:
        """Under the curve up to 1, step by step, of the clusters that are left."""
        kept = sample.cluster != without
        total, before, alive = 0.0, 0.0, 1.0
        rest = list(zip(sample.times[kept], sample.observed[kept], strict=True))
        for place, (time, seen) in enumerate(rest):
            total += alive * (time - before)
            before = time
            alive *= 1 - seen / (len(rest) - place)
        return total + alive * (1 - before)

    found = difference_of_means(first, second)
    out = [area(second, i) - area(first, i) for i in range(8)]
    error = math.sqrt(7 / 8 * sum((o - sum(out) / 8) ** 2 for o in out))
    assert found.value == pytest.approx(area(second, -1) - area(first, -1))
    half = stats.t.ppf(0.975, 7) * error
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))
    assert found.method == "paired jackknife t, restricted means"
    none, some = (int((~s.observed).sum()) for s in (first, second))
    assert none == 0 < some
    assert found.note.startswith(f"the first 1 s; censored: 0 of {len(first.times)} and {some} of")


def test_difference_of_means_that_are_all_seen_has_no_horizon() -> None:
    """Also if what was censored was outlived: nothing after it is unknown."""
    times = np.array([1.0, 4.0, 2.0, 6.0, 3.0, 9.0])
    first = Sample.of(times, [True] * 6, [0, 0, 1, 1, 2, 2])
    second = Sample.of(times + np.array([0, 1, 0, 2, 0, 3]), [True] * 6, [0, 0, 1, 1, 2, 2])
    found = difference_of_means(first, second)
    assert (found.value, found.n, found.note) == (1.0, 3, "")
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 2, 1, 0.5 / 3**0.5))
    same = difference_of_means(first, first)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    shifted = difference_of_means(first, Sample.of(times + 0.1, [True] * 6, [0, 0, 1, 1, 2, 2]))
    assert shifted.low == shifted.high == shifted.value  # rounding is no variance
    outlived = Sample.of(times, [True, False, True, True, True, True], [0, 0, 1, 1, 2, 2])
    assert difference_of_means(first, outlived).note == "censored: 0 of 6 and 1 of 6"
    none = difference_of_means(first, Sample.of([], [], []))
    assert (none.value, none.n) == (None, 0)


def shares_of(times: np.ndarray) -> effective.Shares:
    """One duration in each cluster."""
    return lambda at, draws: (draws @ (times <= at)) / draws.sum(axis=1)


def test_difference_of_medians_of_normals_has_its_textbook_error() -> None:
    """Standard error sqrt(pi / 2n) for one median; sqrt(2) of that for two that are independent."""
    rng = np.random.default_rng(1)
    n = 4000
    one, other = rng.normal(0, 1, n), rng.normal(3, 1, n)
    draws = cluster_draws(n, 1000)
    sides = [(quantile_of(Sample.of(t, [True] * n), 0.5), shares_of(t)) for t in (one, other)]
    found = effective.difference_interval(sides[0], sides[1], draws)
    error = math.sqrt(math.pi / 2 / n)
    assert found.value == pytest.approx(3, abs=5 * error)
    half = (found.high - found.low) / 2
    # The density is known to 1/sqrt of the 120 or so inside the interval.
    assert half == pytest.approx(stats.t.ppf(0.975, n - 1) * error * math.sqrt(2), rel=0.2)
    same = effective.difference_interval(sides[0], sides[0], draws)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_difference_without_bounds() -> None:
    known = effective.Interval(1.0, 0.7, 1.3, 9, "")
    open_end = effective.Interval(3.0, 2.6, math.inf, 9, "")
    shares, draws = shares_of(np.arange(9.0)), cluster_draws(9)
    found = effective.difference_interval((known, shares), (open_end, shares), draws)
    assert (found.value, found.low, found.high) == (2.0, -math.inf, math.inf)
    never = effective.Interval(math.inf, 2.6, math.inf, 9, "")
    both = effective.difference_interval((never, shares), (never, shares), draws)
    assert both.value is None
