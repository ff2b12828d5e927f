"""Replications from a moment on: what happened before is none of a load's doing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hasim.measures import Measured
from hasim.measures.load import MessageRow


def since(run: Measured, start_s: float) -> Measured:
    """The replication with the messages alone that arrived from a moment on, by windows of 10 s.

    Latencies and rates are cut by the warm-up, which ends at the same moment.
    """
    messages, in_time = settled(run, start_s)
    row = MessageRow(
        klass="", outcome="", settled=True, messages=messages, in_time=in_time, attempts=0
    )
    return dataclasses.replace(run, messages=(row,))


def settled(run: Measured, start_s: float) -> tuple[int, int]:
    """Messages from then on whose deadline lies within the run; those answered by it."""
    own = [window for window in run.windows if window.start_s >= start_s]
    return sum(w.settled for w in own), sum(w.in_time for w in own)


def nothing_answered(runs: Sequence[Measured]) -> bool:
    """Whether there were messages, and none was answered in time."""
    rows = [row for run in runs for row in run.messages]
    return sum(r.messages for r in rows) > 0 and sum(r.in_time for r in rows) == 0
