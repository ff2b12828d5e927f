"""Printing results: the only place from which they go to stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hasim.report.finding import Finding


def show(finding: Finding, style: str) -> None:
    """Print a finding; the same bytes for the same one.

    `style` is ``table``, in colours if that is a terminal, or another of its forms.
    """
    if style == "table":
        finding.print()
    else:
        click.echo(finding.render(style), nl=False)
