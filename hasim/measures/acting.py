"""Several control planes that act in turn, seen as one: what whoever acted saw and did.

From the moment in which a control plane begins its term, its records are those of the cluster. Its
verdicts count from before that, as far as it holds a master to be no longer healthy: an observer
that declares a master failed, is elected for it and fails it over has declared it when it did.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from hasim.events import FailoverChanged, OwnerChanged, StatusChanged, TermBegun
from hasim.journal import Journal, Record
from hasim.model import Status

Placed = tuple[int, int, Record]
"""Time, place among the records, and a record."""
Turn = tuple[int, str]
"""When a control plane begins to act (nanoseconds), and which."""
WELL = (Status.HEALTHY, Status.UNKNOWN)


def as_acted(journal: Journal) -> Journal:
    """The journal as if the first observer had been whoever acted; itself if only that one may."""
    if len(journal.observers) < 2 or not _shared(journal):
        return journal
    first = journal.observers[0]
    turns = [(0, first)]
    turns += [(r.t_ns, r.observer) for r in journal.records if isinstance(r.body, TermBegun)]
    found = [*_others(journal, turns), *_verdicts(journal, turns)]
    found.sort(key=lambda placed: placed[:2])
    header = journal.header | {"observers": {first: journal.header["observers"][first]}}
    return Journal(header, [_of(first, record) for _, _, record in found])


def _shared(journal: Journal) -> bool:
    """Whether more than one of its observers may act."""
    observers = journal.header["observers"].values()
    settings = [about.get("settings", {}).get("leadership", {}) for about in observers]
    return any(own.get("leader", "fixed") != "fixed" for own in settings)


def _others(journal: Journal, turns: Sequence[Turn]) -> Iterator[Placed]:
    """The truth, and all but verdicts: only who acts orders anything, even if it should not."""
    starts = [t_ns for t_ns, _ in turns]
    for place, record in enumerate(journal.records):
        if isinstance(record.body, StatusChanged):
            continue
        ordered = isinstance(record.body, FailoverChanged | OwnerChanged)
        chief = turns[bisect_right(starts, record.t_ns) - 1][1]
        if record.lane in ("truth", "effect") or ordered or record.observer == chief:
            yield record.t_ns, place, record


def _verdicts(journal: Journal, turns: Sequence[Turn]) -> Iterator[Placed]:
    """The verdicts of whoever acted, master by master, without gap or repetition."""
    told: defaultdict[str, defaultdict[str, list[Placed]]] = defaultdict(lambda: defaultdict(list))
    for place, record in enumerate(journal.records):
        if isinstance(record.body, StatusChanged):
            told[record.body.master][record.observer].append((record.t_ns, place, record))
    for by in told.values():
        spans = _spans(by, turns)
        now = Status.UNKNOWN
        for number, (since_ns, observer) in enumerate(spans):
            until_ns = spans[number + 1][0] if number + 1 < len(spans) else journal.horizon_ns + 1
            before = [placed for placed in by[observer] if placed[0] < since_ns]
            within = [placed for placed in by[observer] if since_ns <= placed[0] < until_ns]
            if before and since_ns < until_ns:
                within.insert(0, (since_ns, *before[-1][1:]))
            for t_ns, place, record in within:
                change = record.body
                assert isinstance(change, StatusChanged)
                if change.new is not now:
                    body = dataclasses.replace(change, old=now)
                    yield t_ns, place, record._replace(t_ns=t_ns, body=body)
                    now = change.new


def _spans(by: defaultdict[str, list[Placed]], turns: Sequence[Turn]) -> list[Turn]:
    """Since when each one's verdicts on a master count, turn by turn."""
    spans: list[Turn] = []
    for number, (t_ns, observer) in enumerate(turns):
        since_ns, before_ns = t_ns, turns[max(0, number - 1)][0]
        for told_ns, _, record in reversed(by[observer]):
            assert isinstance(record.body, StatusChanged)
            if told_ns >= t_ns:
                continue
            if record.body.new in WELL or told_ns < before_ns:
                break
            since_ns = told_ns
        spans.append((since_ns, observer))
    return spans


def _of(observer: str, record: Record) -> Record:
    """A record as one of this observer's."""
    if record.lane != "truth":
        return record._replace(observer=observer)
    body: Any = record.body
    if getattr(body, "observer", ""):
        return record._replace(body=dataclasses.replace(body, observer=observer))
    return record
