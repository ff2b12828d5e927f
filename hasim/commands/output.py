"""Printing results: the only place from which they go to stdout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hasim.commands.shell import detail, note

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


def keep_page(finding: Finding, folder: Path) -> None:
    """Write the page of a finding into the folder of its work, and say where.

    Without the charting library there is none, which only ``--verbose`` tells.
    """
    from hasim.report.html.library import NoLibraryError

    path = folder / "report.html"
    try:
        finding.report(path)
    except NoLibraryError as error:
        detail(f"No page: {error}")
    else:
        note(f"Page: {path}")
