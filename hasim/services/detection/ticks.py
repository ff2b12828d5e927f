"""A timer whose rate is drawn anew at each tick, as Redis' serverCron is in a sentinel."""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from itertools import accumulate

from hasim.services.balancing.chance import uniform
from hasim.units import SECOND

CYCLE = 1024
"""So many ticks are drawn; then they come again."""
MILLISECONDS = 1000


def first_tick_ns(time_ns: int, phase_ns: int, hz: int) -> int:
    """The first tick at or after a time (nanoseconds).

    There is one at `phase_ns`, by which all others are drawn. The time to the next one is 1000/h
    whole milliseconds with h from `hz` to twice as much less one, each as likely (redis
    sentinelTimer, serverCron).
    """
    ends_ns = _cycle(phase_ns, hz)
    within_ns = (time_ns - phase_ns) % ends_ns[-1]
    return time_ns + ends_ns[bisect_left(ends_ns, within_ns)] - within_ns


@lru_cache(maxsize=4096)
def _cycle(seed: int, hz: int) -> tuple[int, ...]:
    """When each tick of a cycle comes after its first one, that first."""
    drawn = (hz + int(uniform(seed, place) * hz) for place in range(CYCLE))
    lasting_ns = [MILLISECONDS // h * (SECOND // MILLISECONDS) for h in drawn]
    return tuple(accumulate(lasting_ns, initial=0))
