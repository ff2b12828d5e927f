"""One run as an invariant sees it: what a control plane was told and did, beside the truth."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar, cast

from hasim.deployed import ControlPlaneSettings, settings_of
from hasim.events import (
    AskGateway,
    AskMaster,
    GiveOpinion,
    GrantLease,
    Input,
    Output,
    Restart,
    SendGossip,
    SendProbe,
    StatusChanged,
    TakeSnapshot,
    TellObserver,
    TermBegun,
    TermEnded,
)
from hasim.journal import Journal
from hasim.measures.facts import Facts, facts_of
from hasim.measures.spans import Span, Steps, union
from hasim.model import Master, Status
from hasim.replay import exchanges
from hasim.services.leadership.sentinel import SentinelSettings
from hasim.singles import singly
from hasim.truth import FaultStarted

QUESTIONS = (AskMaster, AskGateway)
ROUTINE = frozenset({SendProbe, GrantLease, TellObserver, GiveOpinion, SendGossip})
"""What a control plane says all the time, whatever becomes of its masters: most of it by far."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An input (None: the start) and what came out of it; whether the control plane acted then.

    `known` are the verdicts with which a new process of it has begun, up to where it first puts
    something out; None from then on.
    """

    t_ns: int
    item: Input | None
    outputs: list[Output]
    acts: bool
    known: dict[str, Status] | None = None


def follow(status: dict[str, Status], exchange: Exchange, output: Output) -> None:
    """Bring verdicts up to date, output by output."""
    if exchange.known is not None and output is exchange.outputs[0]:
        status.update(exchange.known)
    if isinstance(output, StatusChanged):
        status[output.master] = output.new


V = TypeVar("V")


class Noted(dict[int, V]):
    """What an observer has said of its failovers, by number.

    Another process of it goes on with what was so when its snapshot was taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[int, V] = {}

    def follow(self, exchange: Exchange) -> None:
        """Before what came out of an exchange is noted."""
        if isinstance(exchange.item, TakeSnapshot):
            self._kept = dict(self)
        elif isinstance(exchange.item, Restart):
            self.clear()
            self.update(self._kept if exchange.item.from_snapshot else {})

    def along(self, case: Case) -> Iterator[tuple[Exchange, Output]]:
        """Every output of a case with its exchange, in order, followed; no mere routine."""
        for exchange in case.telling:
            self.follow(exchange)
            for output in exchange.outputs:
                yield exchange, output


