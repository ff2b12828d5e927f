"""What `hasim.bench` found, for a notebook or a program."""

from __future__ import annotations

import dataclasses
from typing import Any

from hasim.findings import gate_sheets
from hasim.findings.junit import as_junit
from hasim.report.finding import FORMS, Finding
from hasim.report.sheet import Paper, Sheet
from hasim.study.gate import outcome

OWN_FORMS = ("junit", "benchmark-action")
"""The forms of a gate that other findings do not have."""


class GateReport(outcome.GateReport, Finding):
    """The outcome of a suite against its baseline, which shows itself in Jupyter."""

    __slots__ = ()

    @classmethod
    def of(cls, found: outcome.GateReport) -> GateReport:
        """The same, with what is for showing it."""
        return cls(**{f.name: getattr(found, f.name) for f in dataclasses.fields(found)})

    def paper(self, *, brief: bool = False) -> Paper:
        """The measures, worst first, all else in sentences, and the verdict.

        If brief, measures that are identical to the baseline are only counted.
        """
        sheet = gate_sheets.comparison_sheet(self, brief=brief)
        return Paper(
            [sheet] if sheet.rows else [],
            said=[
                *(gate_sheets.identical(self) if brief else []),
                *gate_sheets.remarks(self),
            ],
            headline=gate_sheets.headline(self),
            title=f"hasim bench: {self.suite}",
        )

    def tidy(self) -> Sheet:
        """A row for each measure with all that is known of it."""
        return gate_sheets.tidy(self)

    def plain(self) -> dict[str, Any]:
        """All of it."""
        return gate_sheets.plain(self)

    def page(self) -> str:
        """The report as one HTML file: the verdict, what got worse and by how many margins, all.

        Raises `hasim.report.html.library.NoLibraryError` without the extra ``report``.
        """
        from hasim.findings.gate_page import gate_page
        from hasim.report.html.page import html_page

        return html_page(gate_page(self, self.paper()))

    def render(self, form: str) -> str:
        """As one of the forms of every finding, ``junit`` or ``benchmark-action``."""
        match form:
            case "junit":
                return as_junit(self)
            case "benchmark-action":
                return gate_sheets.as_benchmark_action(self)
        if form not in FORMS:
            known = ", ".join((*FORMS, *OWN_FORMS))
            raise ValueError(f"unknown form {form!r}; expected one of {known}")
        return Finding.render(self, form)

    def __repr__(self) -> str:
        return f"<GateReport of {self.suite}: {gate_sheets.headline(self).text}>"
