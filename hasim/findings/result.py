"""What a run found, for a notebook or a program: tables, estimates, verdicts, figures."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hasim.extras import installed
from hasim.findings import limits
from hasim.findings.decisions import decisions
from hasim.findings.differences import across
from hasim.findings.differences import plain as plain_differences
from hasim.findings.estimated import Estimated
from hasim.findings.operations import churn_sheet, operations_sheet
from hasim.findings.pictures import draw, figure_of, glance
from hasim.findings.stopping import plain_stopping, stopping_sheet
from hasim.findings.summary import (
    basis,
    plain_cells,
    plain_verdict,
    summary_sheet,
    tidy_estimates,
    verdict_sheet,
)
from hasim.findings.tiers import tiers_sheet
from hasim.findings.waiting import waiting_sheet
from hasim.measures.catalogue import find
from hasim.report.audit import audit
from hasim.report.cells import text
from hasim.report.explain import explain
from hasim.report.finding import Finding
from hasim.report.forms.html_text import paragraph
from hasim.report.picture import image
from hasim.report.sheet import Paper, Sheet
from hasim.report.story import Story
from hasim.report.titles import DEFAULT, GLANCE, title
from hasim.settings import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VERDICTS = ("pass", "undecided", "fail")


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of a result: the `measures` in columns, the cells in the order of the measure
    `sort` (best first; empty: as written), and what is `best` (empty: see
    `hasim.findings.decisions`)."""

    measures: Sequence[str] = DEFAULT
    sort: str = ""
    best: str = ""


class Result(Estimated, Finding):
    """The outcomes of a study, in memory or read back from its run folder.

    Every table is a DataFrame with one row per incident (failover, ...), and
    the columns `cell`, one per varied setting, `replication`, `seed`, then
    those of the row; times are seconds. ``print(result)`` shows what a terminal shows. Of a study
    with very many cells, `hasim.read_frame` reads what `head` leaves out.
    """

    view = View()

    def seen(self, measures: Sequence[str] = DEFAULT, *, sort: str = "", best: str = "") -> Result:
        """The same result, shown by other measures.

        `measures` are the columns of the summary, `sort` one by which its rows are ordered, the
        best first, and `best` the one by which it is said which cell is best. Raises LookupError
        for an unknown measure, ValueError for a `sort` or `best` that is neither better nor worse.
        """
        for measure in measures:
            find(measure)
        for measure in filter(None, (sort, best)):
            if find(measure).neutral:
                raise ValueError(f"{measure} is neither better nor worse")
        other = copy.copy(self)
        other.view = View(tuple(measures), sort, best)
        return other

    def paper(self, *, brief: bool = False) -> Paper:
        """The summary, what follows from it, differences, operations and verdicts, if any.

        Of very many cells the first; a note says so.
        """
        view = replace(self.view, measures=tuple(self.view.measures))
        if view not in self._papers:
            self._papers[view] = self._paper()
        return self._papers[view]

    @cached_property
    def _papers(self) -> dict[View, Paper]:
        """What was shown already, by view: a run is written as Markdown, then printed."""
        return {}

    def _paper(self) -> Paper:
        shown = self.head(limits.SHOWN)
        notes = basis(
            shown.cells,
            shown.estimates,
            self.view.measures,
            seed=shown.seed,
            replications=_replications(shown),
        )
        return Paper(list(_sheets(self, shown)), notes=[*notes, *shown.notes])

    def tidy(self) -> Sheet:
        """A row for each cell and measure; of very many cells the first."""
        shown = self.head(limits.SUMMARISED)
        return tidy_estimates(shown.cells, shown.estimates)

    def plain(self) -> dict[str, Any]:
        """The summary without times, paths or machine facts; of very many cells the first."""
        shown = self.head(limits.SUMMARISED)
        data: dict[str, Any] = {
            "scenario": shown.name,
            "seed": shown.seed,
            "replications": plain(shown.study.replications),
            "notes": list(shown.notes),
        }
        if shown.compared:
            data["baseline"] = dict(shown.study.baseline)
            data["differences"] = plain_differences(shown.compared)
        if not shown.stopping.empty:
            data["stopping"] = plain_stopping(shown.stopping)
        verdicts = [[plain_verdict(one) for one in cell] for cell in shown.verdicts]
        data["cells"] = plain_cells(
            shown.cells, shown.estimates, verdicts if shown.study.expect else None
        )
        return data

    def explain(self, number: int, observer: str | None = None) -> Story:
        """The story of incident `number` (from 1), as one observer saw it.

        Raises LookupError if there is no such incident, JournalError for an unknown observer, and
        StoreError if the replication, simulated again, is not the one that the run measured.
        """
        row = self.incident(number)
        return explain(self.journal_of_incident(number), row, observer)

    def audit(self, number: int, observer: str | None = None) -> list[dict[str, Any]]:
        """A record for each failover of the replication of incident `number` (from 1).

        See `hasim.report.audit.audit`; raises what `explain` does.
        """
        return audit(self.journal_of_incident(number), observer)

    def page(self, incidents: Sequence[int] = ()) -> str:
        """The run as one HTML file: verdict, tables, figures, incidents with their timelines.

        `incidents` (numbers from 1) are taken apart, each with its replication simulated again;
        without any the one with the longest outage of each cell. Raises
        `hasim.report.html.library.NoLibraryError` without the extra ``report``, LookupError for an
        incident that there is not, and StoreError if a replication, simulated again, is not the
        one that the run measured.
        """
        from hasim.findings.pages import page
        from hasim.report.html.page import html_page

        return html_page(page(self, self.paper(), self.view.measures, self.view.best, incidents))

    def report(self, path: str | Path, incidents: Sequence[int] = ()) -> Path:
        """Write the page of the run (see `page`); where to. Raises OSError if that fails."""
        place = Path(path)
        place.write_text(self.page(incidents), encoding="utf-8")
        return place

    def figure(self, name: str) -> Figure | None:
        """One of `hasim.findings.pictures.FIGURES`; None if there are no data for it.

        Raises LookupError, naming them, for any other name.
        """
        shown = self.head(limits.SHOWN)
        chosen = () if self.view.measures is DEFAULT else self.view.measures
        return figure_of(shown, name, *filter(None, [chosen]))

    def figures(self) -> dict[str, Figure]:
        """The figures that the run's folder has, by name, drawn anew (`figure` draws others)."""
        return draw(self)

    def _repr_html_(self) -> str:
        """For Jupyter: what the run found, and a small figure."""
        figure = glance(self) if installed("matplotlib") else None
        about = f"95 % intervals of {' and '.join(map(title, GLANCE))}"
        drawn = "" if figure is None else image(figure, about)
        return paragraph(repr(self)) + Finding._repr_html_(self) + drawn

    def __repr__(self) -> str:
        done = f"{len(self.study.outcomes)}"
        if isinstance(self.study.replications, int):
            done += f" of {len(self.study.cells) * self.study.replications}"
        cells = len(self.study.cells)
        return (
            f"<Result of {self.name}: {cells} cell{'s' * (cells != 1)}, "
            f"{done} replications, seed {self.seed}>"
        )


