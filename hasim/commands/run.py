"""``hasim run``, ``study`` and ``resume``: simulate, print estimates, judge expectations."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hasim.commands.options import (
    as_variation,
    asked,
    baseline_of,
    baseline_option,
    dask_option,
    examples,
    format_option,
    jobs_option,
    scenario_argument,
    seen_as,
    set_option,
    vary_option,
    view_options,
)
from hasim.commands.shell import (
    CRASHED,
    FAILED,
    FINE,
    INTERRUPTED,
    UNDECIDED,
    counted,
    detail,
    fail,
    note,
    progress_bar,
    warn,
)

if TYPE_CHECKING:
    from hasim.findings.exports import Exported
    from hasim.findings.result import Result
    from hasim.scenario.loader import Loaded
    from hasim.study.execution.runner import Progress

F = TypeVar("F", bound=Callable[..., Any])
Report = Callable[["Progress"], None] | None


def run_options(command: F) -> F:
    """The options of ``hasim run``, which ``hasim study`` shares."""
    options = [
        scenario_argument,
        set_option("Replace a setting, e.g. detection.fall=3 or masters.ams-1.workers=4."),
        vary_option(
            "Vary this in place of what the scenario varies, e.g. detection.interval=1s..30s:log5."
        ),
        baseline_option(
            "Compare the other cells with this one, e.g. detection.fall=2, or as a table calls it."
        ),
        click.option("--seed", type=click.IntRange(min=0), help="Replace the scenario's seed."),
        click.option(
            "--replications",
            type=click.IntRange(min=1),
            help="Replace the number of replications.",
        ),
        jobs_option,
        dask_option,
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            help="Folder of the run; one of the same scenario is added to.  "
            "[default: hasim-runs/NAME-TIME]",
        ),
        click.option(
            "--fresh", is_flag=True, help="Begin anew; a run that is in the folder is moved aside."
        ),
        format_option,
        view_options,
        click.option("--journals", is_flag=True, help="Keep the journal of every replication."),
        click.option("--messages", is_flag=True, help="Keep every single message."),
        click.option(
            "--check",
            is_flag=True,
            help="Check the invariants of every replication (`hasim invariants` lists them).",
        ),
        click.option(
            "--dry-run", is_flag=True, help="Only estimate the work: simulate a little of it."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    epilog=examples(
        "hasim run quickstart",
        "hasim run quickstart --set detection.interval=10s --replications 10",
        "hasim run fencing --baseline failover.fencing=confirmed",
        "hasim show hang | hasim run - --format json",
    )
)
@run_options
def run(**options: Any) -> int:
    """Simulate a scenario and print estimates.

    FILE is a scenario file, NAME one of `hasim list`, - standard input. With --out, the folder of
    an earlier run of the same scenario gets what is new: more replications,
    other cells. Nothing that is there is simulated again. If hasim or a library
    has changed since, the run is refused, and --fresh begins it anew.

    Exit codes: 0 fine, 1 an expectation or invariant failed, 2 bad input,
    3 an expectation is undecided, 4 a replication crashed, 130 interrupted.
    """
    return _command(**options)


@click.command(
    epilog=examples("hasim study quickstart", "hasim study quickstart --replications 100")
)
@run_options
def study(**options: Any) -> int:
    """Run a study, or add to it.

    The same as `hasim run`, but that each scenario has one folder,
    hasim-runs/NAME: the study is continued if it was interrupted, and grows
    if the scenario asks for more replications or other cells by now. If hasim,
    a library or another setting has changed, --fresh begins it anew.

    Exit codes: 0 fine, 1 an expectation or invariant failed, 2 bad input,
    3 an expectation is undecided, 4 a replication crashed, 130 interrupted.
    """
    return _command(**options, one_folder=True)


@click.command(epilog=examples("hasim resume RUN", "hasim resume RUN --format csv"))
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@jobs_option
@dask_option
@format_option
@view_options
def resume(folder: Path, jobs: int | None, dask: str | None, style: str, **view: Any) -> int:
    """Do what is missing in a run.

    RUN is the folder of a run that was interrupted or killed, or of which a
    replication failed. The tables are those of a run that was never interrupted.

    Exit codes as of `hasim run`.
    """
    from hasim.study.execution.runner import resume_study
    from hasim.study.folder.reading import open_run

    before = open_run(folder)
    done = len(before.outcomes) - before.outcomes.failed
    note(f"{counted(done, 'replication')} {'is' if done == 1 else 'are'} there already.")

    def execute(progress: Report, export: Exported) -> None:
        resume_study(folder, jobs=jobs, dask=dask, progress=progress, export=export)

    return _simulated(execute, before.name, folder, style, view)


def _command(
    scenario: str,
    overrides: list[tuple[str, str]],
    vary: list[tuple[str, str]],
    baseline: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    jobs: int | None,
    dask: str | None,
    out: Path | None,
    fresh: bool,
    style: str,
    journals: bool,
    messages: bool,
    check: bool,
    dry_run: bool,
    one_folder: bool = False,
    **view: Any,
) -> int:
    from hasim.api import prepare
    from hasim.study.execution.runner import run_study
    from hasim.study.folder.places import RUNS, new_folder, set_aside

    if out is not None and not out.name:
        fail(f"--out: expected the name of a new folder, got '{out}'")
    replaced: dict[str, Any] = {**dict(overrides), **as_variation(vary)}
    loaded = prepare(asked(scenario), seed=seed, replications=replications, overrides=replaced)
    if baseline:
        cells = loaded.cells
        wanted = baseline_of(baseline, lambda: [(c.index, c.varied) for c in cells])
        loaded = prepare(loaded, overrides=_as_overrides(wanted))
    for remark in loaded.remarks():
        note(remark)
    if dry_run:
        return _dry_run(loaded, jobs)
    name = loaded.scenario.name
    folder = out or (RUNS / name if one_folder else new_folder(name))
    aside = set_aside(folder) if fresh else None
    if aside is not None:
        note(f"The run before: {aside}")

    _tell_plan(loaded, folder, jobs, dask)

    def execute(progress: Report, export: Exported) -> None:
        run_study(
            loaded,
            jobs=jobs,
            dask=dask,
            check=check,
            out=folder,
            journals=journals,
            messages=messages,
            progress=progress,
            export=export,
        )

    try:
        return _simulated(execute, name, folder, style, view)
    except Exception:
        if out is None:
            with contextlib.suppress(OSError):
                folder.rmdir()  # if it is empty: nothing had begun
        raise


def _tell_plan(loaded: Loaded, folder: Path, jobs: int | None, dask: str | None) -> None:
    """Say to the verbose what will be simulated, of what, where and with what."""
    from hasim.findings.scenarios import Validity
    from hasim.study.execution.executor import default_jobs

    detail(f"{Validity(str(loaded.source), loaded)}".rstrip())
    for trace in loaded.traces():
        detail(f"Trace: {trace}")
    where = f"the cluster {dask}" if dask else counted(jobs or default_jobs(), "core")
    detail(f"Seed {loaded.scenario.seed}, {where}, run folder {folder}")


def _as_overrides(baseline: dict[str, Any]) -> dict[str, Any]:
    """A baseline from the command line in place of the scenario's, with where it was written."""
    from hasim.scenario.document import Place
    from hasim.scenario.loader import Given

    def given(value: Any, text: str) -> Given:
        return Given(value, Place(text, None))

    whole = " ".join(f"--baseline {path}={value}" for path, value in baseline.items())
    parts = {
        f"baseline.{path}": given(value, f"--baseline {path}={value}")
        for path, value in baseline.items()
    }
    return {"baseline": given({}, whole), **parts}


