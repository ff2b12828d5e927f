"""The outcomes of a study by cell and replication: in memory, or, if there are many, in its folder.

An outcome takes some kilobytes, so that those of a large study would fill the memory. Beyond
`IN_MEMORY` of them, all that is remembered is which there are: about 100 bytes a cell.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

IN_MEMORY = 20_000
"""Outcomes that are held in memory, if a folder has them as well: about 100 MiB."""

Read = Callable[[int], Iterable["Outcome"]]
"""What a folder has of a cell."""


@dataclass(frozen=True, slots=True)
class CellInfo:
    """One point: its number, what the user wrote for each varied setting, and its key.

    The key is empty where it has not been looked for.
    """

    index: int
    varied: Mapping[str, Any]
    key: str = ""

    @property
    def stem(self) -> str:
        """How the cell's files are named."""
        return f"cell-{self.key}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one replication of one cell gave.

    `measured` is the plain data of `hasim.measures.Measured`, None if the
    replication raised; `error` then says what. `violations` are the invariants
    that it broke, if they were checked. `wall_s` is how long it took.
    """

    cell: int
    replication: int
    wall_s: float
    measured: dict[str, Any] | None
    violations: tuple[str, ...] = ()
    error: str = ""

    def of(self, cell: CellInfo) -> Outcome:
        """The same as an outcome of `cell`, which has the same world."""
        measured = self.measured
        if measured is not None and "cell" in measured:
            measured = {**measured, "cell": dict(cell.varied)}
        return dataclasses.replace(self, cell=cell.index, measured=measured)


class Outcomes(MutableMapping[tuple[int, int], Outcome]):
    """By (cell, replication). Once `read` is given, they need not all be in memory.

    What is added has to be in the folder then.
    """

    def __init__(self, read: Read | None = None) -> None:
        self.read = read
        self.failed = 0
        """How many have an error."""
        self.violations = 0
        """Violated invariants in all of them."""
        self._count = 0
        self._memory: dict[int, dict[int, Outcome]] | None = {}
        self._known: dict[int, int] = {}
        """Cell to a number whose bit r is set if replication r is there."""
        self._last: tuple[int, dict[int, Outcome]] = (-1, {})

    def replications(self, cell: int) -> list[int]:
        """Which replications of a cell there are, in order."""
        bits = self._known.get(cell, 0)
        return [r for r in range(bits.bit_length()) if bits >> r & 1]

    def of_cell(self, cell: int) -> list[Outcome]:
        """The outcomes of a cell, by replication."""
        there = self._cell(cell) if self.has(cell) else {}
        return [there[replication] for replication in self.replications(cell)]

    def has(self, cell: int) -> bool:
        """Whether there is any of a cell."""
        return bool(self._known.get(cell))

    def _cell(self, cell: int) -> dict[int, Outcome]:
        if self._memory is not None:
            return self._memory.get(cell, {})
        if self._last[0] != cell and self.read is not None:
            self._last = (cell, {o.replication: o for o in self.read(cell)})
        return self._last[1]

    def __getitem__(self, place: tuple[int, int]) -> Outcome:
        if place not in self:
            raise KeyError(place)
        return self._cell(place[0])[place[1]]

    def __contains__(self, place: object) -> bool:
        if not isinstance(place, tuple):
            return False
        return bool(self._known.get(place[0], 0) >> place[1] & 1)

    def __setitem__(self, place: tuple[int, int], outcome: Outcome) -> None:
        if place in self:
            if self._memory is None:
                return  # the folder has it, and what a replication gives never changes
            del self[place]
        cell, replication = place
        self._count += 1
        self.failed += bool(outcome.error)
        self.violations += len(outcome.violations)
        self._known[cell] = self._known.get(cell, 0) | 1 << replication
        if self._memory is not None and self.read is not None and self._count > IN_MEMORY:
            self._memory = None
        if self._memory is not None:
            self._memory.setdefault(cell, {})[replication] = outcome
        elif self._last[0] == cell:
            self._last = (-1, {})

    def __delitem__(self, place: tuple[int, int]) -> None:
        outcome = self[place]
        cell, replication = place
        self._count -= 1
        self.failed -= bool(outcome.error)
        self.violations -= len(outcome.violations)
        self._known[cell] &= ~(1 << replication)
        if self._memory is not None:
            del self._memory[cell][replication]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((cell, r) for cell in sorted(self._known) for r in self.replications(cell))

    def __len__(self) -> int:
        return self._count
