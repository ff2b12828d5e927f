from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hasim import sketch
from hasim.measures.catalogue import MEASURES
from hasim.study.estimates.latency import resampled_share
from hasim.study.estimates.replications import Replications
from hasim.study.estimates.statistics import proportion_interval
from hasim.study.estimates.summary import estimate_of, interval, paired, summarise
from hasim.units import DAY, nanoseconds
from tests.study.runs import run


def test_every_measure_is_estimated_and_says_how() -> None:
    runs = [run(n, [2.0 + n / 10], 5.0, (100, 95), 1, [10.0 + n] * 40) for n in range(10)]
    summary = summarise(runs, (30 * DAY, 30 * DAY))
    assert list(summary) == list(MEASURES)
    for name, estimate in summary.items():
        assert (estimate.measure, estimate.unit) == (name, MEASURES[name].unit)
        assert estimate.method
        if estimate.value is None:
            assert estimate.low is estimate.high is None
            # nobody has keys, leads, or counts who waits
            nobody = ("churn", "follow", "held", "leaderless", "queue", "user_uptime", "wait")
            if name.startswith(nobody):
                assert estimate.needed is None
                continue
            assert estimate.needed is not None, name
            assert estimate.n < estimate.needed
        else:
            assert estimate.low <= estimate.value <= estimate.high, name


def test_nothing_at_all_is_no_crash() -> None:
    for runs in ([], [run(0)]):
        for name, estimate in summarise(runs, None).items():
            assert estimate.measure == name
            assert estimate.value is None or math.isfinite(estimate.value)


# -- detection ------------------------------------------------------------------------


def test_one_incident_a_replication_gives_order_statistics() -> None:
    runs = [run(n, [n / 10]) for n in range(1, 201)]
    p95 = estimate_of("detection_time.p95", runs)
    assert (p95.value, p95.low, p95.high) == (19.0, 18.4, 19.7)
    assert (p95.method, p95.n) == ("order statistics", 200)
    p99 = estimate_of("detection_time.p99", runs)
    assert (p99.value, p99.low, p99.needed, p99.n) == (None, None, 368, 200)
    mean = estimate_of("detection_time.mean", runs)
    # A sample without skewness: Student's t.
    exact = stats.t.interval(0.95, 199, 10.05, stats.sem(np.arange(1, 201) / 10))
    assert (mean.low, mean.high) == pytest.approx(exact)


def test_a_censored_incident_is_infinite_above_and_what_was_seen_below() -> None:
    """Five of 100 are cured after 60 s: they sort last, and p95's upper bound is not known."""
    runs = [run(n, [n / 10 if n <= 95 else None]) for n in range(1, 101)]
    p50 = estimate_of("detection_time.p50", runs)
    # Jeffreys' interval of the share: a rank narrower than the exact one.
    assert (p50.value, p50.low, p50.high) == (5.0, 4.1, 6.0)
    assert p50.method == "Kaplan-Meier"
    p95 = estimate_of("detection_time.p95", runs)
    assert (p95.value, p95.high) == (9.5, math.inf)
    mean = estimate_of("detection_time.mean", runs)
    assert mean.high == math.inf
    assert mean.value == pytest.approx((sum(range(1, 96)) / 10 + 5 * 60) / 100)
    detected = estimate_of("detected", runs)
    assert (detected.value, detected.n) == (0.95, 100)
    assert detected.low == pytest.approx(proportion_interval(95, 100).low)


def test_more_than_half_undetected_has_an_infinite_median() -> None:
    runs = [run(n, [1.0 if n < 30 else None]) for n in range(80)]
    p50 = estimate_of("detection_time.p50", runs)
    assert (p50.value, p50.high) == (math.inf, math.inf)
    assert p50.low == 60


def test_late_counts_as_not_detected() -> None:
    runs = [run(n, [61.0 if n < 20 else 3.0]) for n in range(100)]
    assert estimate_of("late", runs).value == 0.2
    assert estimate_of("detected", runs).value == 0.8
    assert estimate_of("detection_time.p95", runs).value == math.inf


