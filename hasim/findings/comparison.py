"""What a comparison found: of two runs, or of the cells of one with their baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hasim.findings import differences
from hasim.report.cells import Cell, heading
from hasim.report.finding import Finding
from hasim.report.sheet import Paper, Sheet
from hasim.study.comparing.compare import Compared


@dataclass(frozen=True)
class OfTwoRuns(Finding):
    """The paired differences of the cells that two runs have in common: second minus first."""

    compared: Sequence[Compared]

    @property
    def cells(self) -> list[Cell]:
        """The cells that are compared."""
        return list({one.cell: (one.cell, one.varied) for one in self.compared}.values())

    def paper(self, *, brief: bool = False) -> Paper:
        """A row for each difference; if brief, those that are exactly 0 are only counted."""
        shown = [one for one in self.compared if not brief or one.verdict != "same"]
        sheet = differences.listed(self.cells, shown, heading(self.cells))
        same = sum(one.verdict == "same" for one in self.compared)
        said = f"{same} of {len(self.compared)} differences are exactly 0 in every replication."
        shares = any(one.difference.unit == "ratio" for one in shown)
        return Paper(
            [sheet] if shown else [],
            said=[said],
            notes=differences.WORDS[1:] if shares else (),
        )

    def tidy(self) -> Sheet:
        """A row for each difference."""
        return differences.tidy(self.cells, self.compared)

    def plain(self) -> Mapping[str, Any]:
        """The differences by cell and measure."""
        return differences.plain_by_cell(self.cells, self.compared)


@dataclass(frozen=True)
class WithBaseline(Finding):
    """The paired differences of the cells of a run and their baseline."""

    cells: Sequence[Cell]
    compared: Sequence[Compared]
    baseline: Mapping[str, Any]

    def paper(self, *, brief: bool = False) -> Paper:
        """A row for each cell."""
        return Paper([differences.across(self.cells, self.compared, self.baseline)])

    def tidy(self) -> Sheet:
        """A row for each difference."""
        return differences.tidy(self._compared_cells(), self.compared)

    def plain(self) -> Mapping[str, Any]:
        """The differences by cell and measure."""
        return differences.plain_by_cell(self._compared_cells(), self.compared)

    def _compared_cells(self) -> list[Cell]:
        return list({one.cell: (one.cell, one.varied) for one in self.compared}.values())
