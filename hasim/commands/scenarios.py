"""``hasim list``, ``validate``, ``new`` and ``schema``: scenario files."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from pathlib import Path

import click

from hasim.commands.options import set_option
from hasim.commands.shell import FINE, counted, fail, note


@click.command("list")
def list_() -> int:
    """List the scenarios that come with hasim."""
    from hasim.scenario.catalogue import shipped

    found = shipped()
    width = max(map(len, found), default=0)
    # In a pipe the width is 80 unless COLUMNS says otherwise; a name is never cut.
    room = max(40, shutil.get_terminal_size().columns - width - 2)
    for name, path in sorted(found.items()):
        click.echo(f"{name:{width}}  {_opening(path, room)}".rstrip())
    return FINE


def _opening(path: Path, room: int) -> str:
    """What the comment that a scenario file opens with begins to say."""
    words: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        words += line.lstrip("#").split()
    sentence = re.split(r"(?<=[a-z])[.:;] ", " ".join(words), maxsplit=1)[0]
    return textwrap.shorten(sentence.rstrip("."), room, placeholder=" ...")


@click.command()
@click.argument("file", metavar="FILE|NAME")
@set_option("Replace a setting before validating.")
def validate(file: str, overrides: list[tuple[str, str]]) -> int:
    """Say all that is wrong with a scenario."""
    from hasim.api import prepare
    from hasim.scenario.replications import Sequential

    loaded = prepare(file, overrides=dict(overrides))
    rule = loaded.scenario.replications
    if isinstance(rule, Sequential):
        each = f"{rule.at_least:,} to {counted(rule.at_most, 'replication')} each"
    else:
        each = f"{counted(rule, 'replication')} each"
    for remark in loaded.remarks():
        note(remark)
    click.echo(f"{loaded.source}: valid: {counted(len(loaded.cells), 'cell')}, {each}")
    return FINE


@click.command()
@click.argument("name")
def new(name: str) -> int:
    """Write a commented scenario, NAME.yaml."""
    from hasim.scenario.catalogue import template

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    text = template(path.stem if name else "")
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        fail(f"{path}: exists already; it is left as it is")
    except OSError as error:
        fail(f"{path}: cannot write there: {error.strerror}")
    click.echo(str(path))
    return FINE


@click.command()
def schema() -> int:
    """Print the JSON Schema of scenarios."""
    from hasim.scenario.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
    return FINE
