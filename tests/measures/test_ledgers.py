"""What an objective is stated of besides the time up: messages, users, one partition, one tier."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.events import FailoverChanged
from hasim.journal import Journal
from hasim.measures import measure
from hasim.measures.ledgers import ByMinute, ledger_of, senses_of
from hasim.measures.objectives import Objective, calendar, worst_rolling
from hasim.truth import TrafficRollup, UserMinute
from hasim.units import HOUR, MINUTE, SECOND
from tests.measures.story import Story

FAST = (HOUR, 5 * MINUTE)


def rollup(story: Story, start_s: int, outcome: str, messages: int, in_time: int, **more) -> None:
    body = TrafficRollup(start_s * SECOND, "a", "ordinary", outcome, messages, in_time, 1, **more)
    story.truth(start_s + 1, body)


def test_messages_by_the_minute_in_which_they_arrived():
    story = Story(150.0)
    rollup(story, 0, "ok", 7, 6)
    rollup(story, 50, "refused", 3, 0)
    rollup(story, 60, "ok", 5, 5)
    rollup(story, 140, "in_flight", 9, 0, settled=False)
    found = measure(story.journal()).minutes
    assert found is not None
    assert (found.offered, found.in_time) == ((10, 5, 0), (6, 5, 0))


def test_a_step_of_errors_burns_when_arithmetic_says_so():
    """All fail from the 60th minute on: 14.4 x 1 % of an hour's messages after 9 minutes."""
    ledger = ByMinute([0] * 60 + [10] * 60, [10] * 120, 7200.0)
    assert list(ledger.burns(0.99, 14.4, FAST)) == [69 * MINUTE]
    # A third fails: 0.144 x 60 minutes / (1/3) = 25.92 of them.
    ledger = ByMinute([0] * 60 + [10] * 60, [30] * 120, 7200.0)
    assert list(ledger.burns(0.99, 14.4, FAST)) == [86 * MINUTE]
    # Before the run all was well: an error in the first minutes is not the whole of an hour.
    ledger = ByMinute([10] + [0] * 119, [10] * 120, 7200.0)
    assert list(ledger.burns(0.99, 14.4, FAST)) == []


def test_failed_messages_are_no_downtime():
    """One in ten fails all the time: by time nothing is wrong, by message the budget is gone."""
    story = Story(300.0)
    for minute in range(5):
        rollup(story, 60 * minute, "ok", 90, 90)
        rollup(story, 60 * minute, "error", 10, 0)
    run = measure(story.journal())
    objective = Objective(0.99, 2 * MINUTE)
    by_time, by_message = (
        list(calendar(ledger_of(run, of, objective.window_ns, maintenance=True), objective))
        for of in ("uptime", "success")
    )
    assert [one.kept for one in by_time] == [True, True, True]
    assert [(one.bad, one.allowed, one.kept) for one in by_message] == [
        (20, 2, False),
        (20, 2, False),
        (10, 1, False),  # so many messages so far
    ]
    assert [one.burn_rate for one in by_message] == [pytest.approx(10.0)] * 3
    assert [one.left for one in by_message] == [pytest.approx(-9.0)] * 3


def test_a_minute_without_messages_spends_nothing():
    ledger = ByMinute([0, 0, 5], [0, 0, 5], 180.0)
    first, _, last = calendar(ledger, Objective(0.9, MINUTE))
    assert (first.bad, first.left, first.burn_rate, first.kept) == (0, None, None, True)
    assert (last.bad, last.kept) == (5, False)
    worst = worst_rolling(ledger, Objective(0.9, 2 * MINUTE))
    assert worst is not None
    assert (worst.ended_at_s, worst.burn_rate) == (180.0, pytest.approx(10.0))


def test_users_time_is_counted_by_the_minute():
    story = Story(120.0)
    story.truth(120, UserMinute(0, 45 * SECOND, 15 * SECOND))
    story.truth(120, UserMinute(MINUTE, 60 * SECOND, 0))
    run = measure(story.journal())
    ledger = ledger_of(run, "user_uptime", 2 * MINUTE, maintenance=True)
    (only,) = calendar(ledger, Objective(0.75, 2 * MINUTE))
    assert (only.bad, only.allowed, only.kept) == (15.0, 30.0, True)
    assert only.burn_rate == pytest.approx(0.5)


def test_each_partition_any_of_them_and_stateless_by_themselves():
    story = Story(100.0)
    for partition in ("p1", "p2", "p3"):
        story.down(40, partition)
        story.up(50, partition)
    story.down(70, "p2")
    story.up(75, "p2")
    run = measure(story.journal())

    def down_s(of: str) -> float:
        ledger = ledger_of(run, of, 100 * SECOND, maintenance=True)
        return ledger.bad(0, 100 * SECOND) / SECOND

    assert down_s("uptime") == run.service.down_s == 15
    assert down_s("uptime.any") == 10
    assert [down_s(f"partition:{name}") for name in ("p1", "p2", "p3")] == [10, 15, 10]
    assert {"partition:p1", "success", "uptime.k_of_n"} <= set(senses_of(run))


