"""``hasim watch``: the dashboard of the services, over a scenario or a journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hasim.commands.options import ScenarioName, asked, examples, set_option
from hasim.commands.shell import FINE, fail

if TYPE_CHECKING:
    from hasim.watch.sources import Source

JOURNALS = (".jsonl", ".jsonl.gz")
"""How the names of journals end."""
source_argument = click.argument("what", metavar="FILE|NAME|JOURNAL", type=ScenarioName())
cell_option = click.option(
    "--cell", type=click.IntRange(min=0), default=0, help="The cell of a scenario that varies."
)
replication_option = click.option("--replication", type=click.IntRange(min=0), default=0)


@click.command(
    epilog=examples(
        "hasim watch hang --speed 10",
        "hasim watch hang --set detection.fall=3 --cell 1",
        "hasim watch journals/cell-0-replication-0000.jsonl.gz",
    )
)
@source_argument
@click.option(
    "--speed",
    type=click.FloatRange(min=0.01, max=1000.0),
    default=1.0,
    show_default=True,
    help="Simulated seconds a second.",
)
@set_option("Replace a setting of the scenario.")
@cell_option
@replication_option
def watch(
    what: str,
    speed: float,
    overrides: list[tuple[str, str]],
    cell: int,
    replication: int,
) -> int:
    """Watch the services at work, in the terminal.

    A scenario is simulated while you watch: pause it (space), step (s), change its speed (+ and -),
    inject any fault (f) and see how the services react. Of a journal you see what its control plane
    knew. 80 x 24 are enough; with NO_COLOR there are no colours.
    """
    try:
        from hasim.watch.app import Dashboard
    except ImportError:
        fail("the dashboard needs textual: pip install 'hasim[watch]'")
    source = opened(what, overrides, cell, replication)
    try:
        Dashboard(source, speed).run()
    finally:
        source.close()
    return FINE


def opened(what: str, overrides: list[tuple[str, str]], cell: int, replication: int) -> Source:
    """What an argument names: a journal, or a cell of a scenario; ends with bad input."""
    from hasim.api import prepare
    from hasim.journal import read
    from hasim.watch.sources import Replayed, Simulated

    if what.endswith(JOURNALS):
        if overrides:
            fail("--set is of scenarios; `hasim replay JOURNAL --set` asks what would have been")
        return Replayed(read(Path(what)))
    loaded = prepare(asked(what), overrides=dict(overrides))
    if cell >= len(loaded.cells):
        fail(f"--cell: there is no cell {cell}; the scenario has {len(loaded.cells)}")
    return Simulated(loaded, cell, replication)
