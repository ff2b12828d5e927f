"""A result as files in its run folder: tables, summary, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hasim.findings.frames import write_frames
from hasim.findings.result import SHOWN, SUMMARISED, TABLES, Result
from hasim.report import differences, figures, table
from hasim.report.cells import labels
from hasim.report.timeline import timeline_rows
from hasim.settings import plain
from hasim.units import nanoseconds, seconds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hasim.scenario.loader import Loaded
    from hasim.study.planning.study import Study

SOMETIMES = ("stopping", "warm_up", "operations", "transients", "churn")
"""Tables that are only written if there is anything in them."""
SUMMARIES = {"json": "summary.json", "csv": "summary.csv", "markdown": "summary.md"}


class Exported:
    """What a study ended in: its result, whose files are written while its folder is locked."""

    result: Result
    figures: tuple[Path, ...] = ()

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def __call__(self, study: Study, loaded: Loaded) -> None:
        """Take the finished study; `export` of `hasim.study.execution.runner.run_study`."""
        self.result = Result(study, loaded=loaded, folder=self._folder)
        if self._folder is not None:
            self.figures = tuple(export(self.result, self._folder))


def export(result: Result, folder: Path) -> list[Path]:
    """Write the frames, tables, summary and figures of a run; the paths of the figures.

    The frames hold all cells, the others the first, if there are very many.

    Raises OSError if the folder cannot be written.
    """
    write_frames(result, folder)
    result = result.head(SUMMARISED)
    for name in (*TABLES, "balance"):
        frame = getattr(result, name)
        frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    for name in SOMETIMES:
        frame, path = getattr(result, name), folder / f"{name}.csv"
        path.unlink(missing_ok=True)  # of a study with another rule, or without operations or keys
        if not frame.empty:
            frame.to_csv(path, index=False, lineterminator="\n")
    (folder / "differences.csv").unlink(missing_ok=True)
    if result.compared:
        result.head(SHOWN).differences().to_csv(
            folder / "differences.csv", index=False, lineterminator="\n"
        )
    for style, name in SUMMARIES.items():
        (folder / name).write_text(rendered(result, style), encoding="utf-8")
    made = []
    for name, figure in draw(result.head(SHOWN)).items():
        (folder / "figures").mkdir(exist_ok=True)
        path = folder / "figures" / f"{name}.png"
        figures.save(figure, path)
        made.append(path)
    return made


def rendered(result: Result, style: str) -> str:
    """The summary as ``json``, ``csv`` or ``markdown``: without times, paths or machine facts.

    Of very many cells it holds the first; a note says so.
    """
    result = result.head(SHOWN if style == "markdown" else SUMMARISED)
    header: dict[str, Any] = {
        "scenario": result.name,
        "seed": result.seed,
        "replications": plain(result.study.replications),
        "notes": list(result.notes),
    }
    if result.compared:
        header["baseline"] = dict(result.study.baseline)
        header["differences"] = differences.plain(result.compared)
    stopping = result.stopping
    if not stopping.empty:
        columns = ["cell", "replications", "stopped", "missing"]
        header["stopping"] = stopping[columns].to_dict("records")
    verdicts = [
        [
            {
                "measure": verdict.measure,
                "limit": verdict.text,
                "verdict": verdict.verdict,
                "by_how_much": verdict.by_how_much,
            }
            for verdict in cell
        ]
        for cell in result.verdicts
    ]
    text = table.render(
        style,
        result.cells,
        result.estimates,
        header=header,
        verdicts=verdicts if result.study.expect else None,
    )
    if style != "markdown":
        return text
    text += _difference_lines(result) + _stopping_lines(result)
    return text + "".join(f"\n{line}\n" for line in result.notes)


def _difference_lines(result: Result) -> str:
    """The cells minus their baseline, as Markdown."""
    if not result.compared:
        return ""
    what = f"minus {differences.named(result.study.baseline)}"
    return "\n" + differences.as_markdown(result.cells, result.compared, what)


def _stopping_lines(result: Result) -> str:
    """For each cell of a study that runs to a precision what ended it, as Markdown."""
    frame = result.stopping
    if frame.empty:
        return ""
    lines = ["", "| cell | replications | stopped by | missing |", "| --- | ---: | --- | --- |"]
    rows = zip(
        labels(result.cells), frame["replications"], frame["stopped"], frame["missing"], strict=True
    )
    lines += [
        f"| {name} | {count} | {by or 'not ended'} | {missing} |"
        for name, count, by, missing in rows
    ]
    return "\n".join(lines) + "\n"


def draw(result: Result) -> dict[str, Figure]:
    """The figures that a result has data for, by name."""
    names = labels(result.cells)
    detection = {
        name: _detections(result, index)
        for name, (index, _) in zip(names, result.cells, strict=True)
    }
    drawn = {"intervals": figures.interval_plot(result.cells, result.estimates)}
    if any(detection.values()):
        drawn["detection"] = figures.detection_ecdf(detection)
    worst = _worst_incident(result)
    if worst is not None:
        drawn["timeline"] = _timeline(result, worst)
    return drawn


def _worst_incident(result: Result) -> int | None:
    """The number of the incident with the longest outage, the first of equals; None without."""
    worst, longest_s = None, 0.0
    frame = result.incidents
    outages = frame["outage_s"].fillna(frame["outage_censored_s"])
    for number, outage_s in zip(frame["incident"], outages, strict=True):
        if outage_s > longest_s:  # never true of a missing one
            worst, longest_s = int(number), float(outage_s)
    return worst


def _timeline(result: Result, number: int) -> Figure:
    """What happened in one incident, from shortly before it until service was restored."""
    row = result.incident(number)
    journal = result.journal(row["cell"], row["replication"])
    start_s, run_s = row["started_at_s"], seconds(journal.horizon_ns)
    end_s = run_s if row["restored_at_s"] is None else row["restored_at_s"]
    margin_s = 0.2 * (end_s - start_s)
    rows = timeline_rows(
        journal,
        nanoseconds(max(0.0, start_s - margin_s)),
        nanoseconds(min(run_s, end_s + margin_s)),
    )
    cell = labels(result.cells)[[index for index, _ in result.cells].index(row["cell"])]
    title = f"Incident {number}, the longest outage ({cell}): {row['kind']} at {row['master']}"
    return figures.incident_timeline(rows, origin_s=start_s, title=title)


def _detections(result: Result, cell: int) -> list[tuple[float, bool]]:
    """(seconds, censored) of each incident of a cell that counts for detection."""
    found = []
    for measured in result.measured(cell).values():
        for incident in measured.incidents:
            if incident.detection_s is not None:
                found.append((incident.detection_s, False))
            elif incident.censored_s is not None:
                found.append((incident.censored_s, True))
    return found
