"""``hasim report`` and ``hasim plot``: a run as a page, and one figure of it as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from hasim.commands.options import examples, seen_as, view_options
from hasim.commands.shell import FINE, fail, nearest, note

SUFFIXES = (".svg", ".png", ".pdf")
"""What a figure may be written as."""


class FigureName(click.types.StringParamType):
    """The name of a figure."""

    name = "figure"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The figures that there are."""
        from hasim.findings.pictures import FIGURES

        return [CompletionItem(name) for name in FIGURES if name.startswith(incomplete)]


@click.command(
    epilog=examples(
        "hasim report RUN",
        "hasim report RUN -o mine.html --incident 3 --incident 17",
    )
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: report.html in RUN]",
)
@click.option(
    "--incident",
    "incidents",
    type=click.IntRange(min=1),
    multiple=True,
    help="Take this incident apart.  [default: the longest outage of each cell]",
)
@view_options
def report(run: Path, output: Path | None, incidents: tuple[int, ...], **view: Any) -> int:
    """Write a run as one HTML file.

    RUN is a run folder. The page opens from disk and needs no network: the verdict, tables that
    sort, figures with their data as CSV, and each incident; those that are taken apart have a
    timeline and their story, for which their replications are simulated again.
    """
    from hasim.api import load_run

    result = seen_as(load_run(run), view)
    place = run / "report.html" if output is None else output
    try:
        result.report(place, incidents)
    except LookupError as error:
        fail(f"{run}: {error.args[0]}")
    except OSError as error:
        fail(f"{place}: cannot write there: {error.strerror}")
    click.echo(str(place))
    note(f"{place.stat().st_size / 1e6:,.1f} MB; open it in a browser.")
    return FINE


@click.command(
    epilog=examples(
        "hasim plot RUN --figure detection --output detection.svg",
        "hasim plot RUN --figure intervals -o x.png --measures outage.mean,uptime",
    )
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--figure", metavar="NAME", type=FigureName(), required=True, help="The figure: see above."
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write: .svg, .png or .pdf.",
)
@view_options
def plot(run: Path, figure: str, output: Path, **view: Any) -> int:
    """Draw one figure of a run, for a paper.

    The figures: intervals (estimates with their 95 % intervals), detection and failover (shares by
    a time, with what was censored), phases (of an outage), causes (of unavailability), latency (of
    answered messages), timeline, course (success and latency) and load (by master) of the longest
    outage, curve and heat-map (over numbers that are swept).
    """
    from hasim.api import load_run
    from hasim.findings.pictures import FIGURES
    from hasim.report import style

    if figure not in FIGURES:
        fail(f"--figure: there is no figure '{figure}'. {nearest(figure, FIGURES)}")
    if output.suffix not in SUFFIXES:
        fail(f"--output: expected a name that ends in {', '.join(SUFFIXES)}, got '{output}'")
    result = seen_as(load_run(run), view)
    drawn = result.figure(figure)
    if drawn is None:
        fail(f"{run}: has no data for the figure {figure}")
    try:
        style.save(drawn, output)
    except OSError as error:
        fail(f"{output}: cannot write there: {error.strerror}")
    click.echo(str(output))
    return FINE
