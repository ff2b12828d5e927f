"""What `hasim objectives` found: an objective over windows, its error budget, and who was paged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hasim.measures.ledgers import MESSAGES, USERS, WHOLE, ledger_of
from hasim.measures.objectives import Objective, Spent, calendar, worst_rolling
from hasim.measures.paging import FaultRow
from hasim.report.cells import Cell, heading, labels
from hasim.report.finding import Finding
from hasim.report.format import number, percent, significant
from hasim.report.sheet import Column, Field, Paper, Sheet, Value
from hasim.units import DAY, HOUR, MINUTE, format_duration, format_percent, nanoseconds

if TYPE_CHECKING:
    from hasim.findings.result import Result
    from hasim.measures import Measured

WORKBOOK = ((14.4, HOUR, 5 * MINUTE), (6.0, 6 * HOUR, 30 * MINUTE), (3.0, DAY, 2 * HOUR),
            (1.0, 3 * DAY, 6 * HOUR))  # fmt: skip
"""Burn rate, long and short window of the alerts that the SRE workbook recommends (chapter 5)."""


@dataclass
class Struck:
    """The faults of one kind: how many, and of how many somebody heard, by which alert."""

    faults: int = 0
    paged: int = 0
    burnt: list[int] = field(default_factory=lambda: [0] * len(WORKBOOK))


@dataclass(frozen=True)
class Kept:
    """A cell: each replication's calendar windows and its worst rolling one, and who was paged.

    `burns` are the burn-rate alerts, `astray` those of them without a fault, by alert. `struck` is
    by kind of fault.
    """

    cell: Cell
    windows: tuple[Spent, ...]
    worst: Spent | None
    burns: tuple[int, ...]
    astray: tuple[int, ...]
    struck: dict[str, Struck]
    impairing: int
    paged: int
    needless: int


@dataclass(frozen=True)
class Objectives(Finding):
    """The objective of a run's scenario, or another one, over windows of the run."""

    objective: Objective
    cells: tuple[Kept, ...]

    @classmethod
    def judged(cls, result: Result, objective: Objective) -> Objectives:
        """A result. Raises StoreError if its folder holds something else, ValueError as above."""
        return cls(
            objective,
            tuple(
                _kept(cell, list(result.measured(cell[0]).values()), objective)
                for cell in result.cells
            ),
        )

    def paper(self, *, brief: bool = False) -> Paper:
        """A row for each cell: the windows, then the pages; then one for each kind of fault."""
        cells = [kept.cell for kept in self.cells]
        names = ("windows\nkept", "budget\nleft", "worst\nwindow", "burn\nrate")
        columns = [
            Column(heading(cells)),
            *(Column(name, align="right") for name in names),
            Column("burn-rate alerts\n1h, 6h, 1d, 3d", align="right"),
            Column("faults\npaged", align="right"),
            Column("pages\nneedless", align="right"),
        ]
        unit = "count" if self.objective.of == MESSAGES else "s"
        named = list(zip(labels(cells), self.cells, strict=True))
        rows = [[label, *_fields(kept, unit)] for label, kept in named]
        sheet = Sheet(columns, rows, said=[self._stated()])
        return Paper([sheet, by_fault(named)], notes=NOTES)

    def _stated(self) -> str:
        objective = self.objective
        share, window = format_percent(objective.share), format_duration(objective.window_ns)
        left_out = "" if objective.maintenance else " Downtime of planned switchovers is left out."
        if objective.of == MESSAGES:
            return (
                f"Answered by their deadline: {share} of the messages of every {window}, counted "
                "minute by minute."
            )
        if objective.of == USERS:
            return (
                f"With the service: {share} of the time in which users are active, of every "
                f"{window}, counted minute by minute."
            )
        sense = "" if objective.of == WHOLE else f", by {objective.of}"
        return (
            f"Up {share} of every {window}{sense}: {format_duration(objective.allowed_ns)} of "
            "downtime are allowed." + (left_out or " Downtime of planned switchovers counts.")
        )

    def tidy(self) -> Sheet:
        """A row for each calendar window."""
        bad = "failed" if self.objective.of == MESSAGES else "down_s"
        columns = ("cell", "started_at_s", "ended_at_s", bad, "left", "burn_rate", "kept")
        rows: list[list[Value]] = [
            [
                kept.cell[0],
                *(one.started_at_s, one.ended_at_s, one.bad, one.left, one.burn_rate, one.kept),
            ]
            for kept in self.cells
            for one in kept.windows
        ]
        return Sheet([Column(name) for name in columns], rows)

    @property
    def failed(self) -> bool:
        """Whether any window of any cell has used up more than its budget."""
        return any(not window.kept for kept in self.cells for window in kept.windows)


NOTES = (
    "Windows: one after the other from the start of each replication; the worst is of those that "
    "end at any moment, with its burn rate. Budget left: mean of the windows.",
    "Burn-rate alerts: how many there are in all replications, of the SRE workbook's four "
    "(14.4 over 1h and 5m, 6 over 6h and 30m, 3 over 1d and 2h, 1 over 3d and 6h), by what there "
    "really was; before a run all is taken to have been well.",
    "Pages are alerts of the monitor that became critical (`monitor.alerts`). A burn-rate alert "
    "belongs to the latest fault that had begun and was not cured for longer than its long window.",
)


