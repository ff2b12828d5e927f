"""Latency sketches: quantiles of many latencies from few cells, exact wherever that is cheap.

A *cell* is (least, greatest, count): so many latencies from the least to the greatest of them, in
nanoseconds. Of few latencies each different one is a cell of its own. Many are put into buckets as
by DDSketch (Masson, Rim, Lee, VLDB 2019): bucket `i` takes the values in (gamma^(i-1), gamma^i]
with gamma = (1 + accuracy) / (1 - accuracy). A bucket is a cell, too, which knows between which
values its latencies really lie: a constant stays what it is. The sketch of latencies does not
depend on the order in which they came, nor on how they were merged.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ACCURACY = 0.01
EXACT = 1000
"""So many latencies are kept as they are: about what the buckets of a heavy tail need."""
Cells = tuple[tuple[int, int, int], ...]
"""(least, greatest, count) in nanoseconds, growing."""


def sketch(latencies_ns: NDArray[np.int64], accuracy: float = ACCURACY) -> Cells:
    """The cells of an array of latencies in nanoseconds.

    A latency below one nanosecond is in the bucket of one nanosecond.
    """
    import numpy as np

    values, counts = np.unique(latencies_ns, return_counts=True)
    cells = tuple(zip(values.tolist(), values.tolist(), counts.tolist(), strict=True))
    return cells if len(latencies_ns) <= EXACT else in_buckets(cells, accuracy)


def merge(sketches: Iterable[Cells], accuracy: float = ACCURACY) -> Cells:
    """One sketch of all the values of sketches of the same accuracy."""
    cells = tuple(sorted(cell for cells in sketches for cell in cells))
    if count(cells) > EXACT:
        return in_buckets(cells, accuracy)
    # So few were in no bucket: each cell is one value.
    return tuple(sorted(joined_by((value for value, _, _ in cells), cells).values()))


def in_buckets(cells: Cells, accuracy: float = ACCURACY) -> Cells:
    """One cell for each bucket."""
    return tuple(sorted(joined_by(buckets_of(cells, accuracy), cells).values()))


def buckets_of(cells: Cells, accuracy: float = ACCURACY) -> list[int]:
    """The bucket in which each cell lies."""
    import numpy as np

    least_ns = np.array([least for least, _, _ in cells], dtype=np.int64)
    found: list[int] = numbers_of(least_ns, accuracy).tolist()
    return found


def joined_by(
    keys: Iterable[int], cells: Iterable[tuple[int, int, int]]
) -> dict[int, tuple[int, int, int]]:
    """One cell for each key, of the cells that have it."""
    joined: dict[int, tuple[int, int, int]] = {}
    for key, cell in zip(keys, cells, strict=True):
        had = joined.get(key, (cell[0], cell[1], 0))
        joined[key] = (min(had[0], cell[0]), max(had[1], cell[1]), had[2] + cell[2])
    return joined


def numbers_of(latencies_ns: NDArray[np.int64], accuracy: float = ACCURACY) -> NDArray[np.int64]:
    """The bucket of each latency in nanoseconds."""
    import numpy as np

    logs = np.log(np.maximum(latencies_ns, 1)) / math.log(gamma(accuracy))
    return np.ceil(logs).astype(np.int64)


@functools.cache
def bounds_ns(buckets: int, accuracy: float = ACCURACY) -> NDArray[np.int64]:
    """The greatest latency (ns) in each of the buckets 0, 1, ...; 2^62 for those beyond it.

    Found by bisection with the very logarithm that `sketch` takes, so that both put
    every latency into the same bucket.
    """
    import numpy as np

    numbers = np.arange(buckets)
    low, high = np.zeros(buckets, dtype=np.int64), np.full(buckets, 2**62)
    for _ in range(62):
        middle = (low + high) // 2
        inside = numbers_of(middle, accuracy) <= numbers
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.where(numbers_of(high, accuracy) <= numbers, high, low)


def gamma(accuracy: float) -> float:
    """The ratio of a bucket's bounds."""
    return (1 + accuracy) / (1 - accuracy)


def count(cells: Cells) -> int:
    """How many values are in it."""
    return sum(n for _, _, n in cells)


def middle_ns(cell: tuple[int, int, int]) -> float:
    """The latency in nanoseconds that a cell stands for: within the accuracy of each in it."""
    least, greatest, _ = cell
    # The harmonic mean is off by the same share at both ends.
    return 2 * least * greatest / (least + greatest) if greatest else 0.0


def quantile(cells: Cells, p: float) -> float | None:
    """Nanoseconds of the ceil(p n)-th smallest latency, within the accuracy; None if empty."""
    rank = max(1, math.ceil(p * count(cells) * (1 - 1e-12)))
    for cell in cells:
        rank -= cell[2]
        if rank <= 0:
            return middle_ns(cell)
    return None
