"""Windowed user-uptime of histories that were made by hand, to the last digit."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.measures import measure
from hasim.measures.catalogue import MEASURES
from hasim.measures.users import UserRow, user_uptime, windowed
from hasim.simulation.clients.users import UserTime
from hasim.truth import UserMinute
from hasim.units import MINUTE, SECOND
from tests.measures.story import Story


class Told:
    """Traffic of which only the users matter."""

    def __init__(self, users: list[int], horizon_ns: int, active_ns: int) -> None:
        self.keys = SimpleNamespace(number=max(users, default=0) + 1, active_ns=active_ns)
        self.horizon_ns = horizon_ns
        self.users = np.array(users, dtype=np.int64)

    def key(self, first: int, count: int) -> np.ndarray:
        return self.users[first : first + count]


def rows(history, horizon_s: int, active_s: int = 1800, batches: int = 1) -> list[UserRow]:
    """`history`: (second, user, whether it was answered in time), by second."""
    told = Told([user for _, user, _ in history], horizon_s * SECOND, active_s * SECOND)
    counter = UserTime(told)
    at = np.array([t * SECOND for t, _, _ in history], dtype=np.int64)
    ok = np.array([good for _, _, good in history], dtype=np.bool_)
    for part in np.array_split(np.arange(len(history)), batches):
        if len(part):
            counter.add(int(part[0]), at[part], ok[part], np.ones(len(part), dtype=np.bool_))
    return [
        UserRow(started_at_s=m.start_ns / SECOND, up_s=m.up_ns / SECOND, down_s=m.down_ns / SECOND)
        for m in counter.records()
    ]


HISTORY = [
    (10, 0, True),
    (30, 1, True),
    (70, 0, False),  # user 0: up 10-70, down 70-130, up 130-300
    (90, 1, False),  # user 1: up 30-90, down 90-100, up 100-160, then inactive until 280
    (100, 1, True),
    (130, 0, True),
    (280, 1, False),  # down 280-300
]


def test_a_history_by_hand_minute_by_minute():
    found = rows(HISTORY, 300, active_s=200)
    found_s = {row.started_at_s: (row.up_s, row.down_s) for row in found}
    assert found_s == {
        0: (50 + 30, 0),
        60: (10 + 50, 50 + 10),
        120: (50 + 60, 10),
        180: (60 + 60, 0),
        240: (60 + 40, 20),
    }
    assert user_uptime(found) == (60 + 170 + 60 + 180) / (60 + 170 + 60 + 180 + 60 + 10 + 20)


def test_windows_to_the_last_digit():
    found = rows(HISTORY, 300, active_s=200)
    assert windowed(found, 1, 300.0) == 60 / 120
    assert windowed(found, 2, 300.0) == (80 + 60) / (80 + 120)
    assert windowed(found, 3, 300.0) == (80 + 60 + 110) / (80 + 120 + 120)
    assert windowed(found, 5, 300.0) == user_uptime(found)
    assert windowed(found, 6, 300.0) is None


def test_who_is_inactive_counts_neither_way():
    found = rows([(0, 0, False), (200, 0, True)], 300, active_s=60)
    assert [(row.started_at_s, row.up_s, row.down_s) for row in found] == [
        (0, 0, 60),
        (180, 40, 0),
        (240, 20, 0),
    ]
    # The two idle minutes are in no window's way.
    assert windowed(found, 1, 300.0) == 0.0
    assert windowed(found, 5, 300.0) == 0.5


def test_nobody_at_all():
    assert user_uptime([]) is None
    assert windowed([], 1, 600.0) is None
    with pytest.raises(ValueError, match="at least a minute"):
        windowed([], 0, 600.0)


def slowly(history, horizon_s: int, active_s: int) -> dict[int, list[int]]:
    """Second by second and user by user."""
    found: dict[int, list[int]] = {}
    for user in {user for _, user, _ in history}:
        state, since = None, 0
        own = [(t, ok) for t, of, ok in history if of == user]
        for second in range(horizon_s):
            for t, ok in own:
                if t == second:
                    state, since = ok, second
            if state is not None and second < since + active_s:
                found.setdefault(second // 60, [0, 0])[state] += 1
    return found


HISTORIES = st.lists(
    st.tuples(st.integers(0, 399), st.integers(0, 3), st.booleans()), max_size=25
).map(lambda found: sorted(found, key=lambda event: event[0]))


@settings(deadline=None)
@given(HISTORIES, st.integers(1, 500), st.integers(1, 5))
def test_as_second_by_second(history, active_s, batches):
    found = {
        int(row.started_at_s) // 60: [row.down_s, row.up_s]
        for row in rows(history, 400, active_s, batches)
    }
    assert found == slowly(history, 400, active_s)


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12),
    st.integers(1, 12),
)
def test_the_worst_window_is_the_least_of_all(minutes, size):
    told = [
        UserRow(started_at_s=60.0 * n, up_s=up, down_s=down) for n, (up, down) in enumerate(minutes)
    ]
    every = []
    for first in range(len(minutes) - size + 1):
        up, down = map(sum, zip(*minutes[first : first + size], strict=True))
        every += [Fraction(up, up + down)] if up + down else []
    found = windowed(told, size, 60.0 * len(minutes))
    assert found == (float(min(every)) if every else None)


def test_measures_of_a_journal():
    story = Story(300.0)
    story.truth(300, UserMinute(0, 3, 1))
    story.truth(300, UserMinute(MINUTE, 1, 1))
    run = measure(story.journal())
    assert [row.started_at_s for row in run.users] == [0.0, 60.0]
    assert MEASURES["user_uptime"].estimator.each(run) == 4 / 6
    assert MEASURES["user_uptime.worst_1m"].estimator.each(run) == 0.5
    assert MEASURES["user_uptime.worst_5m"].estimator.each(run) == 4 / 6
    assert MEASURES["user_uptime.worst_1h"].estimator.each(run) is None
