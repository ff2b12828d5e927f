"""``hasim capacity``: how much load is carried with masters down, and after an overload."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hasim.commands.keeping import keeping_options, kept_work, seed_option
from hasim.commands.options import examples, scenario_argument, set_option
from hasim.commands.shell import FAILED, FINE, note

if TYPE_CHECKING:
    from hasim.deciding import Cause
    from hasim.findings.capacity import Capacity


@click.command(
    epilog=examples(
        "hasim capacity retry-storm --set traffic.retry.budget=10%",
        "hasim capacity balancing --for 'response.p99 < 200ms' --down 1 --no-cause",
    )
)
@scenario_argument
@click.option(
    "--for",
    "limits",
    multiple=True,
    metavar="LIMIT",
    help="What shall hold, e.g. 'latency.p99 < 200ms'; several times.  [default: what the "
    "scenario expects of load, else 'success >= 99.9%']",
)
@click.option(
    "--down",
    "downs",
    multiple=True,
    metavar="WHICH",
    help="Masters down: a number (the largest ones), zone, region, zone:NAME, or ID+ID; several "
    "times.  [default: 0, 1, 2 and the largest zone or region]",
)
@click.option(
    "--cause",
    type=click.Choice(["hang", "crash", "power-off"]),
    help="What befalls all masters before an overload.  [default: the scenario's faults that are "
    "over in time, else hang, or crash where caches are cold]",
)
@click.option("--lasting", default="10s", show_default=True, help="How long that lasts.")
@click.option("--no-cause", is_flag=True, help="Leave out whether overload outlives its cause.")
@click.option(
    "--within",
    metavar="SHARE",
    default="2%",
    show_default=True,
    help="How narrow a border shall be.",
)
@click.option("--horizon", help="Of each run.  [default: the scenario's, 10m at most]")
@set_option("Replace a setting of the scenario, e.g. traffic.retry.budget=10%.")
@seed_option
@click.option(
    "--replications",
    type=click.IntRange(min=2),
    help="At the first look at a load.  [default: 10]",
)
@keeping_options("capacity")
def capacity(
    scenario: str,
    limits: tuple[str, ...],
    downs: tuple[str, ...],
    cause: Cause | None,
    no_cause: bool,
    style: str,
    **options: Any,
) -> int:
    """Find out how much load is carried.

    The largest load that keeps the limits with none, one, two or a zone of the masters down; and
    from which load on an overload stays after its cause has gone, since retries keep it alive. A
    border is the largest load that was shown to hold, and the smallest that was shown to break.
    What the scenario varies is left out.

    Exit codes: 0 today's load is carried in all cases, 1 it is not shown to be, 2 bad input,
    4 a replication crashed, 130 interrupted.
    """
    from hasim.commands.output import show
    from hasim.deciding import capacity as find_out

    found, folder = kept_work(
        "capacity",
        find_out,
        scenario,
        limits=limits,
        down=downs,
        cause=None if no_cause else cause or "own",
        **options,
    )
    show(found, style)
    _keep(found, folder)
    return FINE if found.carries_today else FAILED


def _keep(found: Capacity, folder: Path) -> None:
    """Write the figure and the page, and say where."""
    from hasim.commands.output import keep_page
    from hasim.report.style import save

    path = folder / "capacity.png"
    save(found.figure(), path)
    note(f"Figure: {path}")
    keep_page(found, folder)
