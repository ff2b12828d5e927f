"""What `hasim objectives` found: an objective over windows, its error budget, and who was paged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hasim.burn import limit_of
from hasim.measures.objectives import Objective, Spent, calendar, downs_of_rows, worst_rolling
from hasim.report.cells import Cell, heading, labels
from hasim.report.finding import Finding
from hasim.report.format import percent, seconds, significant
from hasim.report.sheet import Column, Field, Paper, Sheet, Value
from hasim.units import DAY, HOUR, MINUTE, SECOND, format_duration, format_percent

if TYPE_CHECKING:
    from hasim.findings.result import Result
    from hasim.measures import Measured

WORKBOOK = ((14.4, HOUR, 5 * MINUTE), (6.0, 6 * HOUR, 30 * MINUTE), (3.0, DAY, 2 * HOUR),
            (1.0, 3 * DAY, 6 * HOUR))  # fmt: skip
"""Burn rate, long and short window of the alerts that the SRE workbook recommends (chapter 5)."""


@dataclass(frozen=True)
class Kept:
    """A cell: each replication's calendar windows and its worst rolling one, and who was paged."""

    cell: Cell
    windows: tuple[Spent, ...]
    worst: Spent | None
    burns: tuple[int, ...]
    struck: int
    paged: int
    needless: int


@dataclass(frozen=True)
class Objectives(Finding):
    """The objective of a run's scenario, or another one, over windows of the run."""

    objective: Objective
    cells: tuple[Kept, ...]

    @classmethod
    def of(cls, result: Result, objective: Objective) -> Objectives:
        """Of a run folder, or a result. Raises StoreError if the folder holds something else."""
        return cls(
            objective,
            tuple(
                _kept(cell, list(result.measured(cell[0]).values()), objective)
                for cell in result.cells
            ),
        )

    def paper(self, *, brief: bool = False) -> Paper:
        """A row for each cell: the windows, then the pages."""
        cells = [kept.cell for kept in self.cells]
        names = ("windows\nkept", "budget\nleft", "worst\nwindow", "burn\nrate")
        columns = [
            Column(heading(cells)),
            *(Column(name, align="right") for name in names),
            Column("burn-rate alerts\n1h, 6h, 1d, 3d", align="right"),
            Column("faults\npaged", align="right"),
            Column("pages\nneedless", align="right"),
        ]
        rows = [
            [label, *_fields(kept)] for label, kept in zip(labels(cells), self.cells, strict=True)
        ]
        counted = "counts" if self.objective.maintenance else "is left out"
        said = (
            f"Up {format_percent(self.objective.share)} of every "
            f"{format_duration(self.objective.window_ns)}: "
            f"{format_duration(self.objective.allowed_ns)} of downtime are allowed. Downtime of "
            f"planned switchovers {counted}."
        )
        return Paper([Sheet(columns, rows, said=[said])], notes=NOTES)

    def tidy(self) -> Sheet:
        """A row for each calendar window."""
        columns = ("cell", "started_at_s", "ended_at_s", "down_s", "left", "burn_rate", "kept")
        rows: list[list[Value]] = [
            [kept.cell[0], *(getattr(window, name) for name in columns[1:])]
            for kept in self.cells
            for window in kept.windows
        ]
        return Sheet([Column(name) for name in columns], rows)

    @property
    def failed(self) -> bool:
        """Whether any window of any cell has used up more than its budget."""
        return any(not window.kept for kept in self.cells for window in kept.windows)


NOTES = (
    "Windows: one after the other from the start of each replication; the worst is of those that "
    "end at any moment, with its burn rate. Budget left: mean of the windows.",
    "Burn-rate alerts: how often a replication has one, on average, of the SRE workbook's four "
    "(14.4 over 1h and 5m, 6 over 6h and 30m, 3 over 1d and 2h, 1 over 3d and 6h), by the downtime "
    "that there really was; -: the objective allows so much that it can never fire.",
    "Pages are alerts of the monitor that became critical (`monitor.alerts`).",
)


