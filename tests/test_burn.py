"""Downtime within moving windows, and when it reaches a limit, against looking at every moment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hasim.burn import Downs, limit_of
from hasim.units import DAY, HOUR, MINUTE, SECOND


def spans_of(edges: list[int]) -> list[tuple[int, int]]:
    kept = sorted(set(edges))
    return list(zip(kept[::2], kept[1::2], strict=False))


SPANS = st.lists(st.integers(0, 60), max_size=10).map(spans_of)


def slowly(spans: list[tuple[int, int]], t: int, window: int) -> int:
    return sum(any(a <= x < b for a, b in spans) for x in range(t - window, t))


@given(SPANS, st.integers(0, 90), st.integers(1, 40))
def test_time_down_within_a_window(spans, now, window):
    assert Downs.of(spans).within(now, window) == slowly(spans, now, window)


@given(SPANS, st.integers(0, 90), st.integers(1, 40), st.integers(1, 20), st.booleans())
def test_when_a_limit_is_reached_or_left(spans, now, window, limit, down):
    downs = Downs.of(spans)
    if down:
        start = max([now, *(end for _, end in spans)])
        downs.mark(start, down=True)
        spans = [*spans, (start, 10**3)]
    holds = slowly(spans, now, window) >= limit
    later = (t for t in range(now + 1, 260) if (slowly(spans, t, window) >= limit) != holds)
    assert downs.turns(now, window, limit) == next(later, None)


@given(SPANS, st.integers(60, 90), st.integers(1, 40))
def test_what_is_too_old_can_be_forgotten(spans, now, window):
    whole, short = Downs.of(spans), Downs.of(spans)
    short.forget(now - window)
    assert short.within(now, window) == whole.within(now, window)
    assert short.turns(now, window, 5) == whole.turns(now, window, 5)


def test_touching_times_are_one():
    downs = Downs.of([(0, 5), (5, 9)])
    assert (downs.starts, downs.ends) == ([0], [9])


def test_the_limits_of_the_workbook():
    """99.9 % and the four alerts: 51.84 s in an hour, 4.32 s in five minutes, ..."""
    wanted = {
        (14.4, HOUR): 51.84,
        (14.4, 5 * MINUTE): 4.32,
        (6.0, 6 * HOUR): 129.6,
        (6.0, 30 * MINUTE): 10.8,
        (3.0, DAY): 259.2,
        (3.0, 2 * HOUR): 21.6,
        (1.0, 3 * DAY): 259.2,
        (1.0, 6 * HOUR): 21.6,
    }
    for (factor, window_ns), seconds in wanted.items():
        assert limit_of(factor, 0.999, window_ns) == round(seconds * SECOND)
    assert limit_of(14.4, 1.0, HOUR) == 1