class Case:
    """A journal of one tier, and the observer in it whose doings are looked at."""

    def __init__(
        self, journal: Journal, observer: str, read: dict[str, ControlPlaneSettings] | None = None
    ) -> None:
        self.journal, self.observer = journal, observer
        self.horizon_ns = journal.horizon_ns
        # The settings that were read already: those of several observers are mostly the same.
        self._read = {} if read is None else read

    @functools.cached_property
    def facts(self) -> Facts:
        """Truth and observation, folded."""
        return facts_of(self.journal, self.observer)

    @functools.cached_property
    def settings(self) -> ControlPlaneSettings:
        """The settings of its services."""
        about = self.journal.header["observers"][self.observer]
        written = json.dumps(about.get("settings", {}))
        if written not in self._read:
            self._read[written] = settings_of(self.journal, self.observer)
        return self._read[written]

    @functools.cached_property
    def withholds(self) -> bool:
        """Whether verdicts of failed wait, for a majority or an election, before a failover hears
        of them."""
        elects = isinstance(self.settings.leadership.leader, SentinelSettings)
        return elects or self.settings.accession.majority == "before-failover"

    @functools.cached_property
    def masters(self) -> dict[str, Master]:
        """The masters by name."""
        return {master.id: master for master in self.facts.records.masters}

    @functools.cached_property
    def status(self) -> dict[str, Steps[Status]]:
        """The verdicts on each master over time; who is absent is out of service."""
        found = {name: Steps(status) for name, status in self.unheard.items()}
        restarts = {e.t_ns: e.known for e in self.exchanges if e.known is not None}
        for record in self.journal.seen_by(self.observer).records:
            if isinstance(record.body, Restart):
                for name, status in (restarts.get(record.t_ns) or {}).items():
                    found[name].set(record.t_ns, status)
            elif isinstance(record.body, StatusChanged):
                found[record.body.master].set(record.t_ns, record.body.new)
        return found

    @functools.cached_property
    def unheard(self) -> dict[str, Status]:
        """The verdicts before anything is heard."""
        return {
            name: Status.MAINTENANCE if master.absent else Status.UNKNOWN
            for name, master in self.masters.items()
        }

    @functools.cached_property
    def exchanges(self) -> list[Exchange]:
        """Each input with its outputs, probes one by one, in order."""
        found, acts, term = list[Exchange](), True, 1
        status, kept = dict(self.unheard), dict(self.unheard)
        known: dict[str, Status] | None = None
        changed: list[StatusChanged] = []
        told = exchanges(singly(self.journal.seen_by(self.observer)))
        for t_ns, item, outputs in told:
            begun = term
            # A follower that hears of a later term asks nobody.
            rests = type(item) is Restart or getattr(item, "term", term) > term
            for o in outputs:
                kind = type(o)
                if kind is StatusChanged:
                    changed.append(cast(StatusChanged, o))
                elif kind is TermBegun:
                    begun = cast(TermBegun, o).term
                elif kind is TermEnded or (kind in QUESTIONS and cast(AskMaster, o).term > term):
                    rests = True
            if begun > term:
                acts, term = True, begun
            elif rests:
                acts = False
            if type(item) is TakeSnapshot:
                kept = dict(status)
            elif type(item) is Restart:
                known = dict(kept) if item.from_snapshot else dict(self.unheard)
                status = dict(known)
            for change in changed:
                status[change.master] = change.new
            changed.clear()
            found.append(Exchange(t_ns, item, outputs, acts, known))
            known = None if outputs else known
        return found

    @functools.cached_property
    def telling(self) -> list[Exchange]:
        """The exchanges out of which more than routine came, or that make it another process."""
        return [
            exchange
            for exchange in self.exchanges
            if exchange.known is not None
            or type(exchange.item) in (TakeSnapshot, Restart)
            or any(type(output) not in ROUTINE for output in exchange.outputs)
        ]

    @functools.cached_property
    def deeds(self) -> list[tuple[Exchange, Output]]:
        """Every output of those with its exchange, in order."""
        return [(exchange, output) for exchange in self.telling for output in exchange.outputs]

    @functools.cached_property
    def outputs(self) -> list[tuple[Exchange, Output]]:
        """Every output with its exchange, in order."""
        return [(exchange, output) for exchange in self.exchanges for output in exchange.outputs]

    @functools.cached_property
    def disturbed(self) -> list[Span]:
        """When the control plane itself was struck, was not the same, or did not act."""
        found = [fault.span for fault in self.facts.faults if fault.kind.startswith("observer")]
        since_ns: int | None = None
        for exchange in self.exchanges:
            if not exchange.acts and since_ns is None:
                since_ns = exchange.t_ns
            elif exchange.acts and since_ns is not None:
                found.append(Span(since_ns, exchange.t_ns + 1))
                since_ns = None
            elif any(isinstance(o, TermBegun) for o in exchange.outputs):
                found.append(Span(exchange.t_ns, exchange.t_ns + 1))
        if since_ns is not None:
            found.append(Span(since_ns, self.horizon_ns + 1))
        return found + list(self._overtaken())

    def _overtaken(self) -> Iterator[Span]:
        """When another one acted under a later term, whether or not this one had heard of it."""
        begun = [
            (record.t_ns, record.observer)
            for record in self.journal.records
            if isinstance(record.body, TermBegun)
        ]
        own_ns = [t_ns for t_ns, observer in begun if observer == self.observer]
        for t_ns, observer in begun:
            if observer != self.observer:
                again = (own for own in own_ns if own > t_ns)
                yield Span(t_ns, next(again, self.horizon_ns + 1))

    def is_disturbed(self, start_ns: int, end_ns: int) -> bool:
        """Whether the control plane was, at any time from one moment to another."""
        return any(s.start_ns <= end_ns and start_ns <= s.end_ns for s in self.disturbed)

    def undisturbed(self, start_ns: int, end_ns: int) -> Iterator[Span]:
        """The parts of a time in which it was not."""
        for struck in union(self.disturbed):
            if struck.start_ns > start_ns:
                yield Span(start_ns, min(struck.start_ns, end_ns))
            start_ns = max(start_ns, struck.end_ns)
            if start_ns >= end_ns:
                return
        yield Span(start_ns, end_ns)

    def struck_ns(self) -> list[int]:
        """When any fault began."""
        return [t_ns for t_ns, _ in self.facts.records.of(FaultStarted)]
