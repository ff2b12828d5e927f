"""The command line: ``hasim run``, ``list``, ``validate``, ..."""

from __future__ import annotations

import click

import hasim
from hasim.commands.advise import advise
from hasim.commands.bench import bench
from hasim.commands.budget import budget
from hasim.commands.capacity import capacity
from hasim.commands.compare import compare
from hasim.commands.configure import configure
from hasim.commands.data import data
from hasim.commands.doctor import completion, doctor
from hasim.commands.hunt import hunt
from hasim.commands.journals import explain, replay
from hasim.commands.lists import algorithms, invariants, measures
from hasim.commands.objectives import objectives
from hasim.commands.options import examples
from hasim.commands.report import plot, report
from hasim.commands.run import resume, run, study
from hasim.commands.scenarios import list_, new, schema, show, validate
from hasim.commands.shell import Shell
from hasim.commands.tradeoff import tradeoff
from hasim.commands.watch import serve, watch


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"hasim {hasim.__version__}")
        ctx.exit()


@click.group(
    cls=Shell,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("hasim doctor", "hasim run quickstart", "hasim run --help"),
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def main() -> None:
    """High-availability services tested against simulated masters.

    Start with `hasim list` and `hasim run quickstart`. Results go to stdout,
    everything else to stderr. With NO_COLOR set there are no colours; COLUMNS is the width where
    there is no terminal.
    """


for command in (
    run,
    study,
    resume,
    list_,
    show,
    validate,
    new,
    data,
    schema,
    algorithms,
    measures,
    invariants,
    advise,
    capacity,
    configure,
    tradeoff,
    replay,
    watch,
    serve,
    explain,
    report,
    plot,
    compare,
    bench,
    hunt,
    budget,
    objectives,
    doctor,
    completion,
):
    main.add_command(command)

if __name__ == "__main__":
    main()
