"""``hasim advise``: which setting to choose, within limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hasim.commands.keeping import keeping_options, kept_work, seed_option
from hasim.commands.options import examples, scenario_argument, set_option, varied, vary_option
from hasim.commands.shell import FAILED, FINE, UNDECIDED, note

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
@seed_option
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
@keeping_options("advice")
def advise(
    scenario: str,
    limits: tuple[str, ...],
    vary: list[tuple[str, str]],
    indifference: str,
    style: str,
    **options: Any,
) -> int:
    """Find out which setting to choose.

    Settings are tried on the scenario's faults: first whether each keeps the limits, with more work
    only where that is open, then those that do race for the least outage. What is recommended is
    shown to be as good as the best one; where the data do not show that, nothing is recommended,
    and it is said how much more it takes.

    Exit codes: 0 something is recommended, 1 no setting keeps the limits, 2 bad input,
    3 undecided, 4 a replication crashed, 130 interrupted.
    """
    from hasim.commands.output import show
    from hasim.deciding import advise as find_out
    from hasim.units import parse_percent

    try:
        share = parse_percent(indifference)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--indifference") from None
    found, folder = kept_work(
        "advice",
        find_out,
        scenario,
        limits=limits,
        vary=varied(vary),
        indifference=share,
        **options,
    )
    show(found, style)
    _keep(found, folder)
    if found.chosen is not None:
        return FINE
    return UNDECIDED if found.found.decision.undecided or found.found.decision.ended else FAILED


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
