"""The quantile of the latest latencies against numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.services.gateway.pace import (
    BUCKETS,
    MEMORY,
    REFRESH,
    Pace,
    bucket_of,
    edge_of,
    note_latency,
)


@given(st.integers(0, 2**62))
def test_buckets_hold_what_is_below_their_edge(value: int) -> None:
    bucket = bucket_of(value)
    assert 0 <= bucket < BUCKETS
    assert value < edge_of(bucket) <= value + value // 16 + 1
    assert bucket == 0 or edge_of(bucket - 1) <= value


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
def test_the_estimate_is_the_quantile(share: float) -> None:
    draws = np.random.default_rng(1).exponential(50e6, 2000).astype(int).tolist()
    counts, pace = [0] * BUCKETS, Pace()
    for draw in draws:
        note_latency(counts, 0, pace, share, draw)
    exact = float(np.quantile(draws, share, method="inverted_cdf"))
    assert exact < pace.delay_ns <= exact * 17 / 16 + 1


def test_there_is_none_before_the_first_hundred() -> None:
    counts, pace = [0] * BUCKETS, Pace()
    for number in range(REFRESH):
        assert pace.delay_ns == 0
        note_latency(counts, 0, pace, 0.5, 1000 + number)
    assert 1000 < pace.delay_ns < 1200


def test_it_forgets() -> None:
    """After a change of all latencies the median follows within twice the memory."""
    counts, pace = [0] * BUCKETS, Pace()
    for _ in range(20_000):
        note_latency(counts, 0, pace, 0.5, 10)
    assert pace.delay_ns == 11
    for _ in range(2 * MEMORY):
        note_latency(counts, 0, pace, 0.5, 31)
    assert pace.delay_ns == 32
    assert sum(counts) == pace.counted <= MEMORY
