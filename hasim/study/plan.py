"""Which replications are to be done next: those of the plan that are not there already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hasim.measures import Measured
from hasim.scenario.replications import Sequential
from hasim.study.batches import Wanted
from hasim.study.stopping import Stop, decide, look_at, looks
from hasim.study.store import CellInfo, Outcome, Study


class Plan:
    """The replications of a study that are missing, round by round.

    Cells with the same key have the same world, so that only the first of them is done.
    `faults` says of each cell whether anything can befall its world.
    """

    def __init__(self, study: Study, faults: Mapping[int, bool]) -> None:
        self._study = study
        self._faults = faults
        self._twins: dict[int, list[CellInfo]] = {}
        first: dict[str, int] = {}
        for cell in study.cells:
            leader = first.setdefault(cell.key or f"#{cell.index}", cell.index)
            self._twins.setdefault(leader, []).append(cell)
        rule = study.replications
        ways = {cell: looks(rule) for cell in self._twins} if isinstance(rule, Sequential) else {}
        self._looks: dict[int, Iterator[int]] = ways
        self._target = {cell: next(ways[cell]) if ways else study.most for cell in self._twins}
        self._pending: dict[int, set[int]] = {}
        self._complete = set(self._twins)
        self._runs: dict[int, list[Measured]] = {cell: [] for cell in self._twins}

    @property
    def total(self) -> int:
        """The replications that all cells have as far as is known by now."""
        return sum(self._target[leader] * len(cells) for leader, cells in self._twins.items())

    def twins(self, cell: int) -> list[CellInfo]:
        """The cells that an outcome of a cell which `wanted` names is an outcome of."""
        return self._twins[cell]

    def took(self, outcome: Outcome) -> None:
        """An outcome has been added to the study."""
        pending = self._pending[outcome.cell]
        pending.discard(outcome.replication)
        if not pending:
            self._complete.add(outcome.cell)

    def wanted(self) -> Wanted:
        """What is missing of the rounds that have begun since the last time this was asked."""
        complete, self._complete = sorted(self._complete), set()
        found = {}
        for cell in complete:
            todo = self._advance(cell)
            if todo:
                found[cell] = todo
                self._pending[cell] = set(todo)
        return found

    def _advance(self, cell: int) -> list[int]:
        """The missing replications of the next round that has any; none if the cell has ended."""
        while True:
            target = self._target[cell]
            todo = [r for r in range(target) if (cell, r) not in self._study.outcomes]
            if todo or cell not in self._looks:
                return todo
            stop = self._look(cell, target)
            if stop is not None:
                for twin in self._twins[cell]:
                    self._study.end_cell(twin.index, stop)
                return []
            self._target[cell] = next(self._looks[cell])

    def _look(self, cell: int, replications: int) -> Stop | None:
        rule, runs = self._study.replications, self._runs[cell]
        assert isinstance(rule, Sequential), "a fixed number of replications needs no look"
        for number in range(len(runs), replications):
            runs.append(Measured.from_plain(self._study.outcomes[cell, number].measured or {}))
        look = look_at(runs, self._study.projection, faults=self._faults[cell])
        return decide(rule, replications, look)
