"""The timer of a sentinel: its ticks are drawn anew, and the same whenever one asks."""

from __future__ import annotations

import itertools
from statistics import fmean

import pytest

from hasim.services.detection.ticks import first_tick_ns
from hasim.units import MILLISECOND, SECOND


def test_ticks_last_a_drawn_rate_and_stay_where_they_are() -> None:
    time_ns, ticks = 0, []
    while len(ticks) < 3000:
        time_ns = first_tick_ns(time_ns, 7, 10)
        ticks.append(time_ns)
        assert first_tick_ns(time_ns, 7, 10) == time_ns
        time_ns += 1
    lasting = [after - before for before, after in itertools.pairwise(ticks)]
    rates = range(10, 20)
    assert set(lasting) == {1000 // hz * MILLISECOND for hz in rates}
    assert fmean(lasting) == pytest.approx(
        fmean(1000 // hz for hz in rates) * MILLISECOND, rel=0.02
    )
    for time_ns in range(0, ticks[-1], 37 * MILLISECOND):  # in any order
        assert first_tick_ns(time_ns, 7, 10) == min(t for t in ticks if t >= time_ns)


def test_a_timer_of_one_tick_a_second_has_no_choice() -> None:
    assert [first_tick_ns(t * SECOND, 300, 1) for t in (0, 1, 2)] == [
        300, SECOND + 300, 2 * SECOND + 300
    ]  # fmt: skip