def test_excluded_incidents_are_counted_apart() -> None:
    runs = [run(n, [1.0]) for n in range(10)]
    row = replace(runs[0].incidents[0], outcome="already declared", detection_s=None)
    runs[0] = replace(runs[0], incidents=(row,))
    assert [run.incidents[0].outcome for run in runs].count("already declared") == 1
    assert estimate_of("detected", runs).n == 9


def test_several_incidents_a_replication_are_resampled_together() -> None:
    runs = [run(n, [1 + n / 40] * 3) for n in range(40)]
    p50 = estimate_of("detection_time.p50", runs)
    assert (p50.method, p50.n) == ("cluster bootstrap", 120)
    assert p50.value == pytest.approx(1 + 19 / 40)
    # About as wide as 40 independent observations allow, not 120.
    assert p50.high - p50.low == pytest.approx(13 / 40, rel=0.35)
    assert estimate_of("detection_time.p99", runs).needed == 368
    assert estimate_of("detection_time.p50", runs) == p50


def test_all_detected_is_no_certainty() -> None:
    runs = [run(n, [1.0, 2.0]) for n in range(10)]
    detected = estimate_of("detected", runs)
    assert (detected.value, detected.high, detected.n) == (1, 1, 20)
    assert detected.low == pytest.approx(0.025 ** (1 / 10))


# -- service --------------------------------------------------------------------------


def test_failover_and_outage_times() -> None:
    runs = [run(n, [2.0], 4.0 + n / 100) for n in range(100)]
    failover = estimate_of("failover_time.p50", runs)
    assert failover.value == pytest.approx(2.49)
    outage = estimate_of("outage.p50", runs)
    assert (outage.value, outage.low, outage.high) == pytest.approx((4.49, 4.39, 4.60))
    assert estimate_of("first_ok.p50", runs).value == pytest.approx(4.99)
    assert estimate_of("outage.mean", runs).value == pytest.approx(4.495)
    uptime = estimate_of("uptime", runs)
    assert uptime.value == pytest.approx(1 - 4.495 / 1000)
    exact = stats.t.interval(0.95, 99, 4.495, stats.sem(np.arange(100) / 100))
    assert (1 - uptime.high, 1 - uptime.low) == pytest.approx(np.array(exact) / 1000)


def test_equal_replications_say_so() -> None:
    uptime = estimate_of("uptime", [run(n, mistakes=1) for n in range(5)])
    assert (uptime.value, uptime.low, uptime.high) == (1, 1, 1)
    assert uptime.method == "Student t, all equal"


def test_success_weighs_replications_by_their_messages() -> None:
    runs = [run(0, messages=(1000, 1000)), run(1, messages=(10, 0)), run(2, messages=(500, 400))]
    success = estimate_of("success", runs)
    assert success.value == pytest.approx(1400 / 1510)
    assert success.high == 1
    assert estimate_of("attempts", runs).value == pytest.approx((1400 + 2 * 110) / 1510)


def test_messages_with_a_deadline_beyond_the_end_are_no_failures() -> None:
    runs = [run(n, messages=(100, 90 + n)) for n in range(3)]
    before = estimate_of("success", runs)
    late = replace(runs[0].messages[0], settled=False, outcome="in_flight", messages=50, in_time=0)
    assert (
        estimate_of("success", [replace(r, messages=(*r.messages, late)) for r in runs]) == before
    )


def test_mistake_rate_per_master_hour() -> None:
    runs = [run(n, mistakes=n % 3) for n in range(9)]
    mistakes = estimate_of("mistakes", runs)
    assert mistakes.value == pytest.approx(9 / (9 * 3 * 1000 / 3600))
    accuracy = estimate_of("query_accuracy", runs)
    assert accuracy.value == pytest.approx(1 - 9 * 8 / (9 * 3 * 1000))
    none = estimate_of("mistakes", [run(n) for n in range(9)])
    assert (none.value, none.low) == (0, 0)
    assert none.n == 9
    assert none.high == pytest.approx(3.6889 / 7.5, rel=1e-4)