def _simulated(
    execute: Callable[[Report, Exported], None],
    name: str,
    folder: Path,
    style: str,
    view: Mapping[str, Any],
) -> int:
    """Run a study to its end and present it; the exit code, also of one that did not end.

    `view` are the values of `view_options`.
    """
    from hasim.findings.exports import Exported
    from hasim.study.execution.cluster_errors import ClusterError
    from hasim.study.execution.runner import ReplicationError, StudyInterrupted

    exported, began = Exported(folder), time.monotonic()
    try:
        with progress_bar(name) as move:
            tell = None if move is None else lambda step: move(step.done, step.total)
            execute(tell, exported)
    except StudyInterrupted as error:
        kept, wanted = len(error.study.outcomes), error.study.replications
        of = f" of {len(error.study.cells) * wanted}" if isinstance(wanted, int) else ""
        warn(f"Interrupted: {kept}{of} replications are kept in {folder}")
        warn(f"The rest: hasim resume {folder}")
        return INTERRUPTED
    except ReplicationError as error:
        warn(f"Error: {error}\nWhat was finished before is kept in {folder}")
        return CRASHED
    except ClusterError as error:
        if error.begun:
            warn(f"What was finished before is kept in {folder}")
        raise
    detail(f"Took {time.monotonic() - began:,.1f} s.")
    result = seen_as(exported.result, view)
    return _present(result, exported.figures, folder, style)