def test_planned_switchovers_are_left_out_by_each_sense_of_time():
    """p1 is down from 10 to 20 s, moved on an operator's word from 14 s on; all are from 60 to 64.

    By any of the partitions only the 4 s count, whose switchover is of p1: that time is planned.
    """
    story = Story(100.0)
    story.down(10, "p1")
    story.event(14, FailoverChanged(1, "a", ("p1",), "", "declared", "planned", "", ""))
    story.event(20, FailoverChanged(1, "a", ("p1",), "declared", "completed", "verified", "b", ""))
    story.up(20, "p1")
    for partition in ("p1", "p2", "p3"):
        story.down(60, partition)
        story.up(64, partition)
    run = measure(story.journal())

    def down_s(of: str, *, maintenance: bool) -> float:
        ledger = ledger_of(run, of, 100 * SECOND, maintenance=maintenance)
        return ledger.bad(0, 100 * SECOND) / SECOND

    senses = ("uptime", "uptime.any", "partition:p1", "partition:p2")
    assert [down_s(of, maintenance=True) for of in senses] == [14, 4, 14, 4]
    assert [down_s(of, maintenance=False) for of in senses] == [8, 4, 8, 4]


def chained(tiers: dict[str, Story]) -> Journal:
    """The stories as those of tiers in series: what is true of a tier has its name."""
    headers = {name: story.journal().header for name, story in tiers.items()}
    parts = {
        name: {"cluster": own["cluster"], "observers": {f"{name}-observer": about}}
        for name, own in headers.items()
        for about in own["observers"].values()
    }
    first = next(iter(headers.values()))
    records = [
        record._replace(observer=name)
        for name, story in tiers.items()
        for record in story.journal().records
    ]
    return Journal({**first, "tiers": parts}, sorted(records, key=lambda r: r.t_ns))


def test_each_tier_by_itself():
    """The first is down for 10 s, the second for 3 s of them and for 7 others: 17 s of either."""
    tiers = {}
    for name, downs in (("front", [(40, 50)]), ("back", [(47, 50), (70, 77)])):
        story = Story(100.0)
        for since_s, until_s in downs:
            story.down(since_s, "p1")
            story.up(until_s, "p1")
        tiers[name] = story
    run = measure(chained(tiers))
    objective = Objective(0.9, 100 * SECOND)
    found = {}
    for of in ("uptime", "tier:front", "tier:back"):
        ledger = ledger_of(run, of, objective.window_ns, maintenance=True)
        (only,) = calendar(ledger, objective)
        found[of] = (only.bad, only.kept)
    assert found == {
        "uptime": (17.0, False),
        "tier:front": (10.0, True),
        "tier:back": (10.0, True),
    }


def test_what_a_run_has_nothing_of_is_said():
    run = measure(Story(90.0).journal())
    for of, window_ns, said in (
        ("partition:p9", MINUTE, "did you mean partition:p"),
        ("user_uptime", MINUTE, "no users"),
        ("success", 61 * SECOND, "whole minutes"),
    ):
        with pytest.raises(ValueError, match=said):
            ledger_of(run, of, window_ns, maintenance=True)
    before = dataclasses.replace(run, minutes=None)
    with pytest.raises(ValueError, match="make it anew"):
        ledger_of(before, "uptime.any", MINUTE, maintenance=True)


MINUTES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda p: (p[0], p[0] + p[1])),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)
@given(MINUTES, st.integers(1, 4), st.integers(1, 3), st.sampled_from([1.0, 2.0, 3.5]))
def test_burns_as_a_slow_look_at_every_minute_has_them(minutes, long, short, rate):
    bad, whole = [b for b, _ in minutes], [w for _, w in minutes]
    each = sum(whole) / len(whole)
    padded_bad, padded = [0.0] * 4 + bad, [each] * 4 + [float(w) for w in whole]
    found, firing = [], False
    for end in range(1, len(minutes) + 1):
        shares = []
        for window in (long, short):
            part = slice(4 + end - window, 4 + end)
            total, failed = sum(padded[part]), sum(padded_bad[part])
            shares.append(failed > 0 and failed >= rate * 0.25 * total)
        if all(shares) and not firing:
            found.append(end * MINUTE)
        firing = all(shares)
    ledger = ByMinute(bad, whole, 60.0 * len(minutes))
    assert list(ledger.burns(0.75, rate, (long * MINUTE, short * MINUTE))) == found
