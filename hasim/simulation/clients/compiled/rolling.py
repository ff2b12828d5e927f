"""Compiled: messages that have ended are counted and forgotten, in the order of arrival."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from hasim.simulation.clients.compiled.jit import int64, njit
from hasim.simulation.clients.compiled.layout import CLIENT_ERROR, OK, UNSETTLED, VIEWS, Table
from hasim.simulation.clients.compiled.pointers import bits_of
from hasim.simulation.clients.results import BUCKET_NS, OUTCOMES
from hasim.sketch import EXACT
from hasim.sketch import bounds_ns as bounds_of

IN_FLIGHT = len(OUTCOMES) - 1

state = VIEWS["state"]
messages = VIEWS["messages"]
cells = VIEWS["cells"]
touched = VIEWS["touched"]
rows = VIEWS["rows"]
latencies = VIEWS["latencies"]
singles = VIEWS["singles"]
bounds_ns = VIEWS["bounds_ns"]
hints = VIEWS["hints"]
BUCKETS = 2200
"""More buckets of latency than 2^62 ns need."""
DROPPED = 46
"""Of the bits of a float64: 6 bits of the fraction are left, so that the numbers which share
all that is left differ by 1/64 at most, less than a bucket's bounds do."""
LEAST = 1023 << (52 - DROPPED)
"""What is left of the number 1."""


@functools.cache
def make_hints() -> NDArray[np.int64]:
    """The bucket of the least latency by what is left of its bits, from 1 to 2^62 ns."""
    left = np.arange(LEAST, (1023 + 62 << (52 - DROPPED)) + 1, dtype=np.int64)
    least_ns = np.ceil((left << DROPPED).view(np.float64)).astype(np.int64)
    return np.searchsorted(bounds_of(BUCKETS), least_ns)


@njit
def roll(table: Table, everything: bool) -> None:
    """Count messages up to the first that is in flight; all, if the run is over."""
    s = state(table)[0]
    while s.first < s.message:
        m = messages(table)[s.first & s.mask]
        if m.outcome == UNSETTLED and not everything:
            return
        if m.arrival_ns >= s.bucket_ends_ns:
            empty_cells(table)
            s.bucket = m.arrival_ns // BUCKET_NS
            s.bucket_ends_ns = (s.bucket + 1) * BUCKET_NS
        late = m.arrival_ns > s.last_ns
        outcome = IN_FLIGHT if m.outcome == UNSETTLED else int64(m.outcome)
        key = (((m.last + 1) * 2 + m.vip) * 2 + late) * len(OUTCOMES) + outcome
        cell = cells(table)[key]
        if not cell.messages:
            touched(table)[s.touched] = key
            s.touched += 1
        cell.messages += 1
        cell.attempts += m.tries
        if outcome in (OK, CLIENT_ERROR):
            latency_ns = m.ended_ns - m.arrival_ns
            cell.in_time += latency_ns <= s.deadline_ns
            add_latency(table, m.vip, latency_ns)
        s.first += 1
    if everything:
        empty_cells(table)


@njit
def add_latency(table: Table, vip: int, latency_ns: int) -> None:
    """Into its bucket; the first ones are kept as they are, too, beside their number."""
    kept = singles(table)[vip * (EXACT + 1)]
    if kept < EXACT:
        singles(table)[vip * (EXACT + 1) + kept + 1] = latency_ns
        singles(table)[vip * (EXACT + 1)] = kept + 1
    held = latencies(table)[vip * BUCKETS + bucket_of(table, latency_ns)]
    held.least_ns = min(held.least_ns, latency_ns) if held.count else latency_ns
    held.greatest_ns = max(held.greatest_ns, latency_ns)
    held.count += 1


@njit
def empty_cells(table: Table) -> None:
    """The counts of one bucket of time are complete."""
    s = state(table)[0]
    for place in range(s.touched):
        key = touched(table)[place]
        row, cell = rows(table)[s.rows], cells(table)[key]
        row.bucket, row.key = s.bucket, key
        row.messages, row.in_time, row.attempts = cell.messages, cell.in_time, cell.attempts
        cell.messages = cell.in_time = cell.attempts = 0
        s.rows += 1
    s.touched = 0


@njit
def bucket_of(table: Table, latency_ns: int) -> int:
    """The bucket of the sketch: one near it by a table, then the one by the exact bounds."""
    bucket: int = hints(table)[(bits_of(float(max(latency_ns, 1))) >> DROPPED) - LEAST]
    # It is that one or the next, nearly always: which of them, a processor could not foresee.
    bucket += latency_ns > bounds_ns(table)[bucket]
    while latency_ns > bounds_ns(table)[bucket]:
        bucket += 1
    while bucket > 0 and latency_ns <= bounds_ns(table)[bucket - 1]:
        bucket -= 1
    return bucket
