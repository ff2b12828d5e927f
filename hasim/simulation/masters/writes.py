"""The acknowledged writes of a partition: how many, and the times that may still matter."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable

SHORT = 4096


class Writes:
    """Times (ns) of acknowledged writes in order; behaves as a list of all of them would.

    A position is a number of writes: those before it. `forget` drops times that nobody
    can ask for any more, except for those at some marked positions.
    """

    def __init__(self) -> None:
        self._times = array("q")
        self._forgotten = 0
        self._marks: dict[int, int] = {}
        self._enough = SHORT

    def __len__(self) -> int:
        return self._forgotten + len(self._times)

    @property
    def kept(self) -> int:
        """How many times are in memory."""
        return len(self._times)

    @property
    def long(self) -> bool:
        """Whether it is worth the while to forget."""
        return self.kept > self._enough

    def extend(self, times_ns: array[int]) -> None:
        """More writes, in order."""
        self._times.extend(times_ns)

    def until(self, time_ns: int) -> int:
        """The position after all writes up to this time; not below what is forgotten."""
        return self._forgotten + bisect_right(self._times, time_ns)

    def time_of(self, position: int) -> int:
        """The time of the first write after a position that is marked or not forgotten."""
        if position < self._forgotten:
            return self._marks[position]
        return self._times[position - self._forgotten]

    def cut(self, position: int) -> tuple[int, int]:
        """Take back all writes after a position: how many, and the time of the first (or 0)."""
        lost = len(self) - position
        if not lost:
            return 0, 0
        first = self.time_of(position)
        del self._times[max(0, position - self._forgotten) :]
        self._forgotten = min(self._forgotten, position)
        self._marks = {p: time for p, time in self._marks.items() if p < position}
        return lost, first

    def forget(self, before: int, marks: Iterable[int]) -> None:
        """Nobody will ask for times before a position, but for those at the marks."""
        before = max(before, self._forgotten)
        self._marks = {p: self.time_of(p) for p in {0, *marks} if p < before}
        del self._times[: before - self._forgotten]
        self._forgotten = before
        self._enough = max(SHORT, 2 * len(self._times))
