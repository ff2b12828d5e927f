"""Who would be woken at a time: the table, and a plain search through all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.simulation.control import wakes
from hasim.simulation.control.wakes import Wakes


@dataclass(frozen=True)
class One:
    rank: int
    times: tuple[int, ...]

    def wakes_ns(self) -> np.ndarray:
        return np.array(self.times, dtype=np.int64)


TIMES = st.lists(st.integers(0, 40) | st.integers(0, 2**62), max_size=12).map(tuple)


@given(st.lists(st.tuples(st.integers(0, 6), TIMES, st.booleans()), max_size=40))
@settings(max_examples=200, deadline=None)
def test_the_table_finds_whom_a_search_finds(
    steps: list[tuple[int, tuple[int, ...], bool]],
) -> None:
    smallest, wakes.SMALLEST = wakes.SMALLEST, 16  # crowded, and often renewed
    try:
        table, plain, seen = Wakes[One](), dict[int, One](), set[int]()
        for rank, times, goes in steps:
            if goes and rank in plain:
                del table[rank], plain[rank]
            else:
                plain[rank] = One(rank, times)
                table.add(plain[rank])
            seen.update(times)
            for t_ns in {*seen, 3, 2**61}:
                expected = [one for _, one in sorted(plain.items()) if t_ns in one.times]
                assert table.at(t_ns) == expected
    finally:
        wakes.SMALLEST = smallest
