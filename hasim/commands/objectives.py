"""``hasim objectives``: an objective over windows of a run, and who was paged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hasim.commands.options import examples, format_option
from hasim.commands.shell import FAILED, FINE

if TYPE_CHECKING:
    from collections.abc import Callable


def _read(parse: str) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """A click callback that reads a text with a function of `hasim.units`."""

    def read(ctx: click.Context, parameter: click.Parameter, text: str | None) -> Any:
        from hasim import units

        if text is None:
            return None
        try:
            value = getattr(units, parse)(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
        if not value > 0:
            raise click.BadParameter(f"must be greater than 0, got {text}")
        return value

    return read


@click.command(
    epilog=examples(
        "hasim objectives RUN",
        "hasim objectives RUN --objective 99.9% --window 1h",
        "hasim objectives RUN --of success --objective 99.9%",
        "hasim objectives RUN --window 28d --maintenance out --format csv",
    )
)
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--objective",
    metavar="PERCENT",
    callback=_read("parse_percent"),
    help="Share that shall be well.  [default: monitor.objective of the scenario]",
)
@click.option(
    "--of",
    metavar="WHAT",
    default="uptime",
    show_default=True,
    help="Of what: uptime, uptime.any, uptime.k_of_n, uptime.stateless, partition:NAME, tier:NAME, "
    "success (by message), user_uptime.",
)
@click.option(
    "--window",
    metavar="TIME",
    callback=_read("parse_duration"),
    help="That it is stated for.  [default: monitor.period, or the run if that is shorter]",
)
@click.option(
    "--maintenance",
    type=click.Choice(["in", "out"]),
    default="in",
    show_default=True,
    help="Whether downtime of planned switchovers counts.",
)
@format_option
def objectives(
    run: Path, objective: float | None, of: str, window: int | None, maintenance: str, style: str
) -> int:
    """Judge a run by an objective: budget left, burn rates, pages.

    RUN is a run folder. Downtime is that of the service (any partition down, of any tier) unless
    --of says otherwise.

    Exit code 1 if a window used up more than its error budget.
    """
    from hasim.commands.output import show
    from hasim.findings.objectives import objectives as judge

    try:
        found = judge(
            run, objective=objective, window_ns=window, maintenance=maintenance == "in", of=of
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--of") from None
    show(found, style)
    return FAILED if found.failed else FINE
