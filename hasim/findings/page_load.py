"""Load and latency over the time of a run, from its single messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hasim.journal import Journal
from hasim.model import Cause
from hasim.truth import MessageRecord
from hasim.units import seconds

BINS = 120
"""About so many stretches of time are drawn."""
_ROUND_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
LOAD = ("arrived", "answered", "failed")
LATENCY = ("p50", "p99")
Columns = dict[str, list[Any]]


def width_s(horizon_s: float) -> int:
    """The length of a stretch: a round number of seconds."""
    return next((w for w in _ROUND_S if horizon_s / w <= BINS), _ROUND_S[-1])


def over_time(journals: Mapping[str, Journal]) -> tuple[Columns, Columns]:
    """Messages per second and latencies, by cell, of the journal of one run each.

    Columns `cell`, `seconds` (the start of a stretch), `kind`, `value` (per second; seconds). A
    stretch without an answer has no latency.
    """
    load: Columns = {"cell": [], "seconds": [], "kind": [], "value": []}
    latency: Columns = {"cell": [], "seconds": [], "kind": [], "value": []}
    for cell, journal in journals.items():
        for columns, rows in zip((load, latency), _of_run(journal), strict=True):
            for at_s, kind, value in rows:
                for name, part in zip(columns, (cell, at_s, kind, value), strict=True):
                    columns[name].append(part)
    return load, latency


Row = tuple[int, str, float | None]


def _of_run(journal: Journal) -> tuple[list[Row], list[Row]]:
    horizon_s = seconds(journal.horizon_ns)
    width = width_s(horizon_s)
    count = max(1, int(-(-horizon_s // width)))
    arrived, failed = [0] * count, [0] * count
    waits: list[list[float]] = [[] for _ in range(count)]
    for _, message in journal.of(MessageRecord):
        place = min(count - 1, int(seconds(message.arrived_ns) // width))
        arrived[place] += 1
        if message.outcome == Cause.OK:
            waits[place].append(seconds(message.ended_ns - message.arrived_ns))
        elif message.outcome != "in_flight":
            failed[place] += 1
    load, latency = list[Row](), list[Row]()
    for place in range(count):
        at_s = place * width
        counts = (arrived[place], len(waits[place]), failed[place])
        load += [(at_s, kind, n / width) for kind, n in zip(LOAD, counts, strict=True)]
        latency += list(_quantiles(at_s, sorted(waits[place])))
    return load, latency


def _quantiles(at_s: int, waits: Sequence[float]) -> Iterator[Row]:
    for kind in LATENCY:
        share = int(kind[1:]) / 100
        value = waits[min(len(waits) - 1, int(share * len(waits)))] if waits else None
        yield at_s, kind, None if value is None else round(value, 6)
