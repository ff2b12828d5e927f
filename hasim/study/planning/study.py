"""A study: what was asked, what came out, and how it ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hasim.scenario.replications import Sequential, most
from hasim.study.planning.outcomes import CellInfo, Outcome, Outcomes
from hasim.study.planning.stopping import Stop

State = Literal["RUNNING", "COMPLETED", "INTERRUPTED", "FAILED"]


@dataclass(frozen=True, slots=True)
class Options:
    """What a run does with each replication; a folder keeps to it when it is continued.

    `checked`: its invariants are checked. `journals`, `messages`: they are kept.
    """

    checked: bool = False
    journals: bool = False
    messages: bool = False


@dataclass
class Study:
    """What was asked and, by (cell, replication), what came out.

    `replications` is how many each cell has: a number, or the rule that ends a cell;
    `stops` then says for each cell that has ended how. `base` is the key of the
    world before anything is varied. `expect` holds measure -> limit as text;
    `baseline` the values of varied settings that other cells are compared with;
    `projection` the mean time between failures and the period in nanoseconds, if
    uptime is projected; `notes` what a reader of the results must know. `plan` is a digest of
    what determines the cells; `find_key` finds the key of a cell that has none.
    """

    name: str
    seed: int
    replications: int | Sequential
    cells: Sequence[CellInfo]
    expect: dict[str, str] = field(default_factory=dict)
    baseline: dict[str, Any] = field(default_factory=dict)
    projection: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    resolved: str = ""
    state: State = "RUNNING"
    options: Options = Options()
    base: str = ""
    stops: dict[int, Stop] = field(default_factory=dict)
    outcomes: Outcomes = field(default_factory=Outcomes)
    plan: str = field(default="", compare=False)
    find_key: Callable[[int], str] | None = field(default=None, compare=False, repr=False)

    def keyed(self, index: int) -> CellInfo:
        """A cell with its key, which is looked for if need be. May raise ScenarioError."""
        cell = self.cells[index]
        if cell.key or self.find_key is None:
            return cell
        return dataclasses.replace(cell, key=self.find_key(index))

    @property
    def checked(self) -> bool:
        """Whether the invariants of every replication were checked."""
        return self.options.checked

    @property
    def most(self) -> int:
        """The number of replications that a cell has, or may have."""
        return most(self.replications)

    def end_cell(self, cell: int, stop: Stop) -> None:
        """A cell has ended: replications beyond, which the folder may hold, are not of the study.

        They are there if the study once asked for more.
        """
        self.stops[cell] = stop
        for replication in range(stop.replications, self.most):
            self.outcomes.pop((cell, replication), None)

    def add(self, outcome: Outcome) -> None:
        """Take an outcome; the same one twice is the same as once."""
        self.outcomes[outcome.cell, outcome.replication] = outcome

    def ordered(self) -> Iterator[Outcome]:
        """The outcomes by cell, then replication, whatever the order they came in."""
        for cell in self.cells:
            yield from self.of_cell(cell.index)

    def of_cell(self, cell: int) -> list[Outcome]:
        """The outcomes of one cell, by replication."""
        return self.outcomes.of_cell(cell)
