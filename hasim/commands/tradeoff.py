"""``hasim tradeoff``: detection time against mistakes, a curve for each detector."""

from __future__ import annotations

from pathlib import Path

import click

from hasim.commands.hearing import UNITS, trace_lines
from hasim.commands.options import ScenarioName, asked, examples, format_option, set_option
from hasim.commands.output import show
from hasim.commands.shell import FINE, fail, note, progress_bar


@click.command(
    epilog=examples(
        "hasim tradeoff tradeoff",
        "hasim tradeoff tradeoff --detector timeout:down_after=1s..8s",
        "hasim tradeoff --rtt FILE --column rtt --interval 1s",
    )
)
@click.argument("scenario", metavar="[FILE|NAME|-]", type=ScenarioName(), required=False)
@click.option(
    "--detector",
    "detectors",
    multiple=True,
    metavar="NAME:SETTING=A..B,...",
    help="A detector and the setting that is swept: a range, or values A|B|C.  [default: those "
    "by heartbeats, and threshold]",
)
@click.option("--master", metavar="NAME", help="Whose network.  [default: the first]")
@click.option(
    "--rtt",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="On recorded round-trip times, in place of a scenario's network.",
)
@click.option("--column", metavar="NAME", help="The column of --rtt that holds them.")
@click.option("--unit", type=click.Choice(UNITS[1:]), default="ms", help="Of --rtt.  [default: ms]")
@click.option(
    "--interval",
    metavar="DURATION",
    help="Between two heartbeats or checks.  [default: the scenario's, else 1s]",
)
@click.option(
    "--replications", type=click.IntRange(min=2), default=10, show_default=True, help="How many."
)
@click.option(
    "--heartbeats",
    type=click.IntRange(min=100),
    default=5000,
    show_default=True,
    help="How many in each replication.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Replace the scenario's seed.")
@set_option("Replace a setting of the scenario, e.g. network.loss=2%.")
@click.option(
    "--figure", type=click.Path(path_type=Path, dir_okay=False), help="Draw it (.png or .svg)."
)
@format_option
def tradeoff(
    scenario: str | None,
    detectors: tuple[str, ...],
    master: str | None,
    rtt: Path | None,
    column: str | None,
    unit: str,
    interval: str | None,
    replications: int,
    heartbeats: int,
    seed: int | None,
    overrides: list[tuple[str, str]],
    figure: Path | None,
    style: str,
) -> int:
    """Detection time against false alarms.

    Which timeout, and how many false alarms will it cost? One curve for each detector, whose
    parameter is swept, on the network of a scenario (without its faults) or on recorded
    round-trip times. No world is simulated: detectors hear streams of heartbeats, or checks.
    """
    from hasim.api import tradeoff as compare
    from hasim.scenario.tables.errors import TraceError

    if (scenario is None) == (rtt is None):
        fail("expected either a scenario or --rtt FILE")
    if (rtt is None) != (column is None):
        fail("--rtt needs --column" if column is None else "--column needs --rtt")
    if figure is not None and figure.suffix not in (".png", ".svg"):
        fail(f"--figure {figure}: expected a file that ends in .png or .svg")
    try:
        with progress_bar(scenario or str(rtt)) as bar:
            found = compare(
                None if scenario is None else asked(scenario),
                detectors=detectors,
                rtt=None if rtt is None or column is None else (rtt, column),
                unit=unit,
                master=master,
                interval=interval,
                replications=replications,
                heartbeats=heartbeats,
                seed=seed,
                overrides=dict(overrides),
                progress=bar,
            )
    except TraceError as error:
        fail("\n".join(trace_lines(error)))
    show(found, style)
    if figure is not None:
        from hasim.report.style import save

        save(found.figure(), figure)
        note(f"Figure: {figure}")
    return FINE