def _present(result: Result, figures: tuple[Path, ...], folder: Path, style: str) -> int:
    from hasim.commands.output import show
    from hasim.extras import how, missing

    show(result, style)
    note(f"Run folder: {folder}")
    if figures:
        note(f"Figures: {folder / 'figures'} ({', '.join(path.name for path in figures)})")
    if extras := missing("matplotlib", "pyarrow"):
        note(f"Not written, since not installed: {' and '.join(extras)}. {how(*extras)}")
    violations = result.violations
    for line in violations[:10]:
        warn(f"Invariant broken: {line}")
    if len(violations) > 10:
        warn(f"... and {len(violations) - 10} more in {folder / 'replications'}")
    if result.study.checked and not violations:
        note(f"Invariants hold in all {len(result.study.outcomes)} replications.")
        dual_s, replications = result.dual_primaries()
        if replications:
            note(
                f"Two primaries for {dual_s:,.3g} s in {replications}: the fencing mode allows it."
            )
    return exit_code(result)


def exit_code(result: Result) -> int:
    """1 if an invariant or expectation failed, 3 if an expectation is undecided, else 0."""
    verdicts = {verdict.verdict for cell in result.verdicts for verdict in cell}
    if result.violations or "fail" in verdicts:
        return FAILED
    return UNDECIDED if "undecided" in verdicts else FINE


def _dry_run(loaded: Loaded, jobs: int | None) -> int:
    from hasim.scenario.replications import Sequential, most
    from hasim.study.estimates.statistics import needed
    from hasim.study.execution.cost import estimate_cost
    from hasim.study.execution.executor import default_jobs
    from hasim.study.planning.incidents import incidents_of, replications_for

    cost, world = estimate_cost(loaded), loaded.scenario.world()
    rule, cells = loaded.scenario.replications, len(loaded.cells)
    total = cells * most(rule)
    workers = min(jobs or default_jobs(), total)
    at_once = min(workers, default_jobs())  # more processes than cores are no faster
    fewest = rule.at_least if isinstance(rule, Sequential) else rule

    def both(each: float, form: str) -> str:
        """The amount for all replications, from the fewest to the most."""
        amounts = dict.fromkeys(format(each * n, form) for n in (fewest, most(rule)))
        return " to ".join(amounts)

    lines = [
        f"scenario      {loaded.scenario.name}",
        f"cells         {cells}",
        f"replications  {both(1, ',')} per cell, {both(cells, ',')} in all",
        f"messages      about {both(cost.messages, ',.0f')}",
        f"seconds       about {both(cost.seconds / at_once, ',.1f')} with {counted(workers, 'job')}"
        + (f" ({both(cost.seconds, ',.1f')} with one)" if workers > 1 else ""),
    ]
    each, wanted = incidents_of(world), replications_for(0.99, world)
    if each and wanted:
        lines.append(
            f"p99           {needed(0.99)} incidents; about {each:.3g} a replication: {wanted:,} "
            "replications per cell"
        )
    click.echo("\n".join(lines))
    return FINE
