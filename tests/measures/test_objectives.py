"""Objectives over windows, by arithmetic; which faults paged whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.events import AlertChanged
from hasim.measures import measure
from hasim.measures.availability import DownRow
from hasim.measures.catalogue import MEASURES
from hasim.measures.ledgers import ByTime
from hasim.measures.objectives import Objective, calendar, worst_rolling
from hasim.model import Severity
from hasim.units import SECOND
from tests.measures.story import Story


def row(since_s: float, until_s: float, planned: bool = False) -> DownRow:
    return DownRow(started_at_s=since_s, ended_at_s=until_s, cause="undetected", planned=planned)


ROWS = [row(90, 110), row(110, 130, planned=True), row(250, 255)]
"""In 300 s: 20 s, right after it 20 s that were planned, and 5 s."""


def test_calendar_windows_one_after_the_other():
    found = list(calendar(ByTime(ROWS, 250.0), Objective(0.9, 100 * SECOND)))
    assert [(w.started_at_s, w.ended_at_s, w.bad, w.kept) for w in found] == [
        (0, 100, 10, True),
        (100, 200, 30, False),
        (200, 250, 0, True),
    ]
    assert [w.left for w in found] == [pytest.approx(v) for v in (0.0, -2.0, 1.0)]
    assert [w.burn_rate for w in found] == [pytest.approx(v) for v in (1.0, 3.0, 0.0)]


def test_the_worst_rolling_window_is_between_the_calendars():
    found = worst_rolling(ByTime(ROWS, 300.0), Objective(0.9, 100 * SECOND))
    assert found is not None
    assert (found.ended_at_s, found.bad, found.kept) == (130, 40, False)
    assert worst_rolling(ByTime(ROWS, 300.0), Objective(0.9, 301 * SECOND)) is None


def test_maintenance_that_was_planned_is_left_out():
    objective, ledger = Objective(0.9, 100 * SECOND), ByTime(ROWS, 300.0, maintenance=False)
    assert [w.bad for w in calendar(ledger, objective)] == [10, 10, 5]
    found = worst_rolling(ledger, objective)
    assert found is not None
    assert found.bad == 20


def test_an_objective_that_allows_nothing():
    (only,) = calendar(ByTime([row(1, 2)], 10.0), Objective(1.0, 10 * SECOND))
    assert (only.left, only.burn_rate, only.kept) == (None, None, False)


@given(st.lists(st.integers(0, 99), max_size=8), st.integers(1, 100))
def test_no_rolling_window_is_worse(edges, window_s):
    kept = sorted(set(edges))
    rows = [row(a, b) for a, b in zip(kept[::2], kept[1::2], strict=False)]
    found = worst_rolling(ByTime(rows, 100.0), Objective(0.9, window_s * SECOND))
    down = [any(r.started_at_s <= s < r.ended_at_s for r in rows) for s in range(100)]
    assert found is not None
    assert found.bad == max(sum(down[s : s + window_s]) for s in range(101 - window_s))


def paged(story: Story, number: int, at_s: float, severity=Severity.CRITICAL, subject="master:a"):
    story.event(at_s, AlertChanged(number, subject, severity, "by hand"))


def test_which_faults_paged_whom_and_which_pages_had_none():
    story = Story()
    story.fault(1, "a", 10, 20)
    story.fault(2, "b", 40, 50)
    paged(story, 1, 12, Severity.WARNING)
    paged(story, 1, 22)  # within the late window of 2.5 s
    paged(story, 2, 30, subject="master:c")
    paged(story, 3, 45, Severity.WARNING)
    run = measure(story.journal())
    assert [(f.fault, f.paged_at_s, f.pages) for f in run.faults] == [(1, 22, 1), (2, None, 0)]
    assert run.needless_pages == 1
    share = MEASURES["faults.paged"].estimator
    assert (share.hits(run), share.among(run)) == (1, 2)


def test_a_page_about_a_burn_rate_may_lag_its_long_window():
    story = Story()
    story.fault(1, "a", 10, 20)
    paged(story, 1, 70, subject="burn-rate:1m")
    paged(story, 2, 95, subject="burn-rate:1m")
    run = measure(story.journal())
    assert (run.faults[0].paged_at_s, run.faults[0].pages, run.needless_pages) == (70, 1, 1)


def test_a_page_while_a_fenced_master_restarts_is_the_faults() -> None:
    story = Story()
    story.fault(1, "a", 10, 15)
    story.fenced("a", 1, 12, 72)
    paged(story, 1, 70)
    paged(story, 2, 90)  # 4 s after the restart it has proven its health, 2.5 s is the window
    run = measure(story.journal())
    assert (run.faults[0].paged_at_s, run.faults[0].pages, run.needless_pages) == (70, 1, 1)
