"""``hasim bench``: the gate against regressions, for CI."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hasim.commands.options import dask_option, examples, set_option
from hasim.commands.shell import (
    CRASHED,
    FAILED,
    FINE,
    UNDECIDED,
    counted,
    fail,
    note,
    progress_bar,
    warn,
)

if TYPE_CHECKING:
    from hasim.findings.gating import GateReport
    from hasim.study.gate import Suite, outcome

FORMATS = ("table", "markdown", "page", "junit", "json", "csv", "benchmark-action")
CODES = {"pass": FINE, "regression": FAILED, "inconclusive": UNDECIDED, "error": CRASHED}


def _copies(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, Path]]:
    """The (format, file) pairs of ``--save FORMAT=FILE``; a click callback."""
    pairs = []
    for text in values:
        style, _, name = text.partition("=")
        if style not in FORMATS[1:] or not name:
            raise click.BadParameter(
                f"expected FORMAT=FILE with one of {', '.join(FORMATS[1:])}, got '{text}'"
            )
        pairs.append((style, Path(name)))
    return pairs


@click.command(
    epilog=examples(
        "hasim bench --update",
        "hasim bench --baseline results/baseline/baseline.json",
        "hasim bench --exact --save junit=report.xml --save markdown=report.md",
    )
)
@click.argument("suite", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    default="hasim-baseline.json",
    show_default=True,
    help="What to compare with.",
)
@click.option("--update", is_flag=True, help="Write the baseline anew; print what differs.")
@click.option("--exact", is_flag=True, help="Any change of behaviour is a regression.")
@click.option("--speed", is_flag=True, help="A slower program is a regression.")
@set_option("Replace a setting in every scenario of the suite.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes; all cores unless given.")
@dask_option
@click.option("--format", "style", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option(
    "--save",
    "copies",
    multiple=True,
    metavar="FORMAT=FILE",
    callback=_copies,
    help="Write the report in another format, too.",
)
def bench(
    suite: Path | None,
    baseline: Path,
    update: bool,
    exact: bool,
    speed: bool,
    overrides: list[tuple[str, str]],
    jobs: int | None,
    dask: str | None,
    style: str,
    copies: list[tuple[str, Path]],
) -> int:
    """Compare with a baseline, for CI.

    Runs the scenarios of SUITE (a YAML file; without it, the suite that comes
    with hasim) with the seeds of the baseline, and compares replication by
    replication. Where the verdict is open, replications are added.

    Exit code 0: no measure is worse than its margin allows. 1: a regression.
    2: bad input. 3: inconclusive, or no comparable baseline. 4: a replication
    crashed (the report tells of the others). 130: interrupted.
    """
    from hasim.findings.gating import GateReport
    from hasim.study.execution.runner import ReplicationError
    from hasim.study.gate import DEFAULT_SUITE, read_suite
    from hasim.study.gate import bench as run_gate

    if update and overrides:
        fail(
            "--update with --set would make other settings the baseline; "
            "to change the suite, write them under set: in its file"
        )
    for _, path in copies:
        _check_place(path)
    wanted = read_suite(suite or DEFAULT_SUITE, dict(overrides))
    try:
        with progress_bar(wanted.name) as move:
            progress = None if move is None else lambda done: move(done, wanted.most)
            if update:
                report = _update(wanted, baseline, jobs, dask, progress)
            else:
                where: dict[str, Any] = {"jobs": jobs, "dask": dask, "progress": progress}
                report = run_gate(wanted, baseline, exact=exact, speed=speed, **where)
    except ReplicationError as error:
        warn(f"Error: {error}\nThe baseline is as it was.")
        return CRASHED
    if not update or report.comparisons or style != "table":
        _show(GateReport.of(report), style, copies)
    if update:
        size = counted(baseline.stat().st_size, "byte")
        note(f"Baseline: {baseline} ({counted(len(wanted.cells), 'scenario')}, {size})")
        return FINE
    for crash in report.errors.values():
        warn(f"Error: {crash}")
    if report.missing and not report.comparisons and not report.errors:
        warn(f"No comparable baseline; make one with: hasim bench --update --baseline {baseline}")
    return CODES[report.verdict]


def _check_place(path: Path) -> None:
    """End with bad input if a file cannot be written, before anything is simulated."""
    folder = path.parent
    if path.is_dir():
        fail(f"{path}: cannot write there: it is a folder")
    if not folder.is_dir():
        fail(f"{path}: cannot write there: there is no folder {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        fail(f"{path}: cannot write there: permission denied")


def _update(
    suite: Suite,
    path: Path,
    jobs: int | None,
    dask: str | None,
    progress: Callable[[int], None] | None,
) -> outcome.GateReport:
    """Write the baseline; the report says how it differs from the one before."""
    from hasim.study.gate import NoBaselineError, read_baseline, record, write_baseline

    try:
        old = read_baseline(path)
    except NoBaselineError:
        old = None
    made, report = record(suite, old, jobs=jobs, dask=dask, progress=progress)
    write_baseline(made, path)
    return report


def _show(report: GateReport, style: str, copies: list[tuple[str, Path]]) -> None:
    from hasim.commands.output import show

    show(report, style)
    for other, path in copies:
        try:
            path.write_text(report.render(other), encoding="utf-8")
        except OSError as error:
            fail(f"{path}: cannot write there: {error.strerror}")