def test_latency_is_pooled_over_replications() -> None:
    runs = [run(n, latencies_ms=[10.0 * (n + 1)] * 100) for n in range(10)]
    p50 = estimate_of("latency.p50", runs)
    assert p50.value == 0.050
    assert (p50.n, p50.method) == (1000, "cluster bootstrap")
    assert p50.low == pytest.approx(0.03, rel=0.4)
    assert p50.high == pytest.approx(0.08, rel=0.3)
    assert estimate_of("latency.p99.9", runs).needed == 3688


def test_renewal_reward_reaches_the_check_value() -> None:
    """Downtime of 40 s per fault, one fault in 720 h: U = 1.543186e-5.

    Three masters that fail once in 2160 h each make one fault in 720 h.
    """
    runs = [run(n, [2.0], 40.0) for n in range(20)]
    assert len(runs[0].masters) == 3
    projection = (3 * 30 * DAY, 30 * DAY)
    found = estimate_of("uptime.renewal_reward", runs, projection)
    assert 1 - found.value == pytest.approx(1.543186e-5, rel=1e-6)
    assert found.n == 20
    assert estimate_of("uptime.renewal_reward", runs).value is None


def test_renewal_reward_rests_on_the_runs_in_which_anything_happened() -> None:
    """Three of forty have a fault: three observations; the mistakes' share is of all the time."""
    projection = (nanoseconds(1e6), 30 * DAY)
    some = [run(n, [2.0], 40.0 + n) for n in range(3)]
    sparse = [*some, *(run(n) for n in range(3, 40))]
    few, many = (estimate_of("uptime.renewal_reward", r, projection) for r in (some, sparse))
    assert (many.value, many.low, many.n) == (few.value, pytest.approx(few.low), 3)
    service = replace(some[0].service, mistaken_s=20.0, down_s=60.0)
    mistaken = [replace(some[0], service=service), *sparse[1:]]
    after = estimate_of("uptime.renewal_reward", mistaken, projection)
    assert many.value - after.value == pytest.approx(20 / 40_000, rel=2e-3)
    calm = estimate_of("uptime.renewal_reward", sparse[3:], projection)
    assert (calm.value, calm.n) == (None, 0)


def test_renewal_reward_charges_mistakes_by_time_and_open_ends_have_no_lower_bound() -> None:
    runs = [run(n, [2.0], 40.0 + n) for n in range(20)]
    projection = (nanoseconds(1e6), 30 * DAY)
    before = estimate_of("uptime.renewal_reward", runs, projection)
    service = replace(runs[0].service, mistaken_s=20.0, down_s=60.0)
    mistaken = [replace(runs[0], service=service), *runs[1:]]
    after = estimate_of("uptime.renewal_reward", mistaken, projection)
    assert before.value - after.value == pytest.approx(20 / 20_000, rel=2e-3)
    open_end = replace(runs[0].service, down_at_end=True)
    unknown = estimate_of(
        "uptime.renewal_reward", [replace(runs[0], service=open_end), *runs[1:]], projection
    )
    assert (unknown.low, unknown.value, unknown.high) == (0, before.value, before.high)


def test_a_fault_of_several_masters_is_one_failure() -> None:
    runs = [run(n, [2.0], 40.0) for n in range(20)]
    projection = (30 * DAY, 30 * DAY)
    both = [
        replace(one, incidents=(one.incidents[0], replace(one.incidents[0], number=2, master="b")))
        for one in runs
    ]
    alone, together = (
        estimate_of("uptime.renewal_reward", many, projection) for many in (runs, both)
    )
    assert together == alone


def test_unknown_measures_are_refused() -> None:
    with pytest.raises(LookupError, match="no measure 'downtime'"):
        estimate_of("downtime", [])
    with pytest.raises(LookupError):
        paired([], [], "downtime")