def _kept(cell: Cell, runs: Sequence[Measured], objective: Objective) -> Kept:
    worst = [
        found
        for run in runs
        if (found := worst_rolling(run.downs, objective, run.horizon_s)) is not None
    ]
    faults = [row for run in runs for row in run.faults if row.impairing]
    return Kept(
        cell,
        tuple(w for run in runs for w in calendar(run.downs, objective, run.horizon_s)),
        max(worst, key=lambda found: found.down_s, default=None),
        tuple(
            sum(burns(run, objective, *rule) for run in runs) if runs else 0 for rule in WORKBOOK
        ),
        len(faults),
        sum(row.pages > 0 for row in faults),
        sum(run.needless_pages for run in runs),
    )


def burns(run: Measured, objective: Objective, rate: float, long_ns: int, short_ns: int) -> int:
    """How often both windows begin to burn so fast, by the downtime that there really was."""
    return sum(1 for _ in alerts(run, objective, rate, long_ns, short_ns))


def alerts(
    run: Measured, objective: Objective, rate: float, long_ns: int, short_ns: int
) -> Iterator[int]:
    """When both windows begin to burn so fast (nanoseconds), to the nanosecond."""
    downs = downs_of_rows(run.downs, maintenance=objective.maintenance)
    limits = [(w, limit_of(rate, objective.share, w)) for w in (long_ns, short_ns)]
    now, horizon_ns, firing = 0, round(run.horizon_s * SECOND), False
    while True:
        holds = all(downs.within(now, window) >= limit for window, limit in limits)
        if holds and not firing:
            yield now
        firing = holds
        turns = [downs.turns(now, window, limit) for window, limit in limits]
        later = [turn for turn in turns if turn is not None]
        if not later or min(later) >= horizon_ns:
            return
        now = min(later)


def _fields(kept: Kept) -> list[Value]:
    windows = kept.windows
    left = [window.left for window in windows if window.left is not None]
    good = sum(window.kept for window in windows)
    worst = kept.worst
    return [
        Field(f"{good} of {len(windows)}", value=good / len(windows) if windows else None),
        _percent(sum(left) / len(left) if left else None),
        None if worst is None else Field(seconds(worst.down_s), value=worst.down_s),
        None
        if worst is None or worst.burn_rate is None
        else Field(significant(worst.burn_rate), value=worst.burn_rate),
        ", ".join(map(str, kept.burns)),
        Field(f"{kept.paged} of {kept.struck}", value=_share(kept.paged, kept.struck)),
        kept.needless,
    ]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> Any:
    return None if share is None else Field(percent(share), value=share)


def objectives(
    run: Result | str | Path,
    *,
    objective: float | None = None,
    window_ns: int | None = None,
    maintenance: bool = True,
) -> Objectives:
    """A run (a result, or its folder) judged by an objective: windows, budgets, burn rates, pages.

    `objective` is a share of time, `window_ns` what it is stated for; by default those of the
    scenario's first cell (`monitor.objective`, `monitor.period`), the window as long as the run if
    that is shorter. `maintenance`: whether downtime of planned switchovers counts. Raises
    ValueError for an objective that is no share or a window that is no time, StoreError for what is
    no run folder.
    """
    from hasim.findings.result import Result
    from hasim.study.folder.reading import open_run

    if isinstance(run, str | Path):
        result = Result(open_run(Path(run)), folder=Path(run))
    else:
        result = run
    world = result.loaded.cells[0].world
    monitor = world.apart[0].monitor
    share = monitor.objective if objective is None else objective
    window = min(monitor.period_ns, world.horizon_ns) if window_ns is None else window_ns
    if not 0.0 < share <= 1.0:
        raise ValueError(f"objective must be a share of time, above 0 and at most 1, got {share}")
    if window < 1:
        raise ValueError(f"window_ns must be at least 1, got {window}")
    return Objectives.of(result, Objective(share, window, maintenance))