def _sheets(whole: Result, shown: Result) -> Iterator[Sheet]:
    """The sheets of the cells that are shown; the verdicts say how it is with all of them."""
    cells = shown.cells
    yield _summary(whole.view, shown)
    if shown.compared:
        yield across(cells, shown.compared, shown.study.baseline)
    if not shown.stopping.empty:
        yield stopping_sheet(cells, shown.stopping)
    if not shown.operations.empty:
        yield operations_sheet(cells, shown.operations)
    if not shown.tiers.empty:
        yield tiers_sheet(cells, shown.tiers)
    if (waiting := waiting_sheet(cells, shown.estimates)) is not None:
        yield waiting
    if not shown.churn.empty:
        yield churn_sheet(cells, shown.churn)
    if shown.study.expect:
        yield verdict_sheet(cells, shown.verdicts, [] if shown is whole else _all_verdicts(whole))


def _summary(view: View, shown: Result) -> Sheet:
    """The estimates of the cells in the order wanted, and what follows from them."""
    cells, estimates = shown.cells, shown.estimates
    order = list(range(len(cells)))
    if view.sort:
        sign = -1.0 if find(view.sort).better == "more" else 1.0
        values = [estimate[view.sort].value for estimate in estimates]
        order.sort(key=lambda k: (values[k] is None, sign * (values[k] or 0.0)))
    sheet = summary_sheet([cells[k] for k in order], [estimates[k] for k in order], view.measures)
    said = decisions(
        cells,
        estimates,
        lambda cell: list(shown.measured(cell).values()),
        view.measures,
        view.best or None,
    )
    return replace(sheet, said=said)


def _all_verdicts(result: Result) -> list[str]:
    """How many of all cells keep what is expected, and the first that do not."""
    worst = {cell: "pass" for cell, _ in result.cells}
    for (cell, _), verdicts in zip(result.cells, result.verdicts, strict=True):
        found = {verdict.verdict for verdict in verdicts}
        worst[cell] = next((v for v in ("fail", "undecided") if v in found), "pass")
    counts = [f"{sum(v == kind for v in worst.values()):,} {kind}" for kind in _VERDICTS]
    failing = [(cell, varied) for cell, varied in result.cells if worst[cell] == "fail"][:3]
    return [
        f"Of all {len(worst):,} cells: {', '.join(counts)}.",
        *(
            f"Fails: cell {cell}, {', '.join(f'{path}={text(v)}' for path, v in varied.items())}"
            for cell, varied in failing
        ),
    ]


def _replications(result: Result) -> int | tuple[int, int]:
    """The number of replications of each cell, or the fewest and the most of a cell."""
    if isinstance(result.study.replications, int):
        return result.study.replications
    counts: Sequence[int] = result.stopping["replications"].tolist()
    fewest, most = min(counts), max(counts)
    return fewest if fewest == most else (fewest, most)
