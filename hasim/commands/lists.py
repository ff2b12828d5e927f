"""``hasim algorithms``, ``measures`` and ``invariants``: what can be set, measured and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hasim.commands.options import SettingWord, examples, format_option
from hasim.commands.shell import FINE, fail, nearest

if TYPE_CHECKING:
    from hasim.findings.lists import Invariants, Measures, Settings


@click.command(
    epilog=examples("hasim algorithms", "hasim algorithms slow start", "hasim algorithms hash")
)
@click.argument("words", nargs=-1, metavar="[WORD]...", type=SettingWord())
@format_option
def algorithms(words: tuple[str, ...], style: str) -> int:
    """List algorithms and settings.

    Each with its meaning, kind, range, default and source; with WORDs those alone that
    say each of them."""
    from hasim.findings.lists import Settings
    from hasim.study.reference import described

    return _show(Settings(described()), words, style)


@click.command(epilog=examples("hasim measures", "hasim measures outage --format markdown"))
@click.argument("words", nargs=-1, metavar="[WORD]...")
@format_option
def measures(words: tuple[str, ...], style: str) -> int:
    """List the measures.

    Each with its unit, which way is better, and what it means; with WORDs those alone
    that say each of them."""
    from hasim.findings.lists import Measures
    from hasim.measures.catalogue import MEASURES

    return _show(Measures(list(MEASURES)), words, style)


@click.command(epilog=examples("hasim invariants", "hasim invariants owner"))
@click.argument("words", nargs=-1, metavar="[WORD]...")
@format_option
def invariants(words: tuple[str, ...], style: str) -> int:
    """List what `--check` checks.

    Each invariant with what it means, and what it means if it is broken; with WORDs those alone
    that say each of them."""
    from hasim.findings.lists import Invariants
    from hasim.oracle import INVARIANTS

    return _show(Invariants(list(INVARIANTS.known.values())), words, style)


def _show(listed: Settings | Measures | Invariants, words: tuple[str, ...], style: str) -> int:
    from hasim.commands.output import show

    found = listed.about(words)
    if not found.paper().sheets:
        said = {str(word) for row in listed.tidy().rows for word in str(row[1]).split(".")}
        fail(f"nothing says {' and '.join(map(repr, words))}. {nearest(words[-1], said)}")
    show(found, style)
    return FINE
