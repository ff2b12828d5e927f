"""``hasim advise``: which setting to choose, within limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hasim.commands.options import (
    asked,
    dask_option,
    examples,
    format_option,
    jobs_option,
    scenario_argument,
    set_option,
    vary_option,
)
from hasim.commands.shell import (
    CRASHED,
    FAILED,
    FINE,
    INTERRUPTED,
    UNDECIDED,
    note,
    progress_bar,
    warn,
)

if TYPE_CHECKING:
    from hasim.findings.advice import Advice


@click.command(
    epilog=examples(
        "hasim advise advise --for 'failovers.needless < 4000/y'",
        "hasim advise crash --minimise outage.mean --vary detection.fall=1..4",
    )
)
@scenario_argument
@click.option(
    "--minimise",
    metavar="MEASURE",
    default="outage.p99",
    show_default=True,
    help="What shall be as little as can be (uptime: what is missing of it).",
)
@click.option(
    "--for",
    "limits",
    multiple=True,
    metavar="LIMIT",
    help="What the setting shall keep, e.g. 'failovers.needless < 1/y'; several times.",
)
@vary_option(
    "What is tried, e.g. detection.interval=1s..30s:log5; several times.  "
    "[default: what the scenario varies, else usual settings]"
)
@click.option(
    "--indifference",
    metavar="SHARE",
    default="5%",
    show_default=True,
    help="Settings within this of the best count as equal.",
)
@set_option("Replace a setting of the scenario, e.g. network.loss=2%.")
@click.option("--seed", type=click.IntRange(min=0), help="Replace the scenario's seed.")
@click.option(
    "--replications",
    type=click.IntRange(min=2),
    help="Of each setting at the first look.  [default: the scenario's]",
)
@click.option(
    "--at-most",
    type=click.IntRange(min=2),
    help="Replications of a setting that are never exceeded.  [default: 256 times as many]",
)
@jobs_option
@dask_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the work; what is there is not done again.  [default: hasim-runs/NAME-advice]",
)
@click.option("--fresh", is_flag=True, help="Begin anew; what is in the folder is moved aside.")
@format_option
def advise(
    scenario: str,
    limits: tuple[str, ...],
    vary: list[tuple[str, str]],
    indifference: str,
    overrides: list[tuple[str, str]],
    minimise: str,
    seed: int | None,
    replications: int | None,
    at_most: int | None,
    jobs: int | None,
    dask: str | None,
    out: Path | None,
    fresh: bool,
    style: str,
) -> int:
    """Find out which setting to choose.

    Settings are tried on the scenario's faults: first whether each keeps the limits, with more work
    only where that is open, then those that do race for the least outage. What is recommended is
    shown to be as good as the best one; where the data do not show that, nothing is recommended,
    and it is said how much more it takes.

    Exit codes: 0 something is recommended, 1 no setting keeps the limits, 2 bad input,
    3 undecided, 4 a replication crashed, 130 interrupted.
    """
    from hasim.api import prepare
    from hasim.commands.output import show
    from hasim.deciding import advise as find_out
    from hasim.study.execution.runner import ReplicationError, StudyInterrupted
    from hasim.study.folder.places import RUNS
    from hasim.units import parse_percent

    try:
        share = parse_percent(indifference)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--indifference") from None
    loaded = prepare(asked(scenario), seed=seed, overrides=dict(overrides))
    folder = out or RUNS / f"{loaded.scenario.name}-advice"
    try:
        with progress_bar(loaded.scenario.name) as bar:
            found = find_out(
                loaded,
                minimise=minimise,
                limits=limits,
                vary=_once(vary),
                indifference=share,
                replications=replications,
                at_most=at_most,
                jobs=jobs,
                dask=dask,
                out=folder,
                fresh=fresh,
                progress=bar,
            )
    except StudyInterrupted:
        warn(f"Interrupted. What was done is kept in {folder}; the same command goes on from there")
        return INTERRUPTED
    except ReplicationError as error:
        warn(f"Error: {error}\nWhat was finished before is kept in {folder}")
        return CRASHED
    show(found, style)
    _keep(found, folder)
    if found.chosen is not None:
        return FINE
    return UNDECIDED if found.found.decision.undecided or found.found.decision.ended else FAILED


def _once(vary: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, values in vary:
        if path in found:
            raise click.BadParameter(f"{path} is given twice", param_hint="--vary")
        found[path] = values
    return found


def _keep(found: Advice, folder: Path) -> None:
    """Write the scenario, the figure and the page, and say where."""
    from hasim.commands.output import keep_page
    from hasim.extras import installed
    from hasim.report.style import save

    if found.scenario is not None:
        path = folder / "recommended.yaml"
        path.write_text(found.scenario, encoding="utf-8")
        note(f"Scenario to keep: {path}")
    figure = found.figure() if installed("matplotlib") else None
    if figure is not None:
        path = folder / "pareto.png"
        save(figure, path)
        note(f"Pareto front: {path}")
    keep_page(found, folder)
