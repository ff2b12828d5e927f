"""Latency sketches: quantiles of many latencies from few buckets, to a stated accuracy.

DDSketch (Masson, Rim, Lee, VLDB 2019): bucket `i` holds the values in
(gamma^(i-1), gamma^i] with gamma = (1 + accuracy) / (1 - accuracy), and stands for
2 gamma^i / (gamma + 1), which is within `accuracy` of each of them. Sketches of the
same accuracy are merged by adding counts.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ACCURACY = 0.01
Buckets = tuple[tuple[int, int], ...]


def sketch(latencies_ns: NDArray[np.int64], accuracy: float = ACCURACY) -> Buckets:
    """(bucket, count) of an array of latencies in nanoseconds, by bucket.

    A latency below one nanosecond counts as one.
    """
    import numpy as np

    if not len(latencies_ns):
        return ()
    buckets, counts = np.unique(_buckets_of(latencies_ns, accuracy), return_counts=True)
    return tuple(zip(buckets.tolist(), counts.tolist(), strict=True))


def _buckets_of(latencies_ns: NDArray[np.int64], accuracy: float) -> NDArray[np.int64]:
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
        inside = _buckets_of(middle, accuracy) <= numbers
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.where(_buckets_of(high, accuracy) <= numbers, high, low)


def gamma(accuracy: float) -> float:
    """The ratio of a bucket's bounds."""
    return (1 + accuracy) / (1 - accuracy)


def bucket_value_ns(bucket: int, accuracy: float = ACCURACY) -> float:
    """The latency in nanoseconds that a bucket stands for."""
    base = gamma(accuracy)
    return float(2 * base**bucket / (base + 1))


def merge(sketches: Iterable[Buckets]) -> Buckets:
    """One sketch of all the values of sketches of the same accuracy."""
    counts: Counter[int] = Counter()
    for buckets in sketches:
        for bucket, count in buckets:
            counts[bucket] += count
    return tuple(sorted(counts.items()))


def count(buckets: Buckets) -> int:
    """How many values are in it."""
    return sum(n for _, n in buckets)


def quantile(buckets: Buckets, p: float, accuracy: float = ACCURACY) -> float | None:
    """Nanoseconds of the ceil(p n)-th smallest latency, within `accuracy`; None if empty."""
    total = count(buckets)
    rank = max(1, math.ceil(p * total * (1 - 1e-12)))
    for bucket, n in buckets:
        rank -= n
        if rank <= 0:
            return bucket_value_ns(bucket, accuracy)
    return None
