"""What an objective is stated of, as a ledger: how much of any window was bad, of how much.

By time the downtime is exact to the nanosecond. By message and by user it is counted minute by
minute, and windows have whole minutes. Before the run all is taken to have been well, with as much
going on as there is in the run on average: a window that reaches back there is diluted, as that of
a service that has been at work for long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from hasim.burn import Downs, limit_of
from hasim.measures.availability import DownRow
from hasim.measures.measured import Measured
from hasim.measures.stretches import (
    ANY,
    ENOUGH,
    OF_TIER,
    PARTITION,
    STATELESS,
    StretchRow,
)
from hasim.settings.validation import nearest
from hasim.units import MINUTE, SECOND, format_duration, nanoseconds

WHOLE, MESSAGES, USERS = "uptime", "success", "user_uptime"
"""Measures of the same names."""


class Ledger(Protocol):
    """What was bad in a window, of what: nanoseconds of time or of users' time, or messages."""

    horizon_ns: int
    unit: int
    """What stands for one: nanoseconds in a second, or 1 of messages."""

    def bad(self, start_ns: int, end_ns: int) -> int:
        """What was bad in the window from `start_ns` up to `end_ns`."""

    def whole(self, start_ns: int, end_ns: int) -> float:
        """All that there was in it."""

    def allowed(self, share: float, start_ns: int, window_ns: int) -> float:
        """What may be bad in a window that begins then, if `share` of it shall be well."""

    def ends(self, window_ns: int) -> Sequence[int]:
        """Ends of windows of a length in the run, the worst among them."""

    def burns(self, share: float, rate: float, windows_ns: Sequence[int]) -> Iterator[int]:
        """When all the windows begin to burn so fast, by an objective of `share` (nanoseconds)."""


class ByTime:
    """Times down, in order: all of a window counts, whether anything was asked or not."""

    unit = SECOND

    def __init__(
        self, rows: Sequence[DownRow | StretchRow], horizon_s: float, *, maintenance: bool = True
    ) -> None:
        """`maintenance`: whether downtime that was planned counts."""
        self.horizon_ns = nanoseconds(horizon_s)
        self._downs = Downs.of(
            (nanoseconds(row.started_at_s), nanoseconds(row.ended_at_s))
            for row in rows
            if maintenance or not row.planned
        )

    def bad(self, start_ns: int, end_ns: int) -> int:
        """The time down."""
        return self._downs.total(end_ns) - self._downs.total(start_ns)

    def whole(self, start_ns: int, end_ns: int) -> float:
        """The time."""
        return end_ns - start_ns

    def allowed(self, share: float, start_ns: int, window_ns: int) -> float:
        """Of the whole window, also if the end of the run cuts it short."""
        return round((1.0 - share) * window_ns)

    def ends(self, window_ns: int) -> Sequence[int]:
        """Downtime in a moving window turns only where an edge of it enters or leaves."""
        edges = {window_ns, self.horizon_ns}
        for moment in (*self._downs.starts, *self._downs.ends):
            edges |= {moment, moment + window_ns}
        return sorted(edge for edge in edges if window_ns <= edge <= self.horizon_ns)

    def burns(self, share: float, rate: float, windows_ns: Sequence[int]) -> Iterator[int]:
        """To the nanosecond."""
        limits = [(window, limit_of(rate, share, window)) for window in windows_ns]
        now, firing = 0, False
        while True:
            holds = all(self._downs.within(now, window) >= limit for window, limit in limits)
            if holds and not firing:
                yield now
            firing = holds
            turns = [self._downs.turns(now, window, limit) for window, limit in limits]
            later = [turn for turn in turns if turn is not None]
            if not later or min(later) >= self.horizon_ns:
                return
            now = min(later)


