"""What is counted against a master, and what of it is told at once."""

from __future__ import annotations

import pytest

from hasim.model import Cause
from hasim.services.watch import (
    ANSWERED,
    BROKEN,
    CODES,
    causes_set,
    holds,
    is_end,
    is_news,
    is_rare,
)


def test_a_set_holds_what_is_in_it_and_nothing_else() -> None:
    some = {Cause.OK, Cause.RESET, Cause.TIMEOUT}
    assert {cause for cause in Cause if holds(causes_set(some), CODES[cause])} == some
    assert causes_set(()) == 0
    assert causes_set([Cause.RESET, Cause.RESET]) == causes_set([Cause.RESET])
    assert not BROKEN & ANSWERED
    assert holds(ANSWERED, CODES[Cause.OK])


@pytest.mark.parametrize(
    ("streak", "failures", "news", "end"),
    [(0, 3, False, False), (1, 3, True, True), (3, 3, True, True), (4, 3, False, True),
     (1, 0, False, False), (0, 0, False, False)],
)  # fmt: skip
def test_the_first_of_a_run_and_its_end_are_news(
    streak: int, failures: int, news: bool, end: bool
) -> None:
    assert (is_news(streak, failures), is_end(streak, failures)) == (news, end)


def test_a_failure_is_rare_if_the_one_so_many_before_is_a_window_ago() -> None:
    assert [is_rare(now, 10, 5) for now in (14, 15, 16)] == [False, True, True]
