"""The audit records of failovers: a line of JSON each, and one line in words in a story."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from hasim.events import Attempt, FailoverConcluded
from hasim.journal import Journal
from hasim.report import format
from hasim.report.story import Line
from hasim.units import seconds


def audit(journal: Journal, observer: str | None = None) -> list[dict[str, Any]]:
    """A record for each failover that an observer has ended, in the order of their ends.

    Plain data (JSON), times in seconds since the start of the run: why it was begun (`reason`), the
    `attempts` with their candidate, how that ended and why, and who was `passed_over` for which
    reason, the `phases` with what led on from each, `outcome`, `why`, and `owner`. Without a name
    it is the first observer of the journal; JournalError for one that it does not have.
    """
    observer = journal.observer(observer)
    found = journal.seen_by(observer).of(FailoverConcluded)
    return [{"observer": observer} | _plain(record) for _, record in found]


def audit_lines(journal: Journal, observer: str | None = None) -> str:
    """The same as JSON Lines."""
    return "".join(f"{json.dumps(record)}\n" for record in audit(journal, observer))


def concluded(failovers: Collection[int], t_ns: int, body: FailoverConcluded) -> Line | None:
    """A line of a story if it is about one of these failovers: phases, and who was tried."""
    if body.failover not in failovers:
        return None
    spent: dict[str, int] = {}
    for phase in body.phases:
        spent[phase.state] = spent.get(phase.state, 0) + phase.ended_ns - phase.begun_ns
    parts = [f"{s} {format.seconds(seconds(ns))}" for s, ns in spent.items() if ns]
    whole = format.seconds(seconds(body.ended_ns - body.begun_ns))
    tried = [_tried(one) for one in body.attempts if one.candidate]
    text = f"failover {body.failover} has taken {whole}"
    if parts:
        text += f": {', '.join(parts)}"
    if len(tried) > 1 or body.outcome != "completed":
        text += f"; tried {', then '.join(tried)}" if tried else "; nobody was tried"
    return Line(t_ns, "failover", text)


def _tried(attempt: Attempt) -> str:
    if attempt.ended == "promoted":
        return attempt.candidate
    return f"{attempt.candidate} ({attempt.ended}: {attempt.reason})"


def _plain(record: FailoverConcluded) -> dict[str, Any]:
    return {
        "failover": record.failover,
        "master": record.master,
        "partitions": list(record.partitions),
        "planned": record.planned,
        "reason": record.reason,
        "begun_at_s": seconds(record.begun_ns),
        "ended_at_s": seconds(record.ended_ns),
        "outcome": record.outcome,
        "why": record.why,
        "owner": record.owner,
        "attempts": [
            {
                "at_s": seconds(one.t_ns),
                "candidate": one.candidate,
                "passed_over": [
                    {"reason": over.reason, "masters": list(over.masters)}
                    for over in one.passed_over
                ],
                "ended": one.ended,
                "reason": one.reason,
            }
            for one in record.attempts
        ],
        "phases": [
            {
                "state": phase.state,
                "begun_at_s": seconds(phase.begun_ns),
                "took_s": seconds(phase.ended_ns - phase.begun_ns),
                "trigger": phase.trigger,
                "reason": phase.reason,
            }
            for phase in record.phases
        ],
    }