# -- pairs ----------------------------------------------------------------------------


def test_pairs_are_matched_by_replication() -> None:
    slow = [run(n, [2.0 + n]) for n in range(6)]
    fast = [run(n, [1.5 + n + (n % 2) / 10]) for n in (5, 3, 4, 1, 2, 0)]
    difference = paired(slow, fast, "detection_time.mean")
    deltas = [-0.5 + (n % 2) / 10 for n in range(6)]
    assert difference.value == pytest.approx(-0.45)
    exact = stats.t.interval(0.95, 5, np.mean(deltas), stats.sem(deltas))
    assert (difference.low, difference.high) == pytest.approx(exact)
    assert (difference.n, difference.method, difference.unit) == (6, "paired jackknife t", "s")


def test_replications_without_a_partner_or_a_value_are_left_out() -> None:
    first = [run(0, [1.0]), run(1, [1.0]), run(2), run(3, [1.0])]
    second = [run(0, [2.0]), run(1, [2.5]), run(2)]
    assert paired(first, second, "detection_time.mean").n == 2
    assert paired(first, second, "uptime").n == 3
    assert paired(first, [], "uptime").value is None


@pytest.mark.parametrize("measure", ["uptime", "success", "detection_time.p50", "latency.p95"])
def test_the_same_run_twice_does_not_differ(measure: str) -> None:
    runs = [run(n, [1.0 + n], 9.0, (100, 90 + n), 0, [5.0 + n] * 10) for n in range(8)]
    same = paired(runs, runs, measure)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_quantiles_are_compared_by_a_paired_bootstrap() -> None:
    """Noise that both share cancels: a shift of 0.3 s shows among times from 1 to 41 s."""
    one = [run(n, [1.0 + n / 10]) for n in range(400)]
    other = [run(n, [1.3 + n / 10]) for n in range(400)]
    difference = paired(one, other, "detection_time.p50")
    assert difference.value == pytest.approx(0.3)
    assert 0.05 < difference.low < 0.15  # as if the next time, 0.1 s away, might have been it
    assert difference.high - difference.value == pytest.approx(difference.value - difference.low)
    assert difference.method == "paired cluster bootstrap"
    # Replications paired wrongly have no luck in common.
    turned = [run(399 - n, [1.3 + n / 10]) for n in range(400)]
    apart = paired(one, turned, "detection_time.p50")
    assert apart.high - apart.low > 7
    assert paired(one[:300], other, "detection_time.p99").value is None  # 300 of 368


def test_what_is_projected_cannot_be_paired() -> None:
    runs = [run(0), run(1)]
    assert paired(runs, runs, "uptime.renewal_reward").value is None


def test_failed_messages_count_at_their_deadline_in_the_response() -> None:
    """95 of 100 are answered after 100 ms, 5 never: p95 is 100 ms, p99 the deadline of 5 s."""
    runs = [run(r, messages=(100, 95), latencies_ms=[100.0] * 95) for r in range(20)]
    assert interval("latency.p99", runs).value == pytest.approx(0.1, rel=0.01)
    assert interval("response.p95", runs).value == pytest.approx(0.1, rel=0.01)
    assert interval("response.p99", runs).value == pytest.approx(5.0)


def test_what_is_remembered_is_what_is_worked_out_anew() -> None:
    draws = np.random.default_rng(3).exponential
    runs, others = (
        [
            run(r, [d, None, 2 * d], 20.0, (60, 50), 1, draws(100 * d, 30).tolist())
            for r, d in enumerate(draws(size=12) + side)
        ]
        for side in (1.0, 1.5)
    )
    summary = summarise(runs)
    assert [estimate_of(measure, runs) for measure in MEASURES] == list(summary.values())
    both = Replications.of(runs), Replications.of(others)
    for measure in MEASURES:
        anew = paired(runs, others, measure)
        assert paired(*both, measure) == anew == paired(*both, measure)


