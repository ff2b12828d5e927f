"""Printing results: the only place from which they go to stdout."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from hasim.findings.result import Result
    from hasim.journal import Journal


_VERDICTS = ("pass", "undecided", "fail")


def show(result: Result, style: str) -> None:
    """Print the estimates and verdicts of a run; the same bytes for the same run.

    `style` is ``table``, ``json``, ``csv`` or ``markdown``.
    """
    if style != "table":
        from hasim.findings.exports import rendered

        click.echo(rendered(result, style), nl=False)
        return
    from hasim.findings.result import SHOWN
    from hasim.report import terminal
    from hasim.report.differences import difference_table

    out, whole = terminal.console(), result
    result = whole.head(SHOWN)
    cells, summaries = result.cells, result.estimates
    out.print(terminal.summary_table(cells, summaries))
    if result.compared:
        out.print(difference_table(cells, result.compared, result.study.baseline))
    if not result.stopping.empty:
        out.print(_stopping_table(result))
    if not result.operations.empty:
        out.print(_operations_table(result))
        out.print(_operations_note())
    if not result.churn.empty:
        out.print(_churn_table(result))
    if result.study.expect:
        out.print(terminal.verdict_table(cells, result.verdicts))
        if result is not whole:
            out.print(_all_verdicts(whole))
    out.print(
        terminal.footer(
            cells,
            summaries,
            seed=result.seed,
            replications=_replications(result),
            note=" ".join(result.notes),
        )
    )


def _all_verdicts(result: Result) -> str:
    """How many of all cells keep what is expected, and the first that do not."""
    from hasim.report.cells import text

    worst = {cell: "pass" for cell, _ in result.cells}
    for (cell, _), verdicts in zip(result.cells, result.verdicts, strict=True):
        found = {verdict.verdict for verdict in verdicts}
        worst[cell] = next((v for v in ("fail", "undecided") if v in found), "pass")
    counts = [f"{sum(v == kind for v in worst.values()):,} {kind}" for kind in _VERDICTS]
    line = f"Of all {len(worst):,} cells: {', '.join(counts)}."
    failing = [(cell, varied) for cell, varied in result.cells if worst[cell] == "fail"][:3]
    for cell, varied in failing:
        line += f"\nFails: cell {cell}, " + ", ".join(f"{p}={text(v)}" for p, v in varied.items())
    return line


def _replications(result: Result) -> int | tuple[int, int]:
    """The number of replications of each cell, or the fewest and the most of a cell."""
    if isinstance(result.study.replications, int):
        return result.study.replications
    counts = result.stopping["replications"]
    fewest, most = int(counts.min()), int(counts.max())
    return fewest if fewest == most else (fewest, most)


def _stopping_table(result: Result) -> Table:
    """What ended each cell of a study that runs until a precision is reached."""
    from rich import box
    from rich.table import Table

    from hasim.report.cells import heading, labels

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(heading(result.cells), overflow="fold")
    table.add_column("replications", justify="right")
    table.add_column("stopped by")
    table.add_column("what is missing", overflow="fold")
    frame = result.stopping
    columns = (frame["replications"], frame["stopped"], frame["missing"])
    for name, count, by, missing in zip(labels(result.cells), *columns, strict=True):
        table.add_row(name, f"{count:,}", by or "not ended", missing)
    return table


def _operations_table(result: Result) -> Table:
    """What the balance of load did after each operation."""
    from hasim.report import format
    from hasim.report.cells import heading, labels
    from hasim.report.terminal import plain_table

    table = plain_table("")
    table.add_column(heading(result.cells), overflow="fold")
    for name in ("at", "operation", "on"):
        table.add_column(name, overflow="fold")
    keyed = bool(result.operations["keys_moved"].notna().any())
    numbers = ["routed\nafter", "settled\nafter", "load\nmoved", "messages\nlost since"]
    for name in [*numbers, *(["keys\nmoved", "ideal"] if keyed else [])]:
        table.add_column(name, justify="right", no_wrap=True)  # a cut number would be a wrong one
    names = dict(zip((index for index, _ in result.cells), labels(result.cells), strict=True))
    for row in result.operations.to_dict("records"):
        table.add_row(
            names[row["cell"]],
            format.seconds(row["done_at_s"]),
            row["do"],
            row["subject"],
            _bounded(row, "routed_s", "routed_low_s", "routed_high_s", "s"),
            _or_dash(row["settled_s"], format.seconds),
            _bounded(row, "moved", "moved_low", "moved_high", "ratio"),
            _bounded(row, "lost", "lost_low", "lost_high", "count"),
            *(_or_dash(row[name], _percent) for name in ("keys_moved", "keys_ideal") if keyed),
        )
    return table


def _bounded(row: dict[Any, Any], value: str, low: str, high: str, unit: str) -> Text:
    """A number of an operation above its interval."""
    from hasim.report.terminal import field
    from hasim.study.estimates.estimate import Estimate

    number = None if math.isnan(row[value]) else row[value]
    least, most = (row[name] if math.isfinite(row[name]) else None for name in (low, high))
    return field(Estimate(value, unit, number, least, most, 0, ""))


def _operations_note() -> str:
    """What the columns of the table of operations mean."""
    from hasim.measures.operations import AFTER_NS, BEFORE_NS
    from hasim.report.format import percent
    from hasim.study.estimates.transients import TOLERANCE
    from hasim.units import SECOND

    return (
        f"Looked at: the {BEFORE_NS // SECOND} s before an operation and the "
        f"{AFTER_NS // SECOND} s after it, but not beyond the operations before and after it.\n"
        "Routed: every gateway uses the routing that came of it.\n"
        "Load moved: from the masters' shares of the attempts before it to their new ones, those "
        "of the last third of the time after it; half the sum of the differences.\n"
        "Settled: from then on the shares of each second, of all replications together, are "
        f"within {percent(TOLERANCE)} of the new ones (by the same sum), chance aside; "
        "-: not before the last third begins.\n"
        "Messages lost: ended without an answer in the time after it, for whatever reason, on "
        "average in a replication.\n"
    )


def _churn_table(result: Result) -> Table:
    """The keys that changes of routing have moved, by cell."""
    from rich import box
    from rich.table import Table

    from hasim.report.cells import heading, labels

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(heading(result.cells), overflow="fold")
    columns = ("routing\nchanges", "keys\nmoved", "ideal", "master\nleft", "master\njoined")
    for name in (*columns, "without\nneed"):
        table.add_column(name, justify="right")
    by_cell = dict(list(result.churn.groupby("cell")))
    for (cell, _), name in zip(result.cells, labels(result.cells), strict=True):
        if cell not in by_cell:
            table.add_row(name, *"------")
            continue
        rows = by_cell[cell]
        keys = rows["keys"].sum()
        parts = [rows[part].sum() / keys for part in ("left", "joined", "needless")]
        ideal = (rows["ideal"] * rows["keys"]).sum() / keys
        shares = map(_percent, (sum(parts), ideal, *parts))
        table.add_row(name, f"{len(rows):,}", *shares)
    return table


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def _or_dash(value: float | None, shown: Callable[[float], str]) -> str:
    return "-" if value is None or math.isnan(value) else shown(value)


def show_story(journal: Journal, incident: dict[str, Any], observer: str) -> None:
    """Print what happened in one incident."""
    from hasim.report import terminal
    from hasim.report.explain import explain

    terminal.console().print(explain(journal, incident, observer))
