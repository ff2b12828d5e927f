"""Printing results: the only place from which they go to stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hasim.journal import Journal
    from hasim.result import Result


def show(result: Result, style: str) -> None:
    """Print the estimates and verdicts of a run; the same bytes for the same run.

    `style` is ``table``, ``json``, ``csv`` or ``markdown``.
    """
    if style != "table":
        from hasim.exports import rendered

        click.echo(rendered(result, style), nl=False)
        return
    from hasim.report import terminal

    out = terminal.console()
    cells, summaries = result.cells, result.estimates
    out.print(terminal.summary_table(cells, summaries))
    if result.study.expect:
        out.print(terminal.verdict_table(cells, result.verdicts))
    out.print(
        terminal.footer(
            cells,
            summaries,
            seed=result.seed,
            replications=result.study.replications,
            note=" ".join(result.study.notes),
        )
    )


def show_story(journal: Journal, incident: dict[str, Any]) -> None:
    """Print what happened in one incident."""
    from hasim.report import terminal
    from hasim.report.explain import explain

    terminal.console().print(explain(journal, incident))
