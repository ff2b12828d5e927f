"""``hasim algorithms``: what can be chosen and set, derived from the settings themselves."""

from __future__ import annotations

import json

import click

from hasim.commands.shell import FINE


@click.command()
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
)
def algorithms(style: str) -> int:
    """List algorithms and settings.

    Each with its meaning, kind, range, default and source."""
    from hasim.study.reference import described

    rows = described()
    if style == "json":
        click.echo(json.dumps([row.plain() for row in rows], indent=2, ensure_ascii=False))
        return FINE
    service = ""
    for row in rows:
        if row.service != service:
            service = row.service
            click.echo(f"{service}" if row is rows[0] else f"\n{service}")
        default = f" = {row.default}" if row.default else ""
        kind = ", ".join(filter(None, (row.kind, row.range)))
        click.echo(f"  {row.path}{default}{kind and f'  ({kind})'}")
        click.echo(f"      {row.meaning}")
        if any(row.about):
            width = max(map(len, row.choices))
            for choice, about in zip(row.choices, row.about, strict=True):
                click.echo(f"      - {choice:{width}}  {about}")
        elif row.choices:
            click.echo(f"      One of: {', '.join(row.choices)}")
        if row.source:
            click.echo(f"      Source: {row.source}")
    return FINE
