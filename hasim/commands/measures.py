"""``hasim measures``: what can be expected, compared and gated, from the catalogue itself."""

from __future__ import annotations

import click

from hasim.commands.shell import FINE


@click.command()
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json", "markdown"]),
    default="table",
    show_default=True,
)
def measures(style: str) -> int:
    """List the measures.

    Each with its unit, which way is better, and what it means."""
    from hasim.report import measures as report

    shown = {"table": report.as_text, "json": report.as_json, "markdown": report.as_markdown}
    click.echo(shown[style](), nl=False)
    return FINE
