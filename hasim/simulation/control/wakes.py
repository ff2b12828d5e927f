"""Who would be woken at a time, among many who would be woken at many times."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

SPARSE = 16
"""Times are entered into a table with so many places for each."""
SMALLEST = 1 << 12
GOLDEN = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio: its multiples fill a table evenly (Knuth, TAOCP 3, 6.4)."""
BITS = 64


class Woken(Protocol):
    """Somebody who would be woken."""

    @property
    def rank(self) -> int:
        """Its number: there is one of each number at a time."""
        ...

    def wakes_ns(self) -> NDArray[np.int64]:
        """The times, in any order."""
        ...


T = TypeVar("T", bound=Woken)


class Wakes(dict[int, T]):
    """Those that would be woken, by rank, and who of them at a given time.

    That is asked at each wake-up, and answered without a look at all of them: a table
    has at the place of a time (a hash) the rank of one whose time it is. Who would share a place
    is listed beside it. Ranks of those that are gone stay until the table is renewed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._renew()

    def add(self, one: T) -> None:
        """One more, in the place of any other of its rank."""
        self[one.rank] = one
        times_ns = one.wakes_ns()
        if (self._entered + len(times_ns)) * SPARSE > len(self._table):
            self._renew()
        else:
            self._enter(one.rank, times_ns)

    def at(self, t_ns: int) -> list[T]:
        """Who would be woken at this time, in the order of their ranks."""
        place = (t_ns * GOLDEN & (1 << BITS) - 1) >> self._shift
        ranks = {int(self._table[place]) - 1, *self._beside.get(t_ns, ())}
        found = [self[rank] for rank in sorted(ranks) if rank in self]
        return [one for one in found if (one.wakes_ns() == t_ns).any()]

    def _enter(self, rank: int, times_ns: NDArray[np.int64]) -> None:
        places = (times_ns.astype(np.uint64) * np.uint64(GOLDEN)) >> np.uint64(self._shift)
        there = self._table[places]
        own = (there == 0) | (there == rank + 1)
        self._table[places[own]] = rank + 1
        self._entered += len(times_ns)
        if not own.all():
            for t_ns in times_ns[~own].tolist():
                self._beside.setdefault(t_ns, []).append(rank)

    def _renew(self) -> None:
        every = {rank: one.wakes_ns() for rank, one in self.items()}
        size = max(SMALLEST, 2 * SPARSE * sum(map(len, every.values())))
        self._shift = BITS - (size - 1).bit_length()
        self._table = np.zeros(1 << BITS - self._shift, dtype=np.uint32)
        self._beside: dict[int, list[int]] = {}
        self._entered = 0
        for rank, times_ns in every.items():
            self._enter(rank, times_ns)
