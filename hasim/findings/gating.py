"""What `hasim.bench` found, for a notebook or a program."""

from __future__ import annotations

import dataclasses

from hasim.report import gate as report
from hasim.report import page
from hasim.study.gate import outcome


class GateReport(outcome.GateReport):
    """The outcome of a suite against its baseline, which shows itself in Jupyter."""

    __slots__ = ()

    @classmethod
    def of(cls, found: outcome.GateReport) -> GateReport:
        """The same, with what is for showing it."""
        return cls(**{f.name: getattr(found, f.name) for f in dataclasses.fields(found)})

    def render(self, style: str) -> str:
        """As ``markdown``, ``junit``, ``json`` or ``benchmark-action``."""
        return report.render(self, style)

    def _repr_html_(self) -> str:
        """The verdict, all measures worst first, and the remarks."""
        rows = [report.fields(one) for one in self.worst_first]
        table = page.table(report.COLUMNS, rows) if rows else ""
        lines = "".join(map(page.paragraph, report.remarks(self)))
        return page.paragraph(report.headline(self)) + table + lines

    def __repr__(self) -> str:
        return f"<GateReport of {self.suite}: {report.headline(self)}>"
