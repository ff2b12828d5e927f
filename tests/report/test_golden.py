"""Each finding as people read it: in a terminal of 80 columns, and as Markdown.

The files in ``golden`` were read by somebody before they were kept. After a change that is meant,
``pytest tests/report/test_golden.py --regenerate`` writes them anew; read what has changed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hasim.findings.comparison import OfTwoRuns, WithBaseline
from hasim.findings.differences import across
from hasim.findings.lists import Settings
from hasim.findings.operations import churn_sheet, operations_sheet
from hasim.findings.stopping import stopping_sheet
from hasim.findings.summary import basis, summary_sheet, verdict_sheet
from hasim.report.finding import Finding
from hasim.report.sheet import Paper
from hasim.study.comparing.compare import Compared
from hasim.study.estimates.statistics import Interval
from hasim.study.reference import Described
from tests.findings.examples import (
    CELLS,
    CHURN,
    DIFFERENCES,
    OPERATIONS,
    REPORT,
    STOPPING,
    SUMMARIES,
    THREE,
    VERDICTS,
    OnPaper,
    budget_cell,
    budgets,
)

GOLDEN = Path(__file__).parent / "golden"
BASELINE = {"balancing.algorithm": "round-robin"}
COMPARED = [
    Compared(one.cell, dict(THREE)[one.cell], one.measure, one.difference, one.p, one.verdict, 0)
    for one in DIFFERENCES
]
FINDINGS: dict[str, Finding] = {
    "run": OnPaper(
        Paper(
            [
                summary_sheet(CELLS, SUMMARIES),
                across(THREE, DIFFERENCES, BASELINE),
                stopping_sheet(CELLS, STOPPING),
                operations_sheet(CELLS, OPERATIONS),
                churn_sheet(CELLS, CHURN),
                verdict_sheet(CELLS, VERDICTS, ["Of all 4,000 cells: 3,999 pass, 1 fail."]),
            ],
            notes=basis(CELLS, SUMMARIES, seed=7, replications=50),
        )
    ),
    "two-runs": OfTwoRuns(COMPARED),
    "baseline": WithBaseline(THREE, COMPARED, BASELINE),
    "budget": budgets(
        budget_cell(quiet=True, plain=Interval(8e-6, 7e-6, 9e-6, 20, "Student t")),
    ),
    "gate": REPORT,
    "settings": Settings(
        [
            Described(
                "detection",
                "detection.interval",
                "duration",
                (),
                (),
                "30s",
                "Time between probes of a master whose verdict is settled.",
                "HAProxy inter",
                "above 0",
            ),
            Described(
                "detection",
                "detection.when",
                "",
                ("always", "in-doubt"),
                ("", ""),
                "always",
                "`in-doubt`: a master that is declared healthy is not probed, others watch it.",
                "",
            ),
            Described(
                "failover",
                "failover.selection",
                "",
                ("priority", "freshest"),
                ("The lowest priority number.", "The copy that lags least."),
                "[priority]",
                "The rules that choose the backup, in this order.",
                "",
            ),
        ]
    ),
}
FORMS = ("table", "markdown")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_reads_as_it_did(name, form, monkeypatch, request):
    monkeypatch.setenv("COLUMNS", "80")
    text = FINDINGS[name].render(form)
    path = GOLDEN / f"{name}.{form}.txt"
    if request.config.getoption("--regenerate"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FINDINGS)
def test_no_number_is_cut_in_80_columns(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    finding = FINDINGS[name]
    text = finding.render("table")
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for sheet in finding.paper(brief=True).sheets:
        for row in sheet.fields():
            for column, field in zip(sheet.columns, row, strict=True):
                if column.align == "right":
                    assert field.text in text or all(line in text for line in field.lines)


def test_no_golden_file_is_left_over():
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"{name}.{form}.txt" for name in FINDINGS for form in FORMS
    }
