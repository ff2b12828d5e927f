"""The words for elections and terms: who acts, since when, and by whose votes."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from hasim.events import LeaderElected, TermBegun, TermEnded
from hasim.journal import Journal, Record
from hasim.report.story import Line


def with_elections(seen: Journal, whole: Journal, observer: str) -> Journal:
    """What an observer saw, and the elections of the others, which concern it as well."""
    others = [
        record
        for record in whole.records
        if isinstance(record.body, LeaderElected) and record.observer != observer
    ]
    if not others:
        return seen
    return Journal(seen.header, list(heapq.merge(seen.records, others, key=_time)))


def _time(record: Record) -> int:
    return record.t_ns


def elected(t_ns: int, body: LeaderElected) -> Line:
    """An election was won."""
    votes = ", ".join(body.votes) or "nobody"
    text = f"{body.leader} is elected in ballot {body.ballot}, by {votes}: {body.reason}"
    return Line(t_ns, "election", text)


def begun(t_ns: int, body: TermBegun) -> Line:
    """The observer acts from now on."""
    return Line(t_ns, "election", f"it acts under term {body.term}: {body.reason}")


def ended(t_ns: int, body: TermEnded) -> Line:
    """It was outbid, or leads no more."""
    return Line(t_ns, "election", f"it acts no more: term {body.term} is over for it")


WORDS: dict[type[Any], Callable[[int, Any], Line | None]] = {
    LeaderElected: elected,
    TermBegun: begun,
    TermEnded: ended,
}
"""The line of each kind of record."""
