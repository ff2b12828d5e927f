"""How the messages of a run ended, whichever data plane ran them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hasim.model import SERVED, Cause
from hasim.sketch import Cells, sketch
from hasim.units import SECOND

IN_FLIGHT = "in_flight"
OUTCOMES = (*(cause.value for cause in Cause), IN_FLIGHT)
"""The outcomes of messages; an outcome's number is its place here."""
ANSWERED = tuple(OUTCOMES.index(cause) for cause in SERVED)
"""The numbers of the outcomes of messages that were answered."""
BUCKET_NS = 10 * SECOND
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Results:
    """Every message by itself: arrays of shape (n,), in the order of arrival.

    `arrival_ns`, `gateway`, `partition` and `vip` as in `Drawn`; `outcome` is a place in
    `OUTCOMES`, `ended_ns` when that was (0 if in flight), `master` the index of the last
    master tried, or -1 if there was none, and `tries` the number of attempts.
    """

    arrival_ns: Ints
    gateway: NDArray[np.integer]
    partition: NDArray[np.integer]
    vip: NDArray[np.bool_]
    outcome: NDArray[np.integer]
    ended_ns: Ints
    master: NDArray[np.integer]
    tries: NDArray[np.integer]


@dataclass(frozen=True)
class Counts:
    """All messages, counted.

    Arrays with one row for each combination that occurs, in any order: `bucket` (of
    arrival, in units of `BUCKET_NS`), `master` (index of the last one tried plus 1, or
    0), `vip`, `late` (the deadline lies beyond the end of the run) and `outcome` (a
    place in `OUTCOMES`); then how many `messages`, how many of them were answered
    `in_time`, and the `attempts` of all. `latencies` of answered messages are sketches,
    of ordinary ones and of VIPs.
    """

    bucket: Ints
    master: Ints
    vip: Ints
    late: Ints
    outcome: Ints
    messages: Ints
    in_time: Ints
    attempts: Ints
    latencies: tuple[Cells, Cells]


def count(results: Results, *, masters: int, deadline_ns: int, horizon_ns: int) -> Counts:
    """Count the messages."""
    answered = np.isin(results.outcome, ANSWERED)
    latency_ns = results.ended_ns - results.arrival_ns
    buckets = int(horizon_ns // BUCKET_NS + 1)
    sizes = (buckets, masters + 1, 2, 2, len(OUTCOMES))
    columns: tuple[NDArray[Any], ...] = (
        results.arrival_ns // BUCKET_NS,
        results.master + 1,
        results.vip,
        results.arrival_ns + deadline_ns > horizon_ns,
        results.outcome,
    )
    # One number for each combination, in the order of the columns.
    rows, row = np.unique(np.ravel_multi_index(columns, sizes), return_inverse=True)
    met = np.bincount(row, weights=answered & (latency_ns <= deadline_ns))
    attempts = np.bincount(row, weights=results.tries)
    bucket, master, vip, late, outcome = np.unravel_index(rows, sizes)
    return Counts(
        bucket=bucket,
        master=master,
        vip=vip,
        late=late,
        outcome=outcome,
        messages=np.bincount(row),
        in_time=met.astype(np.int64),
        attempts=attempts.astype(np.int64),
        latencies=(
            sketch(latency_ns[answered & ~results.vip]),
            sketch(latency_ns[answered & results.vip]),
        ),
    )
