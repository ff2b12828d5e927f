"""The pages that are derived: what stands in the code once is not written a second time here."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import checked
import click
import drawings
import messages
import systems

import hasim
from hasim.cli import main
from hasim.findings.lists import UNITS
from hasim.measures.catalogue import MEASURES
from hasim.oracle import INVARIANTS
from hasim.report.titles import blocks
from hasim.scenario.catalogue import shipped
from hasim.services.failover import lifecycle
from hasim.study.reference import Described, described

ROOT = Path(__file__).parents[1]


def write(folder: Path) -> None:
    """Write all of them into a folder; those that stay the same are not touched."""
    folder.mkdir(exist_ok=True)
    drawings.write(folder)
    made = {
        "configuration.md": configuration(),
        "measures.md": measures(),
        "measure-words.md": measure_words(),
        "invariants.md": invariants(),
        "commands.md": commands(),
        "api.md": api(),
        "scenarios.md": scenarios(),
        "drawings.md": drawings.page(),
        "lifecycle.md": failover_lifecycle(),
        "messages.md": messages.page(),
        "test-report.md": checked.page(),
        **systems.pages(folder),
    }
    for name, lines in made.items():
        text, path = "\n".join(lines) + "\n", folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


# -- settings ---------------------------------------------------------------------------


def configuration() -> Iterator[str]:
    """Every key of a scenario."""
    yield "# Configuration reference"
    yield (
        "\nEvery key of a scenario file: what it means, what it may be, what it is if it is not "
        "given, and where that comes from. The same is in `hasim algorithms`, in the JSON Schema "
        "(`hasim schema`) and in the messages about what is wrong in a file.\n"
    )
    yield (
        "Durations (`250ms`, `1h30m`), sizes (`64MiB`), bandwidths (`200MiB/s`), rates (`20/s`) "
        "and shares (`99.9%`) carry their unit. A duration is at most 10000 days, a count a "
        "million, unless its range says otherwise. What hasim reads from its environment: "
        "`NO_COLOR` (no colours), `COLUMNS` (the width of a pipe).\n"
    )
    for group, rows in itertools.groupby(described(), lambda one: one.service):
        yield f"## {group}\n"
        for row in rows:
            yield from _setting(row)


def _setting(row: Described) -> Iterator[str]:
    yield f"`{row.path}`"
    meaning = row.meaning or "See the keys below it."
    facts = [
        f"{row.kind}{f', {row.range}' if row.range else ''}" if row.kind else "",
        f"default `{row.default}`" if row.default else "",
    ]
    told = "; ".join(filter(None, facts))
    yield f": {_text(meaning)}{f' *({_text(told)})*' if told else ''}"
    if row.choices:
        yield ""
        for choice, about in zip(row.choices, row.about, strict=True):
            yield f"  - `{choice}`{f': {_text(about)}' if about else ''}"
    if row.source:
        yield f"\n  Source: {_text(row.source)}"
    yield ""


def _text(text: str) -> str:
    """A text from the code in Markdown: its braces, angles and stars are meant as they are."""
    words = " ".join(text.split())
    parts = words.split("`")
    for place in range(0, len(parts), 2):  # what is not between backticks
        for mark in "<>{}*_[]$|":
            parts[place] = parts[place].replace(mark, f"\\{mark}")
    return "`".join(parts)


# -- measures ---------------------------------------------------------------------------


def measures() -> Iterator[str]:
    """Every measure."""
    yield "# Measures"
    yield (
        "\nWhat `expect:`, `until:`, `--measures` and the tables speak of. Each comes with a 95 % "
        "confidence interval; what that rests on stands below each table.\n"
    )
    for block, names in blocks(MEASURES).items():
        yield f"## {block}\n"
        for name in names:
            found = MEASURES[name]
            way = "neither way is better" if found.neutral else f"{found.better} is better"
            statistic = f" ({found.statistic})" if found.statistic else ""
            yield f"`{name}`"
            yield f": {_text(found.meaning)}{statistic} *({UNITS[found.unit]}; {way})*"
            for more in (found.detail, found.source and f"Source: {found.source}"):
                if more:
                    yield f"\n  {_text(more)}"
            yield ""


def measure_words() -> Iterator[str]:
    """Every measure in a line, for the glossary."""
    for name, found in MEASURES.items():
        yield f"`{name}`"
        yield f": {_text(found.meaning)}"
        yield ""


# -- invariants -------------------------------------------------------------------------


def invariants() -> Iterator[str]:
    """Every invariant."""
    yield "# Invariants"
    yield "\nWhat `hasim run --check` checks of every replication.\n"
    for one in INVARIANTS.shipped.values():
        yield f"`{one.name}`"
        yield f": {_text(one.meaning)}\n\n  Otherwise: {_text(one.breach)}\n"


# -- commands and names -----------------------------------------------------------------


def commands() -> Iterator[str]:
    """The help of every command."""
    yield "# Commands\n"
    yield (
        "Exit codes of all: 0 fine, 1 a promise is broken or something got worse, 2 bad input, "
        "3 undecided, 4 a crash, 130 interrupted.\n"
    )
    top = click.Context(main, info_name="hasim", terminal_width=80)
    for name in main.list_commands(top):
        command = main.get_command(top, name)
        assert command is not None
        with click.Context(command, info_name=f"hasim {name}", terminal_width=80) as ctx:
            yield f"## hasim {name}\n\n```text\n{command.get_help(ctx)}\n```\n"


def api() -> Iterator[str]:
    """The public names of the package."""
    yield "# Python API\n\nAll of it is imported from `hasim`.\n"
    for name in hasim.__all__:
        if name.startswith("__"):
            continue
        public = getattr(hasim, name)
        home = f"{public.__module__}.{public.__qualname__}"
        if isinstance(public, type):
            yield f"## {name}\n\n```{{eval-rst}}\n.. autoclass:: {home}\n   :members:\n```\n"
        else:
            yield f"## {name}\n\n```{{eval-rst}}\n.. autofunction:: {home}\n```\n"


# -- scenarios and tables of the code ----------------------------------------------------


def scenarios() -> Iterator[str]:
    """The scenarios that come with hasim."""
    yield "# Shipped scenarios\n"
    yield "`hasim show NAME` prints one, `hasim new mine --like NAME` starts from it.\n"
    for name, path in sorted(shipped().items()):
        yield f"## {name}\n\n```yaml\n{path.read_text(encoding='utf-8').rstrip()}\n```\n"


def failover_lifecycle() -> Iterator[str]:
    """The table of legal transitions, as it stands in the code."""
    yield "# The lifecycle of a failover\n"
    yield (
        "What is not in the table is illegal: it raises `IllegalTransitionError` and changes "
        "nothing.\n"
    )
    yield "![The states of a failover and what leads from one to the next.](lifecycle.svg)\n"
    yield "| state | trigger | next state |\n|---|---|---|"
    for state, row in lifecycle.LIFECYCLE.items():
        for trigger, after in row.items():
            yield f"| {state or '(none)'} | {trigger} | {after} |"
