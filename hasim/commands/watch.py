"""``hasim watch`` and ``serve``: the services at work, over a scenario or a journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hasim.commands.options import ScenarioName, asked, examples, set_option
from hasim.commands.shell import FINE, fail, note

if TYPE_CHECKING:
    from hasim.watch.sources import Source

JOURNALS = (".jsonl", ".jsonl.gz")
"""How the names of journals end."""
source_argument = click.argument("what", metavar="FILE|NAME|JOURNAL", type=ScenarioName())
cell_option = click.option(
    "--cell", type=click.IntRange(min=0), default=0, help="The cell of a scenario that varies."
)
replication_option = click.option("--replication", type=click.IntRange(min=0), default=0)


speed_option = click.option(
    "--speed",
    type=click.FloatRange(min=0.01, max=1000.0),
    default=1.0,
    show_default=True,
    help="Simulated seconds a second.",
)


@click.command(
    epilog=examples(
        "hasim watch hang --speed 10",
        "hasim watch hang --set detection.fall=3 --cell 1",
        "hasim watch journals/cell-0-replication-0000.jsonl.gz",
    )
)
@source_argument
@speed_option
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


@click.command(epilog=examples("hasim serve hang", "hasim serve quickstart --port 9464 --speed 10"))
@source_argument
@click.option(
    "--port",
    type=click.IntRange(min=0, max=65535),
    default=9464,
    show_default=True,
    help="The port on 127.0.0.1; 0 takes a free one.",
)
@speed_option
@set_option("Replace a setting of the scenario.")
@cell_option
@replication_option
def serve(
    what: str,
    port: int,
    speed: float,
    overrides: list[tuple[str, str]],
    cell: int,
    replication: int,
) -> int:
    """Serve the dashboard and its metrics over HTTP.

    / is the dashboard as a page for a browser, which follows what happens; /dashboard what it
    shows, as JSON; /metrics OpenMetrics text with Unix time, for Prometheus. The scenario or
    journal goes on meanwhile, and stands still at its end. Ctrl-C ends it. Nobody else can reach
    it: it listens on 127.0.0.1.
    """
    import threading

    try:
        from hasim.watch.server import Served, server
    except ImportError:
        fail("serving metrics needs prometheus-client: pip install 'hasim[watch]'")
    source = opened(what, overrides, cell, replication)
    try:
        served = Served(source, speed)
        try:
            made = server(served, port)
        except OSError as error:
            fail(f"--port {port}: cannot listen there: {error.strerror}")
        with made:
            stop = threading.Event()
            threading.Thread(target=made.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{made.server_port}"
            click.echo(f"{address}/metrics")
            note(f"The dashboard: {address}/ (Ctrl-C ends it)")
            try:
                served.follow(stop)
            except KeyboardInterrupt:
                note("Ended.")
            finally:
                made.shutdown()
    finally:
        source.close()
    return FINE


def opened(what: str, overrides: list[tuple[str, str]], cell: int, replication: int) -> Source:
    """What an argument names: a journal, or a cell of a scenario; ends with bad input."""
    from hasim.api import prepare
    from hasim.journal import read
    from hasim.told import as_told
    from hasim.watch.sources import Replayed, Simulated

    if what.endswith(JOURNALS):
        if overrides:
            fail("--set is of scenarios; `hasim replay JOURNAL --set` asks what would have been")
        journal = as_told(read(Path(what)))
        if journal.cut:
            note(journal.cut)
        return Replayed(journal)
    loaded = prepare(asked(what), overrides=dict(overrides))
    if cell >= len(loaded.cells):
        fail(f"--cell: there is no cell {cell}; the scenario has {len(loaded.cells)}")
    return Simulated(loaded, cell, replication)
