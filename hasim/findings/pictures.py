"""The figures of a run: which there are, and what is drawn in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hasim.findings import limits, losses
from hasim.findings.courses import course_around, latencies
from hasim.findings.decisions import CRITERIA
from hasim.findings.estimated import Estimated
from hasim.findings.swept import Axis, axes_of, lines_of, number_of
from hasim.report import courses, figures, stacks, sweeps
from hasim.report.cells import labels
from hasim.report.timeline import timeline_rows
from hasim.report.titles import GLANCE
from hasim.study.execution.replication import simulate_cell
from hasim.units import nanoseconds, seconds

if TYPE_CHECKING:
    from matplotlib.figure import Figure


FIGURES = (
    "intervals",
    "detection",
    "failover",
    "phases",
    "causes",
    "latency",
    "course",
    "load",
    "timeline",
    "curve",
    "heat-map",
)
"""The figures that there are of a run."""
IN_FOLDER = ("intervals", "detection", "timeline", "curve", "heat-map")
"""Those that its folder gets."""


def draw(found: Estimated) -> dict[str, Figure]:
    """The figures that a run's folder gets, as far as there are data for them, by name."""
    drawn = {name: figure_of(found, name) for name in IN_FOLDER}
    return {name: figure for name, figure in drawn.items() if figure is not None}


def figure_of(
    found: Estimated, name: str, measures: Sequence[str] = figures.INTERVAL_MEASURES
) -> Figure | None:
    """One of `FIGURES`, with these `measures` if it is ``intervals``; None without data for it.

    Raises LookupError for any other name.
    """
    match name:
        case "intervals":
            return figures.interval_plot(found.cells, found.estimates, measures)
        case "detection":
            observed = losses.detections(found)
            return figures.detection_ecdf(observed) if any(observed.values()) else None
        case "failover":
            observed = losses.failovers(found)
            return figures.failover_ecdf(observed) if any(observed.values()) else None
        case "phases":
            parts = losses.phases(found)
            return stacks.phase_bars(parts) if any(parts.values()) else None
        case "causes":
            spent = losses.causes(found)
            none = not any(any(own.values()) for own in spent.values())
            return None if none else stacks.cause_bars(spent)
        case "latency":
            seen = latencies(found)
            return courses.latency_ecdf(seen) if any(seen.values()) else None
        case "course" | "load":
            worst = _worst_incident(found)
            return None if worst is None else _course(found, worst, name)
        case "curve":
            return _curve(found, measures)
        case "heat-map":
            return _heat_map(found, measures)
        case "timeline":
            worst = _worst_incident(found)
            return None if worst is None else _timeline(found, worst)
    raise LookupError(f"no figure {name!r}; there are {', '.join(FIGURES)}")


def _curve(found: Estimated, measures: Sequence[str]) -> Figure | None:
    """The measures over the number that is swept; None if none is."""
    axes = axes_of(found.cells)
    if not axes:
        return None
    summaries = dict(zip((n for n, _ in found.cells), found.estimates, strict=True))
    curves = [
        sweeps.Curve(line.label, [(x, summaries[cell]) for x, cell in line.points])
        for line in lines_of(found.cells, axes[0])
    ]
    return sweeps.curve_plot(_swept(axes[0]), curves, measures)


def _heat_map(found: Estimated, measures: Sequence[str]) -> Figure | None:
    """The first measure that all cells have over two numbers; None unless nothing else varies."""
    axes = axes_of(found.cells)
    varied = {path for _, own in found.cells for path in own}
    if len(axes) != 2 or len(varied) != 2:
        return None
    summaries = dict(zip((n for n, _ in found.cells), found.estimates, strict=True))

    def known(measure: str) -> bool:
        return all(measure in s and s[measure].value is not None for s in summaries.values())

    measure = next(filter(known, (*CRITERIA, *measures)), None)
    if measure is None:
        return None
    places = {
        (_number(own[axes[0].path]), _number(own[axes[1].path])): summaries[cell][measure]
        for cell, own in found.cells
    }
    return sweeps.heat_map(_swept(axes[0]), _swept(axes[1]), places, measure)


def _number(value: object) -> float:
    read = number_of(value)
    assert read is not None, "an axis has numbers alone"
    return read[1]


def _swept(axis: Axis) -> sweeps.Swept:
    return sweeps.Swept(axis.path, axis.unit, axis.values)


def glance(found: Estimated) -> Figure | None:
    """A small figure of two measures, if there is anything to draw."""
    shown = found.head(limits.DRAWN)
    if not shown.cells:
        return None
    figure = figures.interval_plot(shown.cells, shown.estimates, GLANCE)
    figure.set_dpi(72)
    return figure


def _worst_incident(found: Estimated) -> int | None:
    """The number of the incident with the longest outage, the first of equals; None without."""
    worst, longest_s = None, 0.0
    frame = found.incidents
    outages = frame["outage_s"].fillna(frame["outage_censored_s"])
    for number, outage_s in zip(frame["incident"], outages, strict=True):
        if outage_s > longest_s:  # never true of a missing one
            worst, longest_s = int(number), float(outage_s)
    return worst


def _course(found: Estimated, number: int, name: str) -> Figure | None:
    """The messages around one incident; its replication is simulated again, with single ones."""
    row = found.incident(number)
    journal = simulate_cell(found.loaded, row["cell"], row["replication"], messages=True)
    found.check_incident(number, journal)
    course = course_around(journal, row)
    if course is None:
        return None
    title = _of_incident(found, number, row)
    draw_it = courses.course_plot if name == "course" else courses.load_plot
    return draw_it(course, title)


def _of_incident(found: Estimated, number: int, row: Mapping[str, Any]) -> str:
    cell = labels(found.cells)[[index for index, _ in found.cells].index(row["cell"])]
    return f"Incident {number}, the longest outage ({cell}): {row['kind']} at {row['master']}"


def _timeline(found: Estimated, number: int) -> Figure:
    """What happened in one incident, from shortly before it until service was restored."""
    row = found.incident(number)
    journal = found.journal(row["cell"], row["replication"])
    start_s, run_s = row["started_at_s"], seconds(journal.horizon_ns)
    end_s = run_s if row["restored_at_s"] is None else row["restored_at_s"]
    margin_s = 0.2 * (end_s - start_s)
    rows = timeline_rows(
        journal,
        nanoseconds(max(0.0, start_s - margin_s)),
        nanoseconds(min(run_s, end_s + margin_s)),
    )
    title = _of_incident(found, number, row)
    return figures.incident_timeline(rows, origin_s=start_s, title=title)
