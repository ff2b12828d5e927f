"""One run as an invariant sees it: what a control plane was told and did, beside the truth."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from hasim.deployed import ControlPlaneSettings, settings_of
from hasim.events import AskGateway, AskMaster, Input, Output, Restart, StatusChanged, TermBegun
from hasim.journal import Journal
from hasim.measures.facts import Facts, facts_of
from hasim.measures.spans import Span, Steps
from hasim.model import Master, Status
from hasim.replay import exchanges
from hasim.singles import singly
from hasim.truth import FaultStarted


@dataclass(frozen=True, slots=True)
class Exchange:
    """An input (None: the start) and what came out of it; whether the control plane acted then."""

    t_ns: int
    item: Input | None
    outputs: list[Output]
    acts: bool


class Case:
    """A journal of one tier, and the observer in it whose doings are looked at."""

    def __init__(self, journal: Journal, observer: str) -> None:
        self.journal, self.observer = journal, observer
        self.horizon_ns = journal.horizon_ns

    @functools.cached_property
    def facts(self) -> Facts:
        """Truth and observation, folded."""
        return facts_of(self.journal, self.observer)

    @functools.cached_property
    def settings(self) -> ControlPlaneSettings:
        """The settings of its services."""
        return settings_of(self.journal, self.observer)

    @functools.cached_property
    def masters(self) -> dict[str, Master]:
        """The masters by name."""
        return {master.id: master for master in self.facts.records.masters}

    @functools.cached_property
    def status(self) -> dict[str, Steps[Status]]:
        """The verdicts on each master over time; who is absent is out of service."""
        found = {
            name: Steps(Status.MAINTENANCE if master.absent else Status.UNKNOWN)
            for name, master in self.masters.items()
        }
        for t_ns, change in self.facts.records.of(StatusChanged):
            found[change.master].set(t_ns, change.new)
        return found

    @functools.cached_property
    def exchanges(self) -> list[Exchange]:
        """Each input with its outputs, probes one by one, in order."""
        found, acts, term = list[Exchange](), True, 1
        told = exchanges(singly(self.journal.seen_by(self.observer)))
        for t_ns, item, outputs in told:
            asks = [o for o in outputs if isinstance(o, AskMaster | AskGateway) and o.term > term]
            begun = [o for o in outputs if isinstance(o, TermBegun)]
            if begun:
                acts, term = True, begun[-1].term
            elif asks or isinstance(item, Restart):
                acts = False
            found.append(Exchange(t_ns, item, outputs, acts))
        return found

    def outputs(self) -> Iterator[tuple[Exchange, Output]]:
        """Every output with its exchange, in order."""
        for exchange in self.exchanges:
            for output in exchange.outputs:
                yield exchange, output

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
        return found

    def is_disturbed(self, start_ns: int, end_ns: int) -> bool:
        """Whether the control plane was, at any time from one moment to another."""
        return any(s.start_ns <= end_ns and start_ns <= s.end_ns for s in self.disturbed)

    def struck_ns(self) -> list[int]:
        """When any fault began."""
        return [t_ns for t_ns, _ in self.facts.records.of(FaultStarted)]
