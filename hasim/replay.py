"""A journal fed to a fresh machine: whether the same inputs give the same effects and events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from hasim import events
from hasim.journal import Journal, lane_of
from hasim.services.door import take
from hasim.singles import singly


class Machine(Protocol):
    """What can be replayed: a control plane."""

    def step(self, now: int, item: events.Input) -> list[events.Output]:
        """Effects and events of one input."""
        ...

    def start(self, now: int) -> list[events.Output]:
        """Effects and events of the start."""
        ...


@dataclass(frozen=True)
class Difference:
    """The first place where a replay and its journal part."""

    t_ns: int
    item: events.Input | None
    recorded: tuple[str, ...]
    replayed: tuple[str, ...]


@dataclass(frozen=True)
class Replay:
    """What a replay found: how much was fed, and the first difference, if any."""

    inputs: int
    outputs: int
    difference: Difference | None
    journal: Journal


def replay(journal: Journal, machine: Machine, observer: str | None = None) -> Replay:
    """Feed an observer's recorded inputs to a fresh machine and compare its outputs line by line.

    Probes that were told at once are fed one by one, as the journal's own control plane would
    have sent them. Never stops early: the replayed journal holds what the machine did with all
    recorded inputs, whether or not its outputs differ. Raises JournalError for an observer
    that the journal does not have (None: the first).
    """
    observer = journal.observer(observer)
    replayed = Journal(dict(journal.header))
    difference: Difference | None = None
    inputs = outputs = 0
    for t_ns, item, recorded in exchanges(singly(journal.seen_by(observer))):
        if item is not None:
            inputs += 1
            replayed.add(t_ns, "input", item, observer)
        produced = machine.start(t_ns) if item is None else take(machine, t_ns, item)
        outputs += len(produced)
        for output in produced:
            replayed.add(t_ns, lane_of(output), output, observer)
        if difference is None and produced != recorded:
            difference = Difference(
                t_ns, item, tuple(map(repr, recorded)), tuple(map(repr, produced))
            )
    return Replay(inputs, outputs, difference, replayed)


def exchanges(
    journal: Journal,
) -> Iterator[tuple[int, events.Input | None, list[events.Output]]]:
    """Each input with the outputs that followed it; the first exchange is the start."""
    t_ns, item, outputs = 0, None, cast(list[events.Output], [])
    for record in journal.records:
        if record.lane == "input":
            yield t_ns, item, outputs
            t_ns, item, outputs = record.t_ns, cast(events.Input, record.body), []
        elif record.lane in ("effect", "event"):
            outputs.append(cast(events.Output, record.body))
    yield t_ns, item, outputs
