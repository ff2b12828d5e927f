"""When each of many is due: the earliest is known without a look at the others."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from heapq import heapify, heappop, heappush

NEVER = sys.maxsize
"""A time (nanoseconds) that does not come."""
SPARE = 64
"""So many entries that count no more are kept, however few keys there are."""


class Agenda:
    """A time for each of several keys, which are ranked as they are given; at first `NEVER`.

    A heap of (time, rank) with lazy deletion: an entry that is no longer the
    time of its key stays until it comes to the top, so that neither setting a
    time nor asking for the earliest depends on the number of keys, but for its logarithm.
    """

    __slots__ = ("_heap", "_keys", "_ranks", "_times_ns")

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = list(keys)
        self._ranks = {key: rank for rank, key in enumerate(self._keys)}
        self._times_ns = [NEVER] * len(self._keys)
        self._heap: list[tuple[int, int]] = []

    def rank(self, key: str) -> int:
        """The place of a key among the others, from 0."""
        return self._ranks[key]

    def set(self, key: str, time_ns: int) -> None:
        """The key is due at this time and at no other; `NEVER`: it is not due at all."""
        rank = self._ranks[key]
        if time_ns == self._times_ns[rank]:
            return
        self._times_ns[rank] = time_ns
        if time_ns != NEVER:
            heappush(self._heap, (time_ns, rank))
            if len(self._heap) > 4 * len(self._keys) + SPARE:
                self._tidy()

    def earliest(self) -> int:
        """When the first of them is due (nanoseconds); `NEVER` if none is."""
        heap, times_ns = self._heap, self._times_ns
        while heap:
            time_ns, rank = heap[0]
            if times_ns[rank] == time_ns:
                return time_ns
            heappop(heap)
        return NEVER

    def take_due(self, now: int) -> list[str]:
        """The keys that are due by `now`, by rank; they are due no more until they are set."""
        heap, times_ns, found = self._heap, self._times_ns, []
        while heap and heap[0][0] <= now:
            time_ns, rank = heappop(heap)
            if times_ns[rank] == time_ns:
                times_ns[rank] = NEVER
                found.append(rank)
        return [self._keys[rank] for rank in sorted(found)]

    def _tidy(self) -> None:
        """Leave out what counts no more: it would stay until its time has come."""
        entries = enumerate(self._times_ns)
        self._heap = [(time_ns, rank) for rank, time_ns in entries if time_ns != NEVER]
        heapify(self._heap)
