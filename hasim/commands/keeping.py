"""What commands share that keep their work in a folder of its own: options, and how work ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from hasim.commands.options import asked, dask_option, format_option, jobs_option
from hasim.commands.shell import CRASHED, INTERRUPTED, progress_bar, warn

C = TypeVar("C", bound=Callable[..., Any])
F = TypeVar("F")
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), help="Replace the scenario's seed."
)


def keeping_options(
    work: str, aside: str = "; what is in the folder is moved aside"
) -> Callable[[C], C]:
    """The options of processes, of the folder (hasim-runs/NAME-`work`), and of the format."""
    options = (
        jobs_option,
        dask_option,
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            help="Folder of the work; what is there is not done again.  "
            f"[default: hasim-runs/NAME-{work}]",
        ),
        click.option("--fresh", is_flag=True, help=f"Begin anew{aside}."),
        format_option,
    )

    def decorate(command: C) -> C:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def kept_work(
    work: str,
    find_out: Callable[..., F],
    scenario: str,
    *,
    overrides: list[tuple[str, str]],
    seed: int | None,
    out: Path | None,
    **options: Any,
) -> tuple[F, Path]:
    """What `find_out` finds about a scenario, and the folder of its work.

    The command ends with an exit code of its own if that is interrupted, or a replication crashes.
    """
    from hasim.api import prepare
    from hasim.study.execution.runner import ReplicationError, StudyInterrupted
    from hasim.study.folder.places import RUNS

    loaded = prepare(asked(scenario), seed=seed, overrides=dict(overrides))
    folder = out or RUNS / f"{loaded.scenario.name}-{work}"
    try:
        with progress_bar(loaded.scenario.name) as bar:
            return find_out(loaded, out=folder, progress=bar, **options), folder
    except StudyInterrupted as error:
        for told in getattr(error, "__notes__", ()):
            warn(told)
        interrupted(folder)
    except ReplicationError as error:
        warn(f"Error: {error}\nWhat was finished before is kept in {folder}")
        raise click.exceptions.Exit(CRASHED) from None


def interrupted(folder: Path) -> NoReturn:
    """End: Ctrl-C was pressed."""
    warn(f"Interrupted. What was done is kept in {folder}; the same command goes on from there")
    raise click.exceptions.Exit(INTERRUPTED) from None