class ByMinute:
    """What was bad in each minute, and all that there was in it."""

    def __init__(
        self, bad: Sequence[int], whole: Sequence[int], horizon_s: float, unit: int = 1
    ) -> None:
        self.unit = unit
        self.horizon_ns = nanoseconds(horizon_s)
        self._bad = [0, *accumulate(bad)]
        self._whole = [0, *accumulate(whole)]
        self._each = self._whole[-1] / len(whole) if whole else 0.0

    def bad(self, start_ns: int, end_ns: int) -> int:
        """The sum over the minutes."""
        return self._bad[self._place(end_ns)] - self._bad[self._place(start_ns)]

    def whole(self, start_ns: int, end_ns: int) -> float:
        """The sum over the minutes; those before the run have the mean of the run."""
        before = self._each * max(0, -start_ns) / MINUTE
        return before + self._whole[self._place(end_ns)] - self._whole[self._place(start_ns)]

    def allowed(self, share: float, start_ns: int, window_ns: int) -> float:
        """Of what there is in the window as far as the run goes."""
        return round((1.0 - share) * self.whole(start_ns, start_ns + window_ns), 6)

    def ends(self, window_ns: int) -> Sequence[int]:
        """Of each minute, and of the run."""
        every = {min(place * MINUTE, self.horizon_ns) for place in range(1, len(self._whole))}
        return sorted(end for end in every if end >= window_ns)

    def burns(self, share: float, rate: float, windows_ns: Sequence[int]) -> Iterator[int]:
        """Looked at as each minute ends."""
        firing = False
        for end in self.ends(0):
            holds = all(self._burning(end, rate * (1.0 - share), own) for own in windows_ns)
            if holds and not firing:
                yield end
            firing = holds

    def _burning(self, end_ns: int, limit: float, window_ns: int) -> bool:
        bad = self.bad(end_ns - window_ns, end_ns)
        return bad > 0 and bad >= limit * self.whole(end_ns - window_ns, end_ns)

    def _place(self, t_ns: int) -> int:
        """The minutes before a moment; one within a minute is the run's end, or counts it."""
        return min(max(0, -(-t_ns // MINUTE)), len(self._whole) - 1)


def senses_of(run: Measured) -> list[str]:
    """All that an objective of a run may be stated of."""
    return [
        *(WHOLE, ANY, ENOUGH, STATELESS, MESSAGES, USERS),
        *(PARTITION + row.partition for row in run.partitions),
        *(OF_TIER + row.tier for row in run.tiers),
    ]


def ledger_of(run: Measured, of: str, window_ns: int, *, maintenance: bool) -> Ledger:
    """The ledger of a run by one of `senses_of`.

    Raises ValueError for another one, for what the run has nothing of, and for a window that is no
    whole number of minutes where those are counted.
    """
    senses = senses_of(run)
    if of not in senses:
        raise ValueError(f"there is no {of!r} in this run{nearest(of, senses)}")
    if run.minutes is None and of not in (WHOLE, USERS):
        raise ValueError(f"this run was made before {of} could be judged: make it anew")
    if of == WHOLE:
        return ByTime(run.downs, run.horizon_s, maintenance=maintenance)
    if of not in (MESSAGES, USERS):
        own = [row for row in run.stretches if row.of == of]
        return ByTime(own, run.horizon_s, maintenance=maintenance)
    if window_ns % MINUTE and window_ns < nanoseconds(run.horizon_s):
        raise ValueError(
            f"{of} is counted minute by minute: the window must be whole minutes, got "
            f"{format_duration(window_ns)}"
        )
    if of == MESSAGES and run.minutes is not None:
        pairs = list(zip(run.minutes.offered, run.minutes.in_time, strict=True))
        bad = [offered - in_time for offered, in_time in pairs]
        return ByMinute(bad, run.minutes.offered, run.horizon_s)
    if not run.users:
        raise ValueError("this run has no users: give messages keys (`traffic.keys`)")
    count = -(-nanoseconds(run.horizon_s) // MINUTE)
    down, whole = [0] * count, [0] * count
    for row in run.users:
        place = nanoseconds(row.started_at_s) // MINUTE
        down[place] = nanoseconds(row.down_s)
        whole[place] = nanoseconds(row.up_s) + down[place]
    return ByMinute(down, whole, run.horizon_s, SECOND)
