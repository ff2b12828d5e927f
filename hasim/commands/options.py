"""Options that several commands have, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

C = TypeVar("C", bound=Callable[..., Any])
FORMATS = click.Choice(["table", "json", "csv", "markdown"])
format_option = click.option("--format", "style", type=FORMATS, default="table", show_default=True)
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes.  [default: all cores]"
)
dask_option = click.option(
    "--dask",
    metavar="ADDRESS",
    help="Run on a Dask cluster: the address of its scheduler, or local to start one.",
)


def settings_pairs(
    ctx: click.Context,
    parameter: click.Parameter,
    values: tuple[str, ...],
    *,
    form: str = "PATH=VALUE",
    example: str = "detection.fall=3",
) -> list[tuple[str, str]]:
    """The (path, value) pairs of ``--set PATH=VALUE``; a click callback."""
    pairs = []
    for text in values:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise click.BadParameter(f"expected {form} such as {example}, got '{text}'")
        pairs.append((path.strip(), value.strip()))
    return pairs


def set_option(meaning: str) -> Callable[[C], C]:
    """The option --set, which may be given several times."""
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="PATH=VALUE",
        callback=settings_pairs,
        help=meaning,
    )


def baseline_option(meaning: str) -> Callable[[C], C]:
    """The option --baseline, which may be given several times: a mapping of path to value."""

    def read(
        ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
    ) -> dict[str, Any]:
        if not values:
            return {}
        from hasim.scenario.document import parse_value

        pairs = settings_pairs(ctx, parameter, values)
        try:
            return {path: parse_value(value) for path, value in pairs}
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return click.option(
        "--baseline", multiple=True, metavar="PATH=VALUE", callback=read, help=meaning
    )
