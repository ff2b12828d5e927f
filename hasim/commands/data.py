"""``hasim data``: what is in a file, and what of a scenario it could be."""

from __future__ import annotations

import dataclasses

import click

from hasim.commands.options import examples, set_option
from hasim.commands.shell import BAD_INPUT, FINE, fail

SCENARIOS = (".yaml", ".yml")


@click.command(epilog=examples("hasim data rtt.csv", "hasim data outages.csv --format json"))
@click.argument("file", metavar="FILE")
@set_option("Say how the file is written: header=0, delimiter=semicolon, decimal=comma.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
)
def data(file: str, overrides: list[tuple[str, str]], style: str) -> int:
    """Look at a file: what is in it, what could it be used for?

    Shows how its table is written and what the columns hold, and the lines to paste into a
    scenario, which have been tried. Exit code 2 if it is no table, or would be refused.
    """
    from hasim.api import data as inspect
    from hasim.scenario.document import parse_value
    from hasim.scenario.tables.errors import TraceError

    try:
        layout = {path: parse_value(value) for path, value in overrides}
        found = inspect(file, **layout)
    except TraceError as error:
        fail("\n".join(_lines(error, file)))
    if style == "json":
        plain = dataclasses.asdict(found)
        plain["facts"]["path"] = file
        from hasim.report.forms.json_text import json_text

        click.echo(json_text(plain), nl=False)
    else:
        from hasim.report.inspection import as_text
        from hasim.report.visible import visible_lines

        click.echo(visible_lines(as_text(found)), nl=False)
    return BAD_INPUT if found.uses and all(use.refused for use in found.uses) else FINE


def _lines(error: object, file: str) -> list[str]:
    """What is wrong with a file, in the words of the command line."""
    from hasim.scenario.tables.errors import TraceError

    assert isinstance(error, TraceError)
    lines = [
        ": ".join(filter(None, (f"{error.file}:{line}", column, message)))
        for line, column, message in error.lines
    ]
    lines += [f"--set {setting}: {text}" if setting else text for setting, text in error.settings]
    if file.endswith(SCENARIOS):
        lines.append(f"(If it is a scenario: hasim validate {file})")
    return lines
