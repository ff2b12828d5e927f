"""A journal as it would be had every probe been taken by itself (see `events.ProbeStretch`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from hasim.events import ProbeReply, ProbeStretch, SendProbe, WakeUp
from hasim.journal import Journal, Record
from hasim.model import Cause

ANSWERED, WOKEN = range(2)
"""What comes of a stretch, in the order of one instant: inputs come before wake-ups."""


class Single(NamedTuple):
    """A moment of a stretch: an answer, or a wake-up and the probe (if any) that it sends.

    Sorted as it happens: at one instant answers come in the order in which the probes were sent,
    and probes in that of the masters, which `order` says.
    """

    t_ns: int
    what: int
    order: tuple[Any, ...]
    observer: str
    body: ProbeReply | SendProbe | None


def singly(journal: Journal) -> Journal:
    """The journal with its stretches taken apart; this journal itself if it has none.

    Inputs, effects and events are then what single steps give, in their order. Only of a truth
    and an answer at the same nanosecond it is not known which came first.
    """
    if any(type(record.body) is ProbeStretch for record in journal.records):
        return Journal(journal.header, list(_Weaver(journal).woven()))
    return journal


class _Weaver:
    """Puts the moments of stretches where they belong among the other records."""

    def __init__(self, journal: Journal) -> None:
        self._ranks: Mapping[str, int] = {name: n for n, name in enumerate(journal.masters)}
        self._rest, self._singles = list[Record](), list[Single]()
        for record in journal.records:
            if isinstance(record.body, ProbeStretch):
                self._singles += self._moments(record.body, record.observer)
            else:
                self._rest.append(record)
        self._singles.sort()
        # By observer and master: the number of the last probe, and when it was sent.
        self._sent: dict[tuple[str, str], tuple[int, int]] = {}

    def _moments(self, stretch: ProbeStretch, observer: str) -> Iterator[Single]:
        master, cause, rank = stretch.master, stretch.cause, self._ranks[stretch.master]
        ended = zip(stretch.ended_ns, stretch.took_ns, strict=True)
        sent_ns = [ended_ns - took_ns for ended_ns, took_ns in ended]
        if stretch.under_way_ns is not None:
            sent_ns.append(stretch.under_way_ns)
        for number, t_ns in enumerate(sent_ns, stretch.probe):
            yield Single(t_ns, WOKEN, (observer, rank), observer, SendProbe(master, number))
        for number, t_ns in enumerate(stretch.ended_ns, stretch.probe):
            if cause is Cause.TIMEOUT:
                yield Single(t_ns, WOKEN, (observer, rank), observer, None)
            else:
                reply = ProbeReply(master, number, cause)
                since_ns = sent_ns[number - stretch.probe]
                yield Single(t_ns, ANSWERED, (since_ns, rank, observer), observer, reply)

    def woven(self) -> Iterator[Record]:
        """All records."""
        instants = groupby(self._singles, key=lambda single: single.t_ns)
        coming = next(instants, None)
        for t_ns, records in groupby(self._rest, key=lambda record: record.t_ns):
            while coming is not None and coming[0] < t_ns:
                yield from self._noted(_records(list(coming[1])))
                coming = next(instants, None)
            if coming is not None and coming[0] == t_ns:
                yield from self._noted(self._tied(list(records), list(coming[1])))
                coming = next(instants, None)
            else:
                yield from self._noted(records)
        while coming is not None:
            yield from _records(list(coming[1]))
            coming = next(instants, None)

    def _noted(self, records: Iterator[Record]) -> Iterator[Record]:
        """The same records; what was sent is kept in mind."""
        for record in records:
            if type(record.body) is SendProbe:
                sent = record.body
                self._sent[record.observer, sent.master] = (sent.probe, record.t_ns)
            yield record

    def _tied(self, records: list[Record], singles: list[Single]) -> Iterator[Record]:
        """One instant. If there is a wake-up among the records, none is among the singles."""
        exchanges = list(_exchanges(records))
        inputs = [place for place, own in enumerate(exchanges) if own[0].lane == "input"]
        woken = (place for place in inputs if type(exchanges[place][0].body) is WakeUp)
        end = next(woken, inputs[-1] + 1 if inputs else len(exchanges))
        for exchange in exchanges[:end]:
            if isinstance(exchange[0].body, ProbeReply):
                order = self._order(exchange[0], exchange[0].body)
                while singles and singles[0].what == ANSWERED and singles[0].order < order:
                    yield from _records([singles.pop(0)])
            yield from exchange
        yield from _records(singles)
        for exchange in exchanges[end:]:
            yield from exchange

    def _order(self, record: Record, reply: ProbeReply) -> tuple[Any, ...]:
        """As `Single` has it; one that is not the last that was sent was sent before it."""
        number, sent_ns = self._sent.get((record.observer, reply.master), (0, 0))
        since_ns = sent_ns if number == reply.probe else -1
        return since_ns, self._ranks[reply.master], record.observer


def _records(singles: list[Single]) -> Iterator[Record]:
    """What happens at one instant: an observer is woken once for all that is due."""
    woken = set[str]()
    for t_ns, what, _, observer, body in singles:
        if what == ANSWERED:
            assert isinstance(body, ProbeReply)
            yield Record(t_ns, "input", body, observer)
            continue
        if observer not in woken:
            woken.add(observer)
            yield Record(t_ns, "input", WakeUp(), observer)
        if body is not None:
            yield Record(t_ns, "effect", body, observer)


def _exchanges(records: list[Record]) -> Iterator[list[Record]]:
    """A truth by itself, and an input with what came of it."""
    found: list[Record] = []
    for record in records:
        if found and record.lane in ("input", "truth"):
            yield found
            found = []
        found.append(record)
    if found:
        yield found
