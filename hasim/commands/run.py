"""``hasim run``: simulate a scenario, print its estimates, judge its expectations."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hasim.commands.shell import (
    FAILED,
    FINE,
    INTERRUPTED,
    UNDECIDED,
    counted,
    fail,
    note,
    set_option,
)

if TYPE_CHECKING:
    from hasim.result import Result
    from hasim.scenario.loader import Loaded
    from hasim.study.runner import Progress

FORMATS = click.Choice(["table", "json", "csv", "markdown"])


@dataclass(frozen=True)
class Wanted:
    """What the options of ``hasim run`` ask for, besides the scenario."""

    jobs: int | None
    out: Path
    journals: bool
    messages: bool
    check: bool


@click.command()
@click.argument("scenario", metavar="FILE|NAME")
@set_option("Replace a setting, e.g. detection.fall=3 or masters.ams-1.workers=4.")
@click.option("--seed", type=click.IntRange(min=0), help="Replace the scenario's seed.")
@click.option(
    "--replications", type=click.IntRange(min=1), help="Replace the number of replications."
)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes.  [default: all cores]")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run.  [default: hasim-runs/NAME-TIME]",
)
@click.option("--format", "style", type=FORMATS, default="table", show_default=True)
@click.option("--journals", is_flag=True, help="Keep the journal of every replication.")
@click.option("--messages", is_flag=True, help="Keep every single message.")
@click.option("--check", is_flag=True, help="Check the invariants of every replication.")
@click.option("--dry-run", is_flag=True, help="Only estimate the work: simulate a little of it.")
def run(
    scenario: str,
    overrides: list[tuple[str, str]],
    seed: int | None,
    replications: int | None,
    jobs: int | None,
    out: Path | None,
    style: str,
    journals: bool,
    messages: bool,
    check: bool,
    dry_run: bool,
) -> int:
    """Simulate a scenario and print estimates.

    FILE is a scenario file, NAME one of `hasim list`.

    Exit codes: 0 fine, 1 an expectation or invariant failed, 2 bad input,
    3 an expectation is undecided, 130 interrupted.
    """
    from hasim.api import prepare
    from hasim.study.store import default_folder

    if out is not None and not out.name:
        fail(f"--out: expected the name of a new folder, got '{out}'")
    loaded = prepare(scenario, seed=seed, replications=replications, overrides=dict(overrides))
    if dry_run:
        return _dry_run(loaded, jobs)
    folder = out or default_folder(loaded.scenario.name)
    wanted = Wanted(jobs, folder, journals, messages, check)
    result = _simulate(loaded, wanted)
    if isinstance(result, int):
        return result
    return _present(result, folder, style)


def _simulate(loaded: Loaded, wanted: Wanted) -> Result | int:
    """The result, or the exit code of a study that did not end."""
    from hasim.result import Result
    from hasim.study.runner import ReplicationError, StudyInterrupted, run_study

    try:
        with progress_bar(loaded.scenario.name) as progress:
            study = run_study(
                loaded,
                jobs=wanted.jobs,
                check=wanted.check,
                out=wanted.out,
                journals=wanted.journals,
                messages=wanted.messages,
                progress=progress,
            )
    except StudyInterrupted as error:
        total = len(loaded.cells) * loaded.scenario.replications
        note(
            f"Interrupted: {len(error.study.outcomes)} of {total} replications are kept "
            f"in {wanted.out}"
        )
        return INTERRUPTED
    except ReplicationError as error:
        note(f"Error: {error}\nWhat was finished before is kept in {wanted.out}")
        return FAILED
    return Result(study, loaded=loaded, folder=wanted.out)


def _present(result: Result, folder: Path, style: str) -> int:
    from hasim.commands.output import show
    from hasim.exports import export

    figures = export(result, folder)
    show(result, style)
    note(f"Run folder: {folder}")
    if figures:
        note(f"Figures: {folder / 'figures'} ({', '.join(path.name for path in figures)})")
    violations = result.violations
    for line in violations[:10]:
        note(f"Invariant broken: {line}")
    if len(violations) > 10:
        note(f"... and {len(violations) - 10} more in {folder / 'replications'}")
    if result.study.checked and not violations:
        note(f"Invariants hold in all {len(result.study.outcomes)} replications.")
    return exit_code(result)


def exit_code(result: Result) -> int:
    """1 if an invariant or expectation failed, 3 if an expectation is undecided, else 0."""
    verdicts = {verdict.verdict for cell in result.verdicts for verdict in cell}
    if result.violations or "fail" in verdicts:
        return FAILED
    return UNDECIDED if "undecided" in verdicts else FINE


def _dry_run(loaded: Loaded, jobs: int | None) -> int:
    from hasim.study.executor import default_jobs
    from hasim.study.runner import estimate_cost

    cost = estimate_cost(loaded)
    total = len(loaded.cells) * loaded.scenario.replications
    workers = min(jobs or default_jobs(), total)
    at_once = min(workers, default_jobs())  # more processes than cores are no faster
    lines = [
        f"scenario      {loaded.scenario.name}",
        f"cells         {len(loaded.cells)}",
        f"replications  {loaded.scenario.replications} per cell, {total} in all",
        f"messages      about {cost.messages:,.0f}",
        f"seconds       about {cost.seconds / at_once:,.1f} with {counted(workers, 'job')}"
        + (f" ({cost.seconds:,.1f} with one)" if workers > 1 else ""),
    ]
    click.echo("\n".join(lines))
    return FINE


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Callable[[Progress], None] | None]:
    """A callback that moves a bar on stderr; None if stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns: list[Any] = ["{task.description}", BarColumn(), MofNCompleteColumn()]
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda step: bar.update(task, completed=step.done, total=step.total)
