"""Burn rates: how fast downtime uses up an error budget, and when it is too fast, exactly.

The burn rate of a window is the share of it that was down over the share that the objective allows
(1 - objective): 1 uses up just what is allowed. An alert of the SRE workbook (Beyer et al., 2018,
chapter 5, "Multiwindow, multi-burn-rate alerts") holds while both a long window and a short one
burn at least so fast: the long one says that it matters, the short one that it goes on.

Downtime within a window that moves with the time is piecewise linear: it only turns where an edge
of a time down enters or leaves. So the moments at which it reaches a limit are found by arithmetic,
not by looking again and again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Downs:
    """Times down, in order and disjoint, in nanoseconds; the last may not have ended yet."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    """The time down before each of them."""

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> Downs:
        """Of (start, end), in order."""
        downs = cls()
        for start_ns, end_ns in spans:
            downs.mark(start_ns, down=True)
            downs.mark(end_ns, down=False)
        return downs

    @property
    def open(self) -> bool:
        """Whether it is down, as far as is known."""
        return len(self.starts) > len(self.ends)

    def mark(self, now: int, *, down: bool) -> None:
        """From `now` on it is down, or up; saying what is already so changes nothing."""
        if down and not self.open:
            if self.ends and self.ends[-1] == now:
                self.ends.pop()  # it never was up
                return
            self.before.append(self.total(now))
            self.starts.append(now)
        elif not down and self.open:
            self.ends.append(now)

    def forget(self, until_ns: int) -> None:
        """Drop what ended before a moment; windows that reach further back are then wrong."""
        gone = bisect_right(self.ends, until_ns)
        del self.starts[:gone], self.ends[:gone], self.before[:gone]

    def total(self, t_ns: int) -> int:
        """The time down before a moment (less what was forgotten: only differences count)."""
        place = bisect_right(self.starts, t_ns) - 1
        if place < 0:
            return self.before[0] if self.before else 0
        end_ns = self.ends[place] if place < len(self.ends) else t_ns
        return self.before[place] + min(t_ns, end_ns) - self.starts[place]

    def within(self, t_ns: int, window_ns: int) -> int:
        """The time down in the window that ends at a moment."""
        return self.total(t_ns) - self.total(t_ns - window_ns)

    def turns(self, now: int, window_ns: int, limit_ns: int) -> int | None:
        """When the window next has as much as the limit, or has it no more; None if never.

        As far as is known now: what is down stays down, what is up stays up. The first moment after
        `now` at which `within(...) >= limit_ns` is not what it is at `now`.
        """
        at, value = now, self.within(now, window_ns)
        reached = value >= limit_ns
        for edge in self._edges(now, window_ns):
            slope = self._down_at(at) - self._down_at(at - window_ns)
            end = at + self._until(value, slope, limit_ns, reached)
            if end <= edge:
                return end
            at, value = edge, value + slope * (edge - at)
        slope = self._down_at(at) - self._down_at(at - window_ns)
        if slope > 0 and not reached:
            return at + self._until(value, slope, limit_ns, reached)
        return None

    @staticmethod
    def _until(value: int, slope: int, limit_ns: int, reached: bool) -> int:
        """How long until the value is at the limit, or below it; endless if it goes elsewhere."""
        if reached:
            return value - limit_ns + 1 if slope < 0 else 2**62
        return limit_ns - value if slope > 0 else 2**62

    def _down_at(self, t_ns: int) -> int:
        """1 in a time down, else 0."""
        place = bisect_right(self.starts, t_ns) - 1
        return int(place >= 0 and (place >= len(self.ends) or t_ns < self.ends[place]))

    def _edges(self, now: int, window_ns: int) -> Iterator[int]:
        """The moments after `now` at which the slope may change, in order."""
        back_ns = now - window_ns
        first = max(0, bisect_right(self.ends, back_ns))
        edges = {
            moment
            for times in (self.starts[first:], self.ends[first:])
            for t_ns in times
            for moment in (t_ns, t_ns + window_ns)
            if moment > now
        }
        yield from sorted(edges)


def limit_of(factor: float, objective: float, window_ns: int) -> int:
    """The time down (nanoseconds) at which a window burns so fast, rounded to the nearest.

    At least one: an objective of 100 % allows nothing, and the first nanosecond is too much.
    """
    return max(1, round(factor * (1.0 - objective) * window_ns))
