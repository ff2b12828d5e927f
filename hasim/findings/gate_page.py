"""The page of a gate: the verdict, what got worse and by how many margins, what changed, all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hasim.findings.gate_sheets import worse_by
from hasim.report.format import significant
from hasim.report.html.margins import Worse, margin_chart
from hasim.report.html.page import Block, Page, Section
from hasim.report.sheet import Column, Field, Paper, Sheet, Value
from hasim.study.gate import Change, Comparison, GateReport

MOST = 40
"""Measures that the figure shows: the worst."""


def gate_page(report: GateReport, paper: Paper) -> Page:
    """The page; the verdict stands first."""
    sections = [
        Section("What got worse or better", list(_worse(report))),
        Section("What behaves otherwise", list(_changes(report.changes))),
        Section("How fast it runs", list(_speeds(report))),
        Section("All measures", [replace(sheet, caption="Worst first") for sheet in paper.sheets]),
    ]
    kept = [section for section in sections if section.blocks]
    return Page(paper.title, paper.headline, paper.said, kept, paper.notes)


def _worse(report: GateReport) -> Iterator[Block]:
    """The figure of those that differ, and how many there are besides."""
    differ = [one for one in report.worst_first if not one.identical]
    shown = [one for one in differ if one.difference is not None and one.margin]
    same = len(report.comparisons) - len(differ)
    if same:
        yield f"{same} of {len(report.comparisons)} measures are identical to the baseline."
    if shown:
        yield margin_chart([_in_margins(one) for one in shown[:MOST]])
    missing = len(differ) - min(len(shown), MOST)
    if missing:
        yield f"{missing} more stand in the table of all measures, and in no figure."


def _in_margins(one: Comparison) -> Worse:
    assert one.difference is not None, "those alone are drawn of which it is known"
    value, low, high = (x / one.margin for x in (one.difference, one.lower, one.upper))
    return Worse(f"{one.cell}: {one.measure}", one.verdict, value, low, high, worse_by(one).text)


def _changes(changes: Sequence[Change]) -> Iterator[Block]:
    rows: list[list[Value]] = []
    for change in changes:
        rows += [[change.cell, path, *pair] for path, pair in change.settings.items()]
        rows += [[change.cell, name, *pair] for name, pair in change.counters.items()]
    if rows:
        names = ("scenario", "setting or count", "baseline", "now")
        note = "Counts are those of all replications that differ: events, probes, orders."
        yield Sheet(
            [*map(Column, names[:2]), *(Column(name, align="right") for name in names[2:])],
            rows,
            "Settings and counts that changed",
            notes=[note],
            names=2,
        )


def _speeds(report: GateReport) -> Iterator[Block]:
    if not report.speeds:
        return
    rows: list[list[Value]] = [
        [
            one.cell,
            Field(
                f"{significant(one.ratio)} [{significant(one.lower)}, {significant(one.upper)}]",
                value=one.ratio,
                mood="bad" if one.slower else "",
            ),
            one.limit,
            one.n,
        ]
        for one in report.speeds
    ]
    columns = [Column("scenario"), *(Column(n, align="right") for n in ("times", "limit", "n"))]
    role = "a slower program is a regression" if report.speed else "it decides nothing"
    note = f"Time of a replication over that of the baseline, with its bounds; {role}."
    yield Sheet(columns, rows, "Times as long as at the baseline", notes=[note])
