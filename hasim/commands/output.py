"""Printing results: the only place from which they go to stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hasim.findings.finding import Finding
    from hasim.journal import Journal


def show(finding: Finding, style: str) -> None:
    """Print a finding; the same bytes for the same one.

    `style` is ``table``, in colours if that is a terminal, or another of its forms.
    """
    if style == "table":
        finding.print()
    else:
        click.echo(finding.render(style), nl=False)


def show_story(journal: Journal, incident: dict[str, Any], observer: str) -> None:
    """Print what happened in one incident."""
    from hasim.report.explain import explain
    from hasim.report.forms import terminal

    terminal.console().print(explain(journal, incident, observer))
