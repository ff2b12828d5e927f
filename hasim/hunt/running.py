"""A world of a hunt, run and looked at; one that does not end is stopped."""

from __future__ import annotations

from collections.abc import Iterable
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
ENDLESS, CRASH = "world-ends", "no-crash"


class EndlessError(Exception):
    """A world that does something again and again at one instant."""


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
            raise EndlessError
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
        with collector_paused():
            journal = simulated(loaded)
            breaches = check(journal, with_stated(loaded.scenario.invariants, only))
            found = reached(journal)
    except EndlessError:
        text = f"more than {MOST_AT_ONCE} records at one instant: it would never end"
        return Ran(data, None, [Breach(ENDLESS, 0, "world", text)], years=years)
    except Exception as error:  # whatever it is, it is a find
        text = f"{type(error).__name__}: {error}"
        return Ran(data, None, [Breach(CRASH, 0, "world", text)], years=years)
    faults = sum(type(record.body).__name__ == "FaultStarted" for record in journal.records)
    return Ran(data, journal, breaches, found, faults, years)


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
