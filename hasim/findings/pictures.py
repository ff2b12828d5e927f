"""The figures of a run: which there are, and what is drawn in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hasim.findings import limits
from hasim.findings.estimated import Estimated
from hasim.report import figures
from hasim.report.cells import labels
from hasim.report.timeline import timeline_rows
from hasim.report.titles import GLANCE
from hasim.units import nanoseconds, seconds

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(found: Estimated) -> dict[str, Figure]:
    """The figures that a run has data for, by name."""
    names = labels(found.cells)
    detection = {
        name: _detections(found, index) for name, (index, _) in zip(names, found.cells, strict=True)
    }
    drawn = {"intervals": figures.interval_plot(found.cells, found.estimates)}
    if any(detection.values()):
        drawn["detection"] = figures.detection_ecdf(detection)
    worst = _worst_incident(found)
    if worst is not None:
        drawn["timeline"] = _timeline(found, worst)
    return drawn


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
    cell = labels(found.cells)[[index for index, _ in found.cells].index(row["cell"])]
    title = f"Incident {number}, the longest outage ({cell}): {row['kind']} at {row['master']}"
    return figures.incident_timeline(rows, origin_s=start_s, title=title)


def _detections(found: Estimated, cell: int) -> list[tuple[float, bool]]:
    """(seconds, censored) of each incident of a cell that counts for detection."""
    times = []
    for measured in found.measured(cell).values():
        for incident in measured.incidents:
            if incident.detection_s is not None:
                times.append((incident.detection_s, False))
            elif incident.censored_s is not None:
                times.append((incident.censored_s, True))
    return times
