"""The pace of a gateway's masters: a quantile of the latest latencies, for hedging.

A histogram with buckets of 1/16 of their value, as in HdrHistogram; it forgets by halving.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass

BUCKETS = 960
"""Enough for 2^62 nanoseconds."""
REFRESH = 100
"""Answers between two estimates; the first comes after as many."""
MEMORY = 4000
"""With so many answers counted all counts are halved."""


@dataclass(slots=True)
class Pace:
    """Answers counted, counted since the last estimate, and that estimate (ns; 0: none yet)."""

    counted: int = 0
    fresh: int = 0
    delay_ns: int = 0


def bucket_of(value: int) -> int:
    """The bucket of a number of nanoseconds (0 or more)."""
    shift = 0
    while value >= 32:
        value >>= 1
        shift += 1
    return shift * 16 + value


def edge_of(bucket: int) -> int:
    """The first number above a bucket."""
    if bucket < 32:
        return bucket + 1
    shift = bucket // 16 - 1
    return (bucket - shift * 16 + 1) << shift


def quantile_ns(counts: Sequence[int], first: int, counted: int, share: float) -> int:
    """The latency that `share` of the answers do not exceed, rounded up to its bucket's edge.

    The counts of the buckets are those from `first` on.
    """
    below = 0
    for bucket in range(BUCKETS):
        below += counts[first + bucket]
        if counts[first + bucket] > 0 and below >= share * counted:
            return edge_of(bucket)
    return 0


def note_latency(
    counts: MutableSequence[int], first: int, pace: Pace, share: float, latency_ns: int
) -> None:
    """Count an answer after `latency_ns`; now and then estimate the quantile `share` anew."""
    counts[first + bucket_of(latency_ns)] += 1
    pace.counted += 1
    pace.fresh += 1
    if pace.fresh < REFRESH:
        return
    pace.fresh = 0
    pace.delay_ns = quantile_ns(counts, first, pace.counted, share)
    if pace.counted >= MEMORY:
        pace.counted = 0
        for bucket in range(BUCKETS):
            counts[first + bucket] //= 2
            pace.counted += counts[first + bucket]
