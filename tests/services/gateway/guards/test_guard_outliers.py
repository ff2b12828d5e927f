"""Outlier ejection against Envoy's source and documentation."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.services.gateway.guards import Guard, OutlierSettings, outliers
from hasim.units import SECOND


def guards_of(*rates: tuple[int, int]) -> list[Guard]:
    return [Guard(answered=answered, failed=failed) for answered, failed in rates]


def fail(rules: OutlierSettings, guards: list[Guard], index: int, times: int, at_s: float) -> None:
    for _ in range(times):
        outliers.note_failure(rules, guards, [1] * len(guards), index, round(at_s * SECOND))


def test_the_fifth_failure_in_a_row_ejects() -> None:
    rules, guards = OutlierSettings(), guards_of((0, 0), (0, 0), (0, 0))
    fail(rules, guards, 1, 4, 1)
    outliers.note_answer(guards[1])
    fail(rules, guards, 1, 4, 2)
    assert [guard.ejected for guard in guards] == [0, 0, 0]
    fail(rules, guards, 1, 1, 3)
    assert [guard.ejected for guard in guards] == [0, 1, 0]


@pytest.mark.parametrize(
    ("masters", "share", "always", "ejected"),
    [
        (3, 0.1, True, 1),
        (3, 0.1, False, 0),  # Envoy's surprise with few hosts
        (3, 0.67, False, 2),
        (10, 0.1, False, 1),
        (20, 0.1, False, 2),
        (4, 1.0, False, 4),
    ],
)
def test_how_many_may_be_ejected(masters: int, share: float, always: bool, ejected: int) -> None:
    rules = OutlierSettings(max_ejected=share, always_eject_one=always)
    guards = [Guard() for _ in range(masters)]
    for index in range(masters):
        fail(rules, guards, index, 5, index)
    assert sum(guard.ejected for guard in guards) == ejected


def test_masters_that_are_no_members_count_for_nothing() -> None:
    rules = OutlierSettings(max_ejected=0.5, always_eject_one=False)
    guards = [Guard() for _ in range(4)]
    assert outliers.may_eject(rules, guards, [1, 1, 0, 0])
    guards[0].ejected = 1
    assert not outliers.may_eject(rules, guards, [1, 1, 0, 0])
    assert outliers.may_eject(rules, guards, [1, 1, 1, 1])


def swept(rules: OutlierSettings, guards: list[Guard], due_s: int, now_s: float) -> float:
    members = [1] * len(guards)
    return outliers.sweep(rules, guards, members, due_s * SECOND, round(now_s * SECOND)) / SECOND


def test_an_ejection_ends_with_the_interval_in_which_it_has_lasted_long_enough() -> None:
    rules, guards = OutlierSettings(), guards_of((0, 0), (0, 0))
    fail(rules, guards, 0, 5, 3)  # 30 s: over at 33 s, seen at 40 s
    assert swept(rules, guards, 10, 39.9) == 40
    assert guards[0].ejected == 1
    assert swept(rules, guards, 40, 40) == 50
    assert guards[0].ejected == 0


def test_each_ejection_lasts_longer_and_each_healthy_interval_takes_one_back() -> None:
    rules, guards = OutlierSettings(), guards_of((0, 0), (0, 0))
    lengths, now = [], 0.0
    for _ in range(12):
        fail(rules, guards, 0, 5, now)
        due = int(now) // 10 * 10 + 10
        while guards[0].ejected:
            swept(rules, guards, due, due)
            due += 10
        lengths.append(due - 10 - now)
        now = due - 10
    assert lengths == [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]
    assert guards[0].ejections == 12
    assert guards[0].backoff == 10
    assert swept(rules, guards, int(now) + 10, now + 40) == now + 50
    assert guards[0].backoff == 6


def test_the_success_rate_of_the_published_example() -> None:
    """{50, 100, 100, 100, 100} %: mean 90, deviation 20, threshold 52 at 1.9 deviations."""
    guards = guards_of((50, 50), (100, 0), (100, 0), (100, 0), (100, 0))
    rules = OutlierSettings(success_rate=True, consecutive_failures=0)
    assert outliers.threshold_of(rules, guards, [1] * 5, 100) == pytest.approx(0.52)
    outliers.sweep(rules, guards, [1] * 5, 10 * SECOND, 10 * SECOND)
    assert [guard.ejected for guard in guards] == [1, 0, 0, 0, 0]
    assert all(guard.answered == guard.failed == 0 for guard in guards)


def test_rates_need_enough_masters_with_enough_volume() -> None:
    rules = OutlierSettings(success_rate=True)
    few = guards_of((50, 50), (100, 0), (100, 0), (100, 0), (99, 0))
    assert outliers.threshold_of(rules, few, [1] * 5, 100) == -1.0
    with_stranger = guards_of((50, 50), (100, 0), (100, 0), (100, 0), (100, 0))
    assert outliers.threshold_of(rules, with_stranger, [1, 1, 1, 1, 0], 100) == -1.0


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=9),
    st.floats(0.5, 3.0),
)
def test_the_threshold_is_that_of_the_statistics(rates: list[Any], factor: float) -> None:
    rules = OutlierSettings(success_rate_hosts=2, stdev_factor=factor)
    shares = [a / (a + f) for a, f in rates if a + f >= 100]
    found = outliers.threshold_of(rules, guards_of(*rates), [1] * len(rates), 100)
    expected = -1.0
    if len(shares) >= 2:
        expected = statistics.fmean(shares) - factor * statistics.pstdev(shares)
    assert found == pytest.approx(expected, abs=1e-9)


def test_the_failure_share_ejects_whatever_the_others_do() -> None:
    rules = OutlierSettings(failure_share=0.85, max_ejected=1.0, consecutive_failures=0)
    guards = guards_of((7, 43), (8, 42), (0, 50), (100, 0), (0, 49), (25, 25))
    outliers.sweep(rules, guards, [1] * 6, 10 * SECOND, 10 * SECOND)
    assert [guard.ejected for guard in guards] == [1, 0, 1, 0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), st.booleans()), max_size=60))
def test_sweeping_late_is_sweeping_in_time(steps: list[Any]) -> None:
    """Whether somebody looks at every interval or only when something happens is the same."""
    rules = OutlierSettings(success_rate=True, success_rate_hosts=2, success_rate_volume=2)
    late, eager = [Guard() for _ in range(4)], [Guard() for _ in range(4)]
    members, due_late, due_eager, now = [1] * 4, 10 * SECOND, 10 * SECOND, 0
    for pause, index, ok in steps:
        now += pause * SECOND
        while due_eager <= now:
            outliers.end_interval(rules, eager, members, due_eager)
            due_eager += 10 * SECOND
        due_late = outliers.sweep(rules, late, members, due_late, now)
        assert (late, due_late) == (eager, due_eager)
        for guards in (late, eager):
            if ok:
                outliers.note_answer(guards[index])
            else:
                outliers.note_failure(rules, guards, members, index, now)


def test_intervals_that_were_missed_are_ended_one_after_the_other() -> None:
    """An ejection of 30 s from 3 s on is over at 33 s, whenever somebody looks after that."""
    rules, guards = OutlierSettings(), guards_of((0, 0), (0, 0))
    fail(rules, guards, 0, 5, 3)
    assert swept(rules, guards, 10, 45) == 50
    assert guards[0].ejected == 0
    assert guards[0].backoff == 1
