"""What `hasim.budget` found: the unavailability of a year, split by fault and by cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hasim.findings import budget_sheets
from hasim.findings.budget_words import words_of
from hasim.report.cells import Cell, heading, labels
from hasim.report.finding import Finding
from hasim.report.format import seconds
from hasim.report.sheet import Column, Field, Paper, Sheet, Value
from hasim.scenario.expectations import Expectation
from hasim.study.estimates.expectations import Verdict, judge
from hasim.study.rare.amounts import Amounts
from hasim.study.rare.analysis import CellBudget
from hasim.study.rare.shortfalls import Measure

if TYPE_CHECKING:
    import pandas as pd

    from hasim.scenario.schema import Scenario

PROJECTED = "uptime.renewal_reward"
"""The expectation that a budget of the service can judge."""


@dataclass(frozen=True)
class Budgets(Finding):
    """The budget of each cell of a scenario, in `cells`.

    `measure` says of what: ``uptime`` (every partition up), ``uptime.mean`` (the mean
    partition), ``uptime.k_of_n`` (as many masters serve as are needed), ``success`` (messages
    answered by their deadline) or ``user_uptime`` (users' time with the service).
    """

    scenario: Scenario
    measure: Measure
    amounts: Amounts
    cells: tuple[CellBudget, ...]

    def table(self) -> pd.DataFrame:
        """One row per cell, fault and cause: share of time, minutes a year, share of the total.

        Bounds are those of 95 % intervals.
        """
        import pandas as pd

        return pd.DataFrame(budget_sheets.rows(self.cells))

    @property
    def verdicts(self) -> list[list[Verdict]]:
        """For each cell, the verdict on ``expect: uptime.renewal_reward``, if there is one."""
        wanted = [item for item in self.scenario.expect if item.measure == PROJECTED]
        if self.measure != "uptime":
            wanted = []
        return [_judged(wanted, cell) for cell in self.cells]

    def paper(self, *, brief: bool = False) -> Paper:
        """For each cell a year's minutes by fault and by cause, and what they rest on."""
        sheets = budget_sheets.sheets(self.measure, self.cells, self.verdicts)
        compared = budget_sheets.compared(self.cells)
        return Paper([*sheets, *compared], notes=[budget_sheets.about(self._header())])

    def tidy(self) -> Sheet:
        """One row per cell, fault and cause."""
        return budget_sheets.tidy(self.cells)

    def plain(self) -> dict[str, Any]:
        """Every part of the budget, rates of faults, nines, the share under its measure's name."""
        plain = [
            budget_sheets.plain_cell(self.measure, cell, judged)
            for cell, judged in zip(self.cells, self.verdicts, strict=True)
        ]
        return {**self._header(), "year_s": budget_sheets.SECONDS, "cells": plain}

    def page(self) -> str:
        """The budget as one HTML file: the nines, what the minutes are lost on, the tables.

        Raises `hasim.report.html.library.NoLibraryError` without the extra ``report``.
        """
        from hasim.findings.budget_page import budget_page
        from hasim.report.html.page import html_page

        said = [
            list(budget_sheets.remarks(self.measure, cell, judged))
            for cell, judged in zip(self.cells, self.verdicts, strict=True)
        ]
        words = words_of(self.measure)
        return html_page(budget_page(self.scenario.name, words, self.cells, said, self.paper()))

    def _header(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario.name,
            "seed": self.scenario.seed,
            "measure": self.measure,
            "runs": self.amounts.singles,
            "pairs": self.amounts.pairs,
            "triples": self.amounts.triples,
            "quadruples": self.amounts.quadruples,
        }

    def __repr__(self) -> str:
        cells = f"{len(self.cells)} cell{'s' * (len(self.cells) != 1)}"
        return f"<Budgets of {self.scenario.name}: {cells}, {self.measure}>"


@dataclass(frozen=True)
class BudgetPlan(Finding):
    """What a budget would simulate: (cell, what for, runs, simulated seconds of them all)."""

    rows: tuple[tuple[Cell, str, int, float], ...]

    @classmethod
    def of(cls, planned: Sequence[tuple[Any, Mapping[str, tuple[int, float]]]]) -> BudgetPlan:
        """Of what `hasim.study.rare.analysis.planned` found."""
        return cls(
            tuple(
                ((cell.index, dict(cell.varied)), name, count, span_s)
                for cell, runs in planned
                for name, (count, span_s) in runs.items()
            )
        )

    def paper(self, *, brief: bool = False) -> Paper:
        """A row for each cell and each purpose."""
        cells = list({cell[0]: cell for cell, *_ in self.rows}.values())
        names = dict(zip((index for index, _ in cells), labels(cells), strict=True))
        rows: list[list[Value]] = [
            [names[cell[0]], name, count, Field(seconds(span_s), value=span_s)]
            for cell, name, count, span_s in self.rows
        ]
        columns = [Column(heading(cells)), Column("for"), Column("runs", align="right")]
        total = sum(count for _, _, count, _ in self.rows)
        said = (
            f"{total:,} runs, {seconds(sum(row[3] for row in self.rows))} in all; and, where there "
            f"is noise, a minute or so for false failovers."
        )
        return Paper([Sheet([*columns, Column("simulated", align="right")], rows, said=[said])])


def _judged(wanted: list[Expectation], cell: CellBudget) -> list[Verdict]:
    decisive = budget_sheets.estimate_of(PROJECTED, "ratio", cell.one_sided.uptime)
    return judge(wanted, {PROJECTED: decisive})
