"""The course of messages around an incident, and the latencies of each cell, as they are drawn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hasim import sketch
from hasim.model import SERVED
from hasim.report.cells import labels
from hasim.report.courses import Course
from hasim.truth import MessageRecord
from hasim.units import SECOND

if TYPE_CHECKING:
    from hasim.findings.estimated import Estimated
    from hasim.journal import Journal

BINS = (8, 60)
"""Bins of time in a figure, at least and at most; as many as leave `EACH` messages in one."""
EACH = 30
QUANTILES = {"p50": 0.5, "p99": 0.99}


def course_around(journal: Journal, incident: Mapping[str, Any]) -> Course | None:
    """The messages from a while before an incident until a while after it; None without any.

    `journal` has single messages; `incident` is its row.
    """
    run_s = journal.horizon_ns / SECOND
    start_s = incident["started_at_s"]
    restored_s = incident["restored_at_s"]
    end_s = run_s if restored_s is None else restored_s
    margin_s = max(0.5 * (end_s - start_s), 5.0)
    from_s, until_s = max(0.0, start_s - margin_s), min(run_s, end_s + margin_s)
    every = [
        one
        for _, one in journal.of(MessageRecord)
        if from_s <= one.arrived_ns / SECOND < until_s and one.outcome != "in_flight"
    ]
    if not every:
        return None
    width_s = (until_s - from_s) / max(BINS[0], min(BINS[1], len(every) // EACH))
    # Whole bins before the fault, and whole ones from its start on: none holds of both.
    before = int((start_s - from_s) / width_s + 1e-9)
    count = before + int((until_s - start_s) / width_s + 1e-9)
    from_s = start_s - before * width_s
    bins: list[list[MessageRecord]] = [[] for _ in range(count)]
    for message in every:
        place = math.floor((message.arrived_ns / SECOND - from_s) / width_s)
        if 0 <= place < count:
            bins[place].append(message)
    deadline_ns = journal.header["traffic"]["deadline_ns"]
    masters = sorted({one.master for one in every if one.master})
    return Course(
        at_s=[from_s + (place + 0.5) * width_s - start_s for place in range(count)],
        success=[_success(own, deadline_ns) for own in bins],
        quantiles={name: [_quantile(own, p) for own in bins] for name, p in QUANTILES.items()},
        per_s=_rates(bins, masters, width_s),
        spans=_spans(incident, start_s, until_s),
    )


def _spans(
    incident: Mapping[str, Any], start_s: float, until_s: float
) -> dict[str, tuple[float, float]]:
    """The fault, and from its declaration until service was restored."""
    cured_s = until_s if incident["cured_at_s"] is None else incident["cured_at_s"]
    found = {"fault": (0.0, min(cured_s, until_s) - start_s)}
    if incident["detection_s"] is not None:
        restored_s = incident["restored_at_s"] or until_s
        declared_s = incident["detection_s"]
        if restored_s - start_s > declared_s:
            found["declared, not yet restored"] = (declared_s, restored_s - start_s)
    return found


def _rates(
    bins: Sequence[Sequence[MessageRecord]], masters: Sequence[str], width_s: float
) -> dict[str, list[float]]:
    counts = [Counter(one.master for one in own) for own in bins]
    return {name: [count[name] / width_s for count in counts] for name in masters}


def _answered(messages: Iterable[MessageRecord]) -> list[int]:
    """The latencies of those that were answered."""
    return sorted(one.ended_ns - one.arrived_ns for one in messages if one.outcome in SERVED)


def _success(messages: Sequence[MessageRecord], deadline_ns: int) -> float | None:
    if not messages:
        return None
    return sum(taken_ns <= deadline_ns for taken_ns in _answered(messages)) / len(messages)


def _quantile(messages: Sequence[MessageRecord], p: float) -> float | None:
    taken_ns = _answered(messages)
    return taken_ns[min(len(taken_ns) - 1, int(p * len(taken_ns)))] / SECOND if taken_ns else None


def latencies(found: Estimated) -> dict[str, list[tuple[float, float]]]:
    """(seconds, share not slower) of the answered messages of each cell, by its name."""
    names = labels(found.cells)
    made = {}
    for (cell, _), name in zip(found.cells, names, strict=True):
        runs = found.measured(cell).values()
        cells = sketch.merge(one.cells for run in runs for one in run.latencies)
        whole, below, points = sketch.count(cells), 0, list[tuple[float, float]]()
        for own in cells:
            below += own[2]
            points.append((max(sketch.middle_ns(own), 1.0) / SECOND, below / whole))
        made[name] = points
    return made