def by_fault(named: Sequence[tuple[str, Kept]]) -> Sheet:
    """Which kinds of fault paged nobody, and which pages had no fault; by cell if there are more.

    Of the burn-rate alerts: how many faults had one.
    """
    several = len(named) > 1
    columns = [
        *([Column("cell")] if several else []),
        Column("fault"),
        Column("struck", align="right"),
        Column("paged", align="right"),
        *(Column(f"burnt\n{format_duration(rule[1])}", align="right") for rule in WORKBOOK),
    ]
    rows: list[list[Value]] = []
    for label, kept in named:
        first: list[Value] = [label] if several else []
        rows += [
            [*first, kind, one.faults, one.paged, *one.burnt]
            for kind, one in sorted(kept.struck.items())
        ]
        rows.append([*first, "none", None, kept.needless, *kept.astray])
    return Sheet(columns, rows, caption="Which faults paged whom", names=1 + several)


def _kept(cell: Cell, runs: Sequence[Measured], objective: Objective) -> Kept:
    windows: list[Spent] = []
    worst: list[Spent] = []
    burns, astray = [0] * len(WORKBOOK), [0] * len(WORKBOOK)
    struck: dict[str, Struck] = {}
    for run in runs:
        ledger = ledger_of(
            run, objective.of, objective.window_ns, maintenance=objective.maintenance
        )
        windows += calendar(ledger, objective)
        found = worst_rolling(ledger, objective)
        worst += [] if found is None else [found]
        for row in run.faults:
            one = struck.setdefault(row.kind, Struck())
            one.faults += 1
            one.paged += row.pages > 0
        for place, (rate, long_ns, short_ns) in enumerate(WORKBOOK):
            every = list(ledger.burns(objective.share, rate, (long_ns, short_ns)))
            behind = [_behind(run.faults, t_ns, long_ns) for t_ns in every]
            burns[place] += len(every)
            astray[place] += behind.count(None)
            for index in {one for one in behind if one is not None}:
                struck[run.faults[index].kind].burnt[place] += 1
    impairing = [row for run in runs for row in run.faults if row.impairing]
    return Kept(
        cell,
        tuple(windows),
        max(worst, key=lambda one: (one.burn_rate or 0.0, one.bad), default=None),
        tuple(burns),
        tuple(astray),
        struck,
        len(impairing),
        sum(row.pages > 0 for row in impairing),
        sum(run.needless_pages for run in runs),
    )


def _behind(faults: Sequence[FaultRow], t_ns: int, reach_ns: int) -> int | None:
    """The place of the latest fault that an alert may come from; None without any."""
    found = [
        (row.started_at_s, place)
        for place, row in enumerate(faults)
        if nanoseconds(row.started_at_s) <= t_ns
        and (row.cured_at_s is None or t_ns <= nanoseconds(row.cured_at_s) + reach_ns)
    ]
    return max(found)[1] if found else None


def alerts(
    run: Measured, objective: Objective, rate: float, long_ns: int, short_ns: int
) -> Iterator[int]:
    """When both windows begin to burn so fast (nanoseconds): by time, to the nanosecond."""
    ledger = ledger_of(run, objective.of, objective.window_ns, maintenance=objective.maintenance)
    return ledger.burns(objective.share, rate, (long_ns, short_ns))


def _fields(kept: Kept, unit: str) -> list[Value]:
    windows = kept.windows
    left = [window.left for window in windows if window.left is not None]
    good = sum(window.kept for window in windows)
    worst = kept.worst
    return [
        Field(f"{good} of {len(windows)}", value=good / len(windows) if windows else None),
        _percent(sum(left) / len(left) if left else None),
        None if worst is None else Field(number(worst.bad, unit), value=worst.bad),
        None
        if worst is None or worst.burn_rate is None
        else Field(significant(worst.burn_rate), value=worst.burn_rate),
        ", ".join(map(str, kept.burns)),
        Field(f"{kept.paged} of {kept.impairing}", value=_share(kept.paged, kept.impairing)),
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
    of: str = WHOLE,
) -> Objectives:
    """A run (a result, or its folder) judged by an objective: windows, budgets, burn rates, pages.

    `objective` is a share of time, `window_ns` what it is stated for; by default those of the
    scenario's first cell (`monitor.objective`, `monitor.period`), the window as long as the run if
    that is shorter. `maintenance`: whether downtime of planned switchovers counts. `of`: what the
    objective is stated of: ``uptime`` (every partition, of every tier), ``uptime.any``,
    ``uptime.k_of_n``, ``uptime.stateless``, ``partition:NAME``, ``tier:NAME``, ``success`` (by
    message) or ``user_uptime``. Raises ValueError for an objective that is no share, a window that
    is no time, or what the run has nothing of; StoreError for what is no run folder.
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
    return Objectives.judged(result, Objective(share, window, maintenance, of))
