from __future__ import annotations

import math

import pytest

from hasim.scenario.expectations import Expectation
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.expectations import Verdict, judge
from hasim.study.estimates.summary import summarise
from hasim.units import DAY
from tests.study.runs import run


def only(text: str, runs: list, measure: str = "detection_time.p95") -> Verdict:
    (verdict,) = judge([Expectation.parse(measure, text)], runs)
    assert verdict.measure == measure
    assert verdict.text == text
    return verdict


def test_the_one_sided_bound_of_a_quantile_decides() -> None:
    """n = 59: the largest is the upper 95 % bound of p95; ranks 53 and 59 are the bounds."""
    runs = [run(n, [n / 10]) for n in range(1, 60)]
    passed = only("< 6s", runs)
    assert (passed.verdict, passed.bound, passed.limit) == ("pass", 5.9, 6)
    assert passed.by_how_much == "95 % bound 5.9 s is 0.1 s inside the limit"
    assert passed.estimate.needed == 72  # for both bounds, which the verdict does not take
    assert only("< 5.9s", runs).verdict == "undecided"
    assert only("<= 5.9s", runs).verdict == "pass"
    failed = only("< 5s", runs)
    assert failed.verdict == "fail"
    assert failed.bound is not None
    assert failed.bound >= 5


def test_58_incidents_cannot_pass_a_p95_but_can_fail_it() -> None:
    runs = [run(n, [n / 10]) for n in range(1, 59)]
    undecided = only("< 100s", runs)
    assert (undecided.verdict, undecided.bound) == ("undecided", None)
    assert undecided.by_how_much == "needs 59 observations, has 58"
    assert only("< 1s", runs).verdict == "fail"


@pytest.mark.parametrize(("n", "verdict"), [(298, "undecided"), (299, "pass")])
def test_a_p99_takes_299_incidents(n: int, verdict: str) -> None:
    runs = [run(k, [2.0 + k / 1000]) for k in range(n)]
    assert only("< 5s", runs, "detection_time.p99").verdict == verdict


def test_censored_incidents_stand_in_the_way() -> None:
    runs = [run(k, [2.0 if k else None]) for k in range(100)]
    assert only("< 5s", runs).verdict == "pass"
    runs = [run(k, [2.0 if k > 4 else None]) for k in range(100)]
    undecided = only("< 5s", runs)
    assert (undecided.verdict, undecided.bound) == ("undecided", None)
    assert undecided.by_how_much == "the data give no bound"
    runs = [run(k, [2.0 if k > 40 else None]) for k in range(100)]
    assert only("< 5s", runs).verdict == "fail"  # they took 60 s at least


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (">= 99%", "pass"),
        ("> 99%", "pass"),
        (">= 99.9%", "fail"),
        (">= 99.55%", "undecided"),
        ("<= 99.9%", "pass"),
        ("< 99%", "fail"),
    ],
)
def test_means_by_their_t_bounds(text: str, verdict: str) -> None:
    runs = [run(n, [2.0], 4.0 + n / 100) for n in range(100)]
    found = only(text, runs, "uptime")
    assert found.verdict == verdict
    assert found.estimate.value == pytest.approx(0.995505)


def test_one_sided_is_narrower_than_two_sided() -> None:
    runs = [run(n, [2.0], 4.0 + n / 100) for n in range(100)]
    found = only(">= 99.5%", runs, "uptime")
    assert found.bound is not None
    assert found.estimate.low is not None
    assert found.estimate.low < found.bound < (found.estimate.value or 0)


def test_one_replication_decides_nothing() -> None:
    found = only(">= 50%", [run(0, [2.0], 4.0)], "uptime")
    assert (found.verdict, found.bound) == ("undecided", None)


def test_no_incident_decides_nothing() -> None:
    found = only("< 5s", [run(n) for n in range(5)])
    assert (found.verdict, found.by_how_much) == ("undecided", "needs 59 observations, has 0")
    found = only("<= 3", [run(n) for n in range(5)], "rpo.writes")
    assert found.verdict == "undecided"


def test_projected_uptime() -> None:
    runs = [run(n, [2.0], 39.0 + n % 3) for n in range(20)]
    promise = Expectation.parse("uptime.renewal_reward", ">= 99.99%")
    projected = (3 * 30 * DAY, 30 * DAY)  # of each of three masters
    (found,) = judge([promise], runs, projected)
    assert found.verdict == "pass"
    assert 1 - (found.bound or math.nan) == pytest.approx(1.56e-5, rel=0.02)
    assert judge([promise], runs)[0].verdict == "undecided"


def test_a_summary_can_be_judged_by_its_two_sided_intervals() -> None:
    runs = [run(n, [n / 10]) for n in range(1, 60)]
    promises = [
        Expectation.parse("detection_time.p95", "< 6s"),
        Expectation.parse("detection_time.p50", "< 6s"),
        Expectation.parse("detection_time.mean", "< 1s"),
    ]
    assert [v.verdict for v in judge(promises, summarise(runs))] == ["undecided", "pass", "fail"]


@pytest.mark.parametrize(
    ("measure", "limit", "value", "words"),
    [
        ("outage.mean", "< 1d", 10.0, "95 % bound 10 s is 86,390 s inside the limit"),
        ("uptime", ">= 99%", 0.785, "95 % bound 78.5 % is 20.5 percentage points beyond the limit"),
    ],
)
def test_by_how_much_is_told_in_plain_numbers(measure, limit, value, words):
    unit = "s" if measure == "outage.mean" else "ratio"
    summary = {measure: Estimate(measure, unit, value, value, value, 20, "given")}
    [verdict] = judge([Expectation.parse(measure, limit)], summary)
    assert verdict.by_how_much == words


def test_a_constant_latency_keeps_its_limit() -> None:
    """100 ms is 100 ms, of few messages as of many, and not the middle of a bucket around it."""
    for each in (40, 3000):
        runs = [run(k, latencies_ms=[100.0] * each) for k in range(20)]
        kept = only("<= 100ms", runs, "latency.p50")
        assert (kept.verdict, kept.bound, kept.estimate.value) == ("pass", 0.1, 0.1)
        assert (kept.estimate.low, kept.estimate.high) == (0.1, 0.1)
        assert only("< 100ms", runs, "latency.p50").verdict == "fail"


def test_a_verdict_within_the_rounding_of_a_latency_is_undecided() -> None:
    """Of many latencies near 101 ms it is known only that they lie between 100.8 and 101.2 ms."""
    near = [100.8 + 0.4 * k / 2999 for k in range(3000)]
    runs = [run(k, latencies_ms=near) for k in range(20)]
    estimate = only("< 1s", runs, "latency.p50").estimate
    assert estimate.low == pytest.approx(0.1008)
    assert estimate.high == pytest.approx(0.1012)
    assert only("<= 101.1ms", runs, "latency.p50").verdict == "undecided"
    assert only("<= 101.2ms", runs, "latency.p50").verdict == "pass"
    assert only("<= 100.7ms", runs, "latency.p50").verdict == "fail"
