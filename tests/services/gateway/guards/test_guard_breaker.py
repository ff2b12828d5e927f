"""The circuit breaker against linkerd's description, step by step, and against a slow model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.services.gateway.guards import BreakerSettings, Guard, breaker
from hasim.units import SECOND

RULES = BreakerSettings()


def failed(guard: Guard, *times_s: float) -> None:
    for time_s in times_s:
        now = round(time_s * SECOND)
        breaker.note_failure(RULES, guard, now, now)


def test_seven_in_a_row_open_it_and_an_answer_between_does_not() -> None:
    guard = Guard()
    failed(guard, 1, 2, 3, 4, 5, 6)
    breaker.note_answer(guard, 7 * SECOND, 7 * SECOND)
    failed(guard, 11, 12, 13, 14, 15, 16)
    assert breaker.admits(guard, 16 * SECOND)
    failed(guard, 17)
    assert not breaker.admits(guard, 17 * SECOND)
    assert not breaker.admits(guard, 18 * SECOND - 1)
    assert breaker.admits(guard, 18 * SECOND)
    assert guard.breaks == 1


def test_only_one_trial_at_a_time_and_it_decides() -> None:
    guard = Guard()
    failed(guard, *range(7))
    assert breaker.admits(guard, 7 * SECOND)
    breaker.note_sent(guard, 7 * SECOND)
    assert not breaker.admits(guard, 7 * SECOND)
    # What was sent before speaks of another time.
    breaker.note_failure(RULES, guard, 8 * SECOND, 5 * SECOND)
    breaker.note_answer(guard, 8 * SECOND, 5 * SECOND)
    assert not breaker.admits(guard, 8 * SECOND)
    breaker.note_answer(guard, 9 * SECOND, 7 * SECOND)
    assert breaker.admits(guard, 9 * SECOND)
    assert guard.opened == 0


def test_the_wait_doubles_to_a_minute_and_starts_anew_after_a_success() -> None:
    guard, waits, now = Guard(), [], 0
    for _ in range(RULES.failures):
        breaker.note_failure(RULES, guard, now, now)
    for _ in range(9):
        waits.append((guard.open_until_ns - now) // SECOND)
        now = guard.open_until_ns
        breaker.note_sent(guard, now)
        breaker.note_failure(RULES, guard, now, now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    now = guard.open_until_ns
    breaker.note_sent(guard, now)
    breaker.note_answer(guard, now + 1, now)
    for _ in range(RULES.failures):
        breaker.note_failure(RULES, guard, now + 2, now + 2)
    assert guard.open_until_ns == now + 2 + SECOND


def test_a_cancelled_trial_is_made_again() -> None:
    guard = Guard()
    failed(guard, *range(7))
    breaker.note_sent(guard, 8 * SECOND)
    breaker.note_cancelled(guard, 3 * SECOND)  # another one
    assert not breaker.admits(guard, 9 * SECOND)
    breaker.note_cancelled(guard, 8 * SECOND)
    assert breaker.admits(guard, 9 * SECOND)


@pytest.mark.parametrize("opened", [1, 2, 63, 10**6])
def test_the_wait_is_never_longer_than_allowed(opened: int) -> None:
    assert breaker.wait_ns(RULES, opened) <= RULES.max_ns


class Model:
    """The same as a machine with named states, attempts by number."""

    def __init__(self) -> None:
        self.state, self.row, self.waits, self.until, self.trial = "closed", 0, 0, 0, -1
        self.relevant: set[int] = set()

    def send(self, now: int, number: int) -> None:
        if self.state == "open" and now >= self.until:
            self.state, self.trial, self.relevant = "half-open", number, set()
        self.relevant.add(number)

    def end(self, now: int, number: int, ok: bool) -> None:
        if number not in self.relevant:
            return
        if ok:
            self.row = 0
            if self.state != "closed":
                self.state, self.waits, self.relevant = "closed", 0, set()
        elif self.state == "half-open" or (self.state == "closed" and self.row + 1 == 7):
            self.waits += 1
            self.row, self.state, self.relevant = 0, "open", set()
            self.until = now + min(2 ** (self.waits - 1), 60) * SECOND
        elif self.state == "closed":
            self.row += 1

    def admits(self, now: int) -> bool:
        return self.state == "closed" or (self.state == "open" and now >= self.until)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12), st.integers(0, 9)), max_size=80))
def test_it_is_the_machine_with_named_states(steps: list[Any]) -> None:
    """Any order of sending and ending; an attempt in three is answered."""
    guard, model, now = Guard(), Model(), 1
    flying: dict[int, int] = {}
    for number, (pause, which, how) in enumerate(steps):
        now += pause * SECOND // 100 + 1  # no two things at one instant
        assert breaker.admits(guard, now) == model.admits(now)
        if how < 5 or not flying:
            if breaker.admits(guard, now):
                breaker.note_sent(guard, now)
                model.send(now, number)
                flying[number] = now
            continue
        ended = list(flying)[which % len(flying)]
        sent = flying.pop(ended)
        if how == 9:
            breaker.note_answer(guard, now, sent)
        else:
            breaker.note_failure(RULES, guard, now, sent)
        model.end(now, ended, how == 9)
