"""User-uptime, and the worst of it within windows of each length.

Hauer, Hoffmann, Lunney, Ardelean, Diwan, "Meaningful Availability", NSDI 2020: user-uptime is the
time in which users had the service over that in which they were active, both summed over users;
windowed user-uptime is the least that any window of a given length comes to (their minimal
cumulative ratio), which tells one long outage from many short ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hasim.measures.facts import Facts
from hasim.truth import UserMinute
from hasim.units import MINUTE, nanoseconds, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A minute: users' time with the service and without it, in seconds, summed over users."""

    started_at_s: float
    up_s: float
    down_s: float


def users_of(facts: Facts) -> list[UserRow]:
    """The minutes in which any user was active, in order."""
    return [
        UserRow(
            started_at_s=seconds(minute.start_ns),
            up_s=seconds(minute.up_ns),
            down_s=seconds(minute.down_ns),
        )
        for _, minute in facts.records.of(UserMinute)
    ]


def user_uptime(rows: Sequence[UserRow]) -> float | None:
    """The users' time with the service, of that in which they were active; None if nobody was."""
    return _ratio(
        sum(nanoseconds(row.up_s) for row in rows), sum(nanoseconds(row.down_s) for row in rows)
    )


def windowed(rows: Sequence[UserRow], minutes: int, horizon_s: float) -> float | None:
    """The least user-uptime of a window of so many whole minutes within the run.

    Windows begin with each minute; one in which nobody was active counts for nothing. None if the
    run is shorter than a window, or nobody ever was. Raises ValueError for less than a minute.
    """
    if minutes < 1:
        raise ValueError(f"a window has at least a minute, got {minutes}")
    whole = nanoseconds(horizon_s) // MINUTE
    ups, downs = [0] * (whole + 1), [0] * (whole + 1)
    for row in rows:
        place = nanoseconds(row.started_at_s) // MINUTE
        if place < whole:
            ups[place + 1], downs[place + 1] = nanoseconds(row.up_s), nanoseconds(row.down_s)
    for place in range(whole):
        ups[place + 1] += ups[place]
        downs[place + 1] += downs[place]
    found = (
        _ratio(ups[end] - ups[end - minutes], downs[end] - downs[end - minutes])
        for end in range(minutes, whole + 1)
    )
    return min((ratio for ratio in found if ratio is not None), default=None)


def _ratio(up_ns: int, down_ns: int) -> float | None:
    return up_ns / (up_ns + down_ns) if up_ns + down_ns else None
