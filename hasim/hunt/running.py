"""A world of a hunt, run and looked at; one that does not end is stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from hasim.hunt.coverage import reached
from hasim.hunt.drawing import Data
from hasim.journal import Journal
from hasim.oracle import Breach, Invariant, check
from hasim.oracle.statements import with_stated
from hasim.scenario.loader import Loaded, from_data
from hasim.simulation.run import begin, collector_paused, conclude, header_of
from hasim.simulation.world import World
from hasim.units import MINUTE

MOST_AT_ONCE = 20_000
"""So many records of one instant: the world stands still there, and would never end."""
MOST_SECONDS = 30.0
"""So long may a world take of the processor; most take a tenth of a second."""
ENDLESS, CRASH = "world-ends", "no-crash"


class EndlessError(BaseException):
    """A world that does something again and again; no service may contain that as its failure."""


class _Records(list[Any]):
    """Records of a journal, of which there are not endlessly many at one instant."""

    def __init__(self) -> None:
        super().__init__()
        self._at_ns, self._since = -1, 0

    def append(self, record: Any) -> None:
        """Append one."""
        if record[0] != self._at_ns:
            self._at_ns, self._since = record[0], len(self)
        elif len(self) - self._since > MOST_AT_ONCE:
            raise EndlessError(f"more than {MOST_AT_ONCE} records at one instant")
        super().append(record)


@dataclass
class Ran:
    """A world that was run: what it broke, what it reached."""

    data: Data
    journal: Journal | None
    breaches: list[Breach]
    reached: frozenset[str] = frozenset()
    faults: int = 0
    years: float = 0.0
    mutant: bool = False
    """Whether it was changed from an earlier one."""

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the invariants that it broke, in the order of their first breach."""
        return tuple(dict.fromkeys(breach.invariant for breach in self.breaches))

    def only(self, name: str) -> Ran:
        """The same with the breaches of one invariant alone."""
        own = [breach for breach in self.breaches if breach.invariant == name]
        return replace(self, breaches=own)


def run(data: Data, loaded: Loaded | None = None, only: Iterable[Invariant] | None = None) -> Ran:
    """Run a world and look at all invariants, or `only` at some, and at those that it states.

    Raises ScenarioError if the data is no scenario.
    """
    loaded = from_data(data) if loaded is None else loaded
    (cell,) = loaded.cells
    years = cell.world.horizon_ns / (365 * 24 * 60 * MINUTE)
    try:
        with collector_paused(), _ending():
            journal = simulated(loaded)
            breaches = check(journal, with_stated(loaded.scenario.invariants, only))
            found = reached(journal)
    except EndlessError as error:
        text = f"{error}: it would never end"
        return Ran(data, None, [Breach(ENDLESS, 0, "world", text)], years=years)
    except Exception as error:  # whatever it is, it is a find
        text = f"{type(error).__name__}: {error}"
        return Ran(data, None, [Breach(CRASH, 0, "world", text)], years=years)
    faults = sum(type(record.body).__name__ == "FaultStarted" for record in journal.records)
    return Ran(data, journal, breaches, found, faults, years)


@contextmanager
def _ending() -> Iterator[None]:
    """Stop what takes too long, were it within one step of a service.

    By the time of the processor, so that a machine with much to do stops none. Where there is no
    such timer, or no signal arrives (another thread than the main one), nothing is stopped.
    """
    timed = hasattr(signal, "setitimer")
    if not timed or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise EndlessError(f"more than {MOST_SECONDS:g} s of the processor")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def simulated(loaded: Loaded) -> Journal:
    """The journal of the only cell; EndlessError if it does not end."""
    (cell,) = loaded.cells
    seed = loaded.scenario.seed
    recorded = loaded.recorded_of(cell)
    world = World(cell.world, recorded, seed=seed, replication=0, keep_messages=True)
    world.journal.records = _Records()
    world.journal.header = header_of(world, loaded.scenario.name, {})
    begin(world)
    world.messages.run(cell.world.horizon_ns)
    world.settle()
    conclude(world, messages=True)
    return world.give_journal()