@pytest.mark.parametrize("count", [40, 3 * sketch.EXACT])
def test_latencies_are_counted_by_cell(count: int) -> None:
    """Each as it is where all are kept, in the buckets of the sketch where any is in one."""
    drawn = np.random.default_rng(5).lognormal(4, 1, (3, count)).tolist()
    runs = [run(r, latencies_ms=ms) for r, ms in enumerate((drawn[0], drawn[1][:30], drawn[2]))]
    cells = [[cell for row in one.latencies for cell in row.cells] for one in runs]
    single = count <= sketch.EXACT
    every = [cell for own in cells for cell in own]
    keys = [cell[0] for cell in every] if single else sketch.buckets_of(tuple(every))
    middle = {k: sketch.middle_ns(c) for k, c in sketch.joined_by(keys, every).items()}
    of_run = np.repeat([0, 1, 2], [len(own) for own in cells])
    for at_s in (0.0, 0.02, 0.05, 0.3, 9.0):
        below = np.zeros(3)
        for key, cell, number in zip(keys, every, of_run, strict=True):
            below[number] += cell[2] * (middle[key] / 1e9 <= at_s)
        total = [sketch.count(own) for own in cells]
        assert np.array_equal(resampled_share(runs, at_s, np.eye(3)), below / total)


def test_the_mean_latency_is_that_of_all_messages_and_its_interval_has_the_rounding() -> None:
    runs = [run(r, messages=(4, 4), latencies_ms=[100, 100, 100, 500 + r]) for r in range(10)]
    found = interval("latency.mean", runs)
    exact = sum(0.8 + r / 1000 for r in range(10)) / 40
    assert found.low <= exact <= found.high
    assert found.value == pytest.approx(exact, rel=0.01)


def test_errors_per_fault_and_the_longest_outage() -> None:
    runs = [
        run(0, [3.0, 3.0], outage_s=8.0, messages=(50, 40)),
        run(1, [3.0], outage_s=4.0, messages=(50, 48)),
    ]
    assert interval("errors_per_fault", runs).value == pytest.approx(12 / 3)
    assert interval("outage.longest", runs).value == pytest.approx((8 + 4) / 2)


def test_uptime_of_runs_without_a_fault_is_a_bound_and_no_certainty() -> None:
    """None of 60 replications lost anything: at most 3 in 60 do, with 95 % (one-sided)."""
    found = interval("uptime", [run(r) for r in range(60)], None, 0.90)
    assert (found.value, found.high, found.method) == (1.0, 1.0, "rule of three")
    assert found.low == pytest.approx(0.05 ** (1 / 60))
    assert 1 - found.low == pytest.approx(3 / 60, rel=0.03)
    assert "hasim budget" in found.note
    seen = interval("uptime", [run(r, [2.0], outage_s=3.0) for r in range(60)])
    assert seen.method != "rule of three"


def test_success_of_runs_without_a_fault_is_a_bound_over_replications() -> None:
    """Not over messages, which meet the same faults; who offered none is no trial."""
    runs = [run(r, messages=(1000, 1000)) for r in range(60)]
    found = interval("success", [*runs, run(60), run(61)], None, 0.90)
    assert (found.value, found.high, found.method) == (1.0, 1.0, "rule of three")
    assert found.low == pytest.approx(0.05 ** (1 / 60))
    told = estimate_of("success", runs)
    assert (told.value, told.low) == (1.0, pytest.approx(0.025 ** (1 / 60)))
    assert told.note == found.note
    lossy = interval("success", [*runs, run(60, messages=(1000, 999))])
    assert lossy.method != "rule of three"
    assert lossy.low < lossy.value < 1


@pytest.mark.parametrize("measure", ["uptime.any", "uptime.mean", "query_accuracy"])
def test_no_share_of_runs_without_a_fault_is_certain(measure: str) -> None:
    found = interval(measure, [run(r) for r in range(60)])
    assert found.method == "rule of three"
    assert found.low == pytest.approx(0.025 ** (1 / 60))
