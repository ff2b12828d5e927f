"""Which replications are to be done next: those of the plan that are not there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from hasim.measures import Measured
from hasim.scenario.replications import Sequential
from hasim.stored import StoredError
from hasim.study.folder.errors import StoreError
from hasim.study.planning.outcomes import CellInfo, Outcome
from hasim.study.planning.stopping import Stop, decide, look_at, looks
from hasim.study.planning.study import Study

Begin = Callable[[int], CellInfo]
"""Makes a cell's key known, and the study what is there of it already."""


@dataclass
class _Round:
    """How far a cell is: the number of replications that it has when its round is complete."""

    key: str
    target: int
    looks: Iterator[int] | None
    pending: set[int] = field(default_factory=set)
    runs: list[Measured] = field(default_factory=list)


class Plan:
    """The replications of a study that are missing, cell by cell and round by round.

    A cell is begun when it is its turn, so that a large study is never in memory as a whole.
    Cells with the same key have the same world, so that only the first of them is done.
    `faults` says of a cell whether anything can befall its world; `begin` begins
    one (without a folder: finds its key).
    """

    def __init__(
        self, study: Study, faults: Callable[[int], bool], begin: Begin | None = None
    ) -> None:
        self._study = study
        self._faults = faults
        self._begin = begin or study.keyed
        self._in_folder = begin is not None
        self._leaders: dict[str, int] = {}
        self._twins: dict[int, list[CellInfo]] = {}
        self._rounds: dict[int, _Round] = {}
        self._complete: set[int] = set()
        rule = study.replications
        self._first = next(looks(rule)) if isinstance(rule, Sequential) else study.most
        self._targets: dict[int, int] = {}  # of cells that have gone beyond their first round
        self.total = self._first * len(study.cells)
        """The replications that all cells have as far as is known by now."""

    def coming(self) -> Iterator[tuple[int, Sequence[int]]]:
        """What is missing of each cell's first round; a cell is begun when it is asked for."""
        for index in range(len(self._study.cells)):
            cell = self._begin(index)
            key = cell.key or f"#{index}"
            leader = self._leaders.setdefault(key, index)
            if leader != index:
                self._join(leader, cell)
                continue
            rule = self._study.replications
            ways = looks(rule) if isinstance(rule, Sequential) else None
            self._rounds[index] = _Round(key, next(ways) if ways else self._study.most, ways)
            todo = self._advance(index)
            if todo:
                yield index, todo

    def _join(self, leader: int, cell: CellInfo) -> None:
        """A cell is the twin of one that was begun before."""
        self._twins.setdefault(leader, [self._study.cells[leader]]).append(cell)
        for outcome in self._study.of_cell(leader):
            self._study.add(outcome.of(cell))
        self.total += self._targets.get(leader, self._first) - self._first
        stop = self._study.stops.get(leader)
        if stop is not None:
            self._study.end_cell(cell.index, stop)

    def twins(self, cell: int) -> Sequence[CellInfo]:
        """The cells that an outcome of a cell which is asked for is an outcome of."""
        return self._twins.get(cell) or [self._study.cells[cell]]

    def took(self, outcome: Outcome) -> None:
        """An outcome has been added to the study."""
        now = self._rounds.get(outcome.cell)
        if now is None:
            return  # an interrupt hands an outcome on once more
        now.pending.discard(outcome.replication)
        if not now.pending:
            self._complete.add(outcome.cell)

    def more(self) -> dict[int, list[int]]:
        """What is missing of the rounds that have begun since the last time this was asked."""
        complete, self._complete = sorted(self._complete), set()
        found = {cell: self._advance(cell) for cell in complete}
        return {cell: todo for cell, todo in found.items() if todo}

    def _advance(self, cell: int) -> list[int]:
        """The missing replications of the next round that has any; none if the cell has ended."""
        now = self._rounds[cell]
        while True:
            todo = [r for r in range(now.target) if (cell, r) not in self._study.outcomes]
            now.pending = set(todo)
            if todo:
                return todo
            stop = self._look(cell, now) if now.looks is not None else None
            if stop is not None:
                for twin in self.twins(cell):
                    self._study.end_cell(twin.index, stop)
            if stop is not None or now.looks is None:
                self._forget(cell)
                return []
            before, now.target = now.target, next(now.looks)
            self._targets[cell] = now.target
            self.total += (now.target - before) * len(self.twins(cell))

    def _forget(self, cell: int) -> None:
        """A cell has ended. A twin that is begun later finds what it gave in the folder."""
        now = self._rounds.pop(cell)
        if self._in_folder:
            self._leaders.pop(now.key, None)
            self._twins.pop(cell, None)

    def _look(self, cell: int, now: _Round) -> Stop | None:
        rule = self._study.replications
        assert isinstance(rule, Sequential), "a fixed number of replications needs no look"
        for number in range(len(now.runs), now.target):
            measured = self._study.outcomes[cell, number].measured or {}
            try:
                now.runs.append(Measured.from_plain(measured))
            except StoredError as error:
                place = f"replication {number} of cell {cell}"
                raise StoreError(f"the measures of {place} cannot be: {error}") from None
        look = look_at(now.runs, self._study.projection, faults=self._faults(cell))
        return decide(rule, now.target, look)
