"""The page of a run: verdict, tables, figures, incidents (see `hasim.report.html`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hasim.findings import limits, losses, page_incidents
from hasim.findings.decisions import chosen
from hasim.findings.estimated import Estimated
from hasim.findings.page_alerts import alerts_sheet
from hasim.findings.page_load import LATENCY, LOAD, over_time
from hasim.report.format import estimate_text
from hasim.report.html import charts
from hasim.report.html.dots import dots
from hasim.report.html.page import Block, Chart, Explorer, Grid, Page, Section
from hasim.report.sheet import Column, Field, Paper, Sheet, Value
from hasim.report.titles import title
from hasim.study.execution.replication import simulate_cell
from hasim.study.reference import as_text

if TYPE_CHECKING:
    from hasim.journal import Journal

MOST_DETAILS = 12
"""Incidents that are taken apart unless others are asked for."""


def page(
    result: Estimated,
    paper: Paper,
    measures: Sequence[str],
    best: str = "",
    incidents: Sequence[int] = (),
) -> Page:
    """The page of a run, whose `paper` shows these `measures`; `best` is the one that decides.

    `incidents` (numbers from 1) are taken apart, each with its replication simulated again; none:
    the one with the longest outage of each cell. Raises LookupError for one that there is not.
    """
    shown = result.head(limits.SHOWN)
    names = losses.names_of(shown)
    said = [line for sheet in paper.sheets for line in sheet.said]
    sheets = [replace(sheet, said=()) for sheet in paper.sheets]
    sheets[0] = replace(sheets[0], caption="Estimates with their 95 % intervals")
    details, journals = _details(shown, names, incidents)
    sections = [
        Section("What to set", list(_choice(shown, names, best))),
        Section("Results", sheets),
        Section("Estimates", list(_estimates(shown, names, measures))),
        Section("Detection and failover", list(_courses(shown))),
        Section("What the time was lost on", list(_losses(shown))),
        Section("Alerts against truth", [alerts_sheet(shown, names)]),
        Section("Load and latency", list(_load(journals))),
        Section("Incidents", list(_explorer(result, shown, details))),
    ]
    return Page(
        shown.name,
        _headline(result, said),
        said if result.study.expect else said[1:],
        [section for section in sections if section.blocks],
        [*paper.said, *paper.notes],
    )


# -- the verdict ------------------------------------------------------------------------------


def _headline(result: Estimated, said: Sequence[str]) -> Field:
    """Whether all that is expected holds; else what follows, or how much was looked at."""
    found = [verdict.verdict for cell in result.verdicts for verdict in cell]
    if not found and said:
        return Field(said[0])
    if not found:
        count, cells = len(result.incidents), len(result.cells)
        return Field(f"{count:,} incidents in {cells} {'cell' if cells == 1 else 'cells'}.")
    failed, open_ = found.count("fail"), found.count("undecided")
    kept = found.count("pass")
    words = f"Of {len(found)} expectations {kept} hold, {failed} do not, {open_} are undecided."
    return Field(words, mood="bad" if failed else "open" if open_ else "good")


def _choice(result: Estimated, names: Mapping[int, str], by: str) -> Iterator[Block]:
    """The settings of the best cell, and by how much others are behind."""
    best = chosen(
        result.cells,
        result.estimates,
        lambda cell: list(result.measured(cell).values()),
        by or None,
    )
    if best is None:
        return
    if not best.decided:
        yield (
            f"By {title(best.measure)} no cell is surely better than another: keep what you have, "
            "or choose by what costs less."
        )
        return
    varied = dict(result.cells)[best.cell]
    settings: list[list[Value]] = [[Field(path), Field(as_text(v))] for path, v in varied.items()]
    yield Sheet([Column("setting", code=True), Column("value", code=True)], settings, "Set")
    yield f"{title(best.measure).capitalize()} is then {estimate_text(best.estimate)}."
    rows: list[list[Value]] = [[names[cell], behind, "worse"] for cell, behind in best.behind]
    rows += [[names[cell], "", "not told apart"] for cell in best.alike]
    rows += [[names[cell], "", "not known"] for cell in best.unknown]
    gap = f"{title(best.measure)}, minus that of the best"
    yield Sheet(
        [Column("other cell"), Column(gap, align="right"), Column("judgement")],
        rows,
        "By how much, and how surely",
        notes=["Paired differences with 95 % intervals; judged with Bonferroni's correction."],
    )


# -- figures ----------------------------------------------------------------------------------


def _estimates(
    result: Estimated, names: Mapping[int, str], measures: Sequence[str]
) -> Iterator[Block]:
    found = list(_dots(result, names, measures))
    if found:
        yield Grid(found)


def _dots(result: Estimated, names: Mapping[int, str], measures: Sequence[str]) -> Iterator[Chart]:
    for measure in measures:
        rows = []
        for (index, _), own in zip(result.cells, result.estimates, strict=True):
            found = own.get(measure)
            if found is not None and found.value is not None:
                rows.append((names[index], found.value, found.low, found.high))
        if rows:
            unit = next(own[measure].unit for own in result.estimates if measure in own)
            name = f"estimate-{measure.replace('.', '-')}"
            yield dots(name, title(measure).capitalize(), rows, unit)


def _courses(result: Estimated) -> Iterator[Block]:
    detected = losses.detections(result)
    if any(detected.values()):
        yield charts.survival(
            "detection",
            "Detection time",
            detected,
            done="detected",
            pending="undetected",
            since="time since the start of the incident",
        )
    restored = losses.failovers(result)
    if any(restored.values()):
        yield charts.survival(
            "failover",
            "Failover time",
            restored,
            done="restored",
            pending="unfinished",
            since="time since the declaration",
        )


def _losses(result: Estimated) -> Iterator[Block]:
    phases = losses.phases(result)
    if any(phases.values()):
        yield charts.stacked(
            "phases",
            "Phases of an outage",
            "Mean seconds of each phase over the incidents that took service down: until the "
            "master was suspected, until it was declared, then each step of the failover; then "
            "what kept the clients that followed, on average: names that stood for the old master "
            "still, pools of connections to it, staying there until an error.",
            phases,
            axis="seconds per incident",
            unit="s",
        )
    causes = losses.causes(result)
    if not any(any(own.values()) for own in causes.values()):
        return
    yield charts.stacked(
        "causes",
        "Unavailability by cause",
        "Share of all time in which any partition was down, by what it was spent on.",
        causes,
        axis="share of time",
        unit="share",
    )


def _load(journals: Mapping[str, Journal]) -> Iterator[Block]:
    if not journals:
        return
    load, latency = over_time(journals)
    about = "Of one replication of each cell: that of its incident below."
    yield charts.over_time(
        "load", "Messages per second", about, load, axis="messages per second", kinds=LOAD
    )
    if any(value is not None for value in latency["value"]):
        yield charts.over_time(
            "latency",
            "Latency of answered messages",
            f"{about} Median and 99th percentile by the time of arrival.",
            latency,
            axis="latency",
            kinds=LATENCY,
            seconds=True,
        )


# -- incidents ------------------------------------------------------------------------------


def _details(
    result: Estimated, names: Mapping[int, str], incidents: Sequence[int]
) -> tuple[dict[int, dict[str, Any]], dict[str, Journal]]:
    """What is known of some incidents, and the journal of one replication of each cell."""
    found: dict[int, dict[str, Any]] = {}
    journals: dict[str, Journal] = {}
    for number in incidents or page_incidents.longest(result)[:MOST_DETAILS]:
        row = result.incident(number)
        name = names.get(row["cell"], f"cell {row['cell']}")
        journal = simulate_cell(result.loaded, row["cell"], row["replication"], messages=True)
        result.check_incident(number, journal)
        found[number] = page_incidents.detail(number, name, row, journal)
        journals.setdefault(name, journal)
    return found, journals


def _explorer(
    whole: Estimated, shown: Estimated, details: Mapping[int, Mapping[str, Any]]
) -> Iterator[Block]:
    if shown.incidents.empty:
        return
    if shown is not whole:
        yield "Of the cells above; all are in incidents.parquet."
    yield (
        "Those with a star have a timeline with every check, failed message, alert and step; the "
        "others what their row says. A press on a bar marks what was told then, a press on a time "
        "shows it on the axis. With the keyboard: plus and minus zoom, arrows move, 0 shows all."
    )
    folder = "RUN" if whole.folder is None else whole.folder.name
    command = f"hasim explain {folder} --incident {{}}"
    yield Explorer(page_incidents.columns(shown), page_incidents.WORDS, details, command)
