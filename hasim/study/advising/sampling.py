"""Where replications of cells come from: whatever can give the first so many of some cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hasim.measures import Measured

Runs = Sequence[Measured]


class Source(Protocol):
    """Replications of cells by number. The first n of a cell are always the same ones.

    Replications with the same number meet the same faults in all cells, so that they are pairs.
    """

    def take(self, cells: Sequence[int], replications: int) -> None:
        """See to it that there are the first `replications` of each of these cells."""
        ...

    def runs(self, cell: int, replications: int) -> Runs:
        """The first so many replications of a cell that were taken."""
        ...


class Counted:
    """A source, and how many replications were asked of it for each cell."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.taken: dict[int, int] = {}

    @property
    def total(self) -> int:
        """Replications of all cells together."""
        return sum(self.taken.values())

    def take(self, cells: Sequence[int], replications: int) -> None:
        """As `Source.take`."""
        self._source.take(cells, replications)
        for cell in cells:
            self.taken[cell] = max(self.taken.get(cell, 0), replications)

    def runs(self, cell: int, replications: int) -> Runs:
        """As `Source.runs`."""
        return self._source.runs(cell, replications)
