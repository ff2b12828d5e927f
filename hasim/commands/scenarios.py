"""``hasim list``, ``show``, ``validate``, ``new`` and ``schema``: scenario files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from hasim import stored
from hasim.commands.options import (
    ScenarioName,
    SystemName,
    asked,
    examples,
    format_option,
    scenario_argument,
    set_option,
)
from hasim.commands.shell import BAD_INPUT, FINE, fail, note


@click.command("list", epilog=examples("hasim list", "hasim list --format json"))
@format_option
def list_(style: str) -> int:
    """List the scenarios that come with hasim."""
    from hasim.commands.output import show as show_finding
    from hasim.findings.scenarios import Shipped
    from hasim.scenario.catalogue import shipped

    show_finding(Shipped(shipped()), style)
    return FINE


@click.command(epilog=examples("hasim show quickstart", "hasim show hang > mine.yaml"))
@click.argument("scenario", metavar="NAME|FILE", type=ScenarioName())
def show(scenario: str) -> int:
    """Print a scenario file.

    NAME is one of `hasim list`. `hasim new --like NAME` makes a file of your own of it.
    """
    from hasim.report.visible import visible_lines
    from hasim.scenario.catalogue import find

    path = find(scenario)
    try:
        text = stored.text(stored.content(path, pipes=True))
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}")
    except stored.StoredError as error:
        fail(f"{path}: {error}")
    # To a file or another program it goes as it is.
    click.echo(visible_lines(text) if sys.stdout.isatty() else text, nl=False)
    return FINE


@click.command(
    epilog=examples(
        "hasim validate quickstart",
        "hasim validate quickstart --set detection.fall=3 --format json",
        "hasim show hang | hasim validate -",
    )
)
@scenario_argument
@set_option("Replace a setting before validating.")
@format_option
def validate(scenario: str, overrides: list[tuple[str, str]], style: str) -> int:
    """Say all that is wrong with a scenario.

    Exit code 2 if anything is, also where that is told as json, csv or markdown.
    """
    from hasim.api import prepare
    from hasim.commands.output import show as show_finding
    from hasim.findings.scenarios import Validity
    from hasim.scenario.problems import ScenarioError

    try:
        loaded = prepare(asked(scenario), overrides=dict(overrides))
    except ScenarioError as error:
        if style == "table":
            raise
        show_finding(Validity(scenario, problems=error.problems), style)
        return BAD_INPUT
    if style == "table":
        for remark in loaded.remarks():
            note(remark)
    show_finding(Validity(str(loaded.source), loaded), style)
    return FINE


@click.command(
    epilog=examples(
        "hasim new mine",
        "hasim new mine --like quickstart",
        "hasim new mine --from patroni",
        "hasim new --from patroni",
    )
)
@click.argument("name", required=False)
@click.option(
    "--from",
    "system",
    metavar="SYSTEM",
    type=SystemName(),
    help="Start from what a system's own configuration says, key by key: haproxy, keepalived, "
    "kubernetes, orchestrator, pacemaker, patroni, pg-auto-failover, sentinel, statefulset, "
    "two-sites.",
)
@click.option(
    "--like",
    metavar="NAME",
    type=ScenarioName(files=False),
    help="Start from a scenario of `hasim list`, with the recorded data that it uses.",
)
def new(name: str | None, like: str | None, system: str | None) -> int:
    """Write a commented scenario to start from.

    It goes to NAME.yaml; one --from a system is printed if there is no NAME.
    """
    from hasim.scenario.catalogue import copied, of_system, template

    if system is not None and like is not None:
        fail("--from and --like: one of them")
    if name is None:
        if system is None:
            raise click.UsageError("Missing argument 'NAME'.")
        click.echo(of_system(system, system), nl=False)
        return FINE
    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    stem = path.stem if name else ""
    files: dict[str, bytes] = {}
    if system is not None:
        text = of_system(system, stem)
    elif like is not None:
        text, files = copied(like, stem)
    else:
        text = template(stem)
    _refuse_others(path.parent, files)
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
        for place, content in files.items():
            (path.parent / place).parent.mkdir(parents=True, exist_ok=True)
            (path.parent / place).write_bytes(content)
    except FileExistsError:
        fail(f"{path}: exists already; it is left as it is")
    except OSError as error:
        fail(f"{error.filename or path}: cannot write there: {error.strerror}")
    click.echo(str(path))
    for place in files:
        note(f"With {path.parent / place}")
    return FINE


def _refuse_others(folder: Path, files: dict[str, bytes]) -> None:
    """End with bad input if there are other files of these names."""
    for place, content in files.items():
        there = folder / place
        if there.exists() and not (there.is_file() and there.read_bytes() == content):
            fail(f"{there}: exists already, and is another; it is left as it is")


@click.command(epilog=examples("hasim schema > hasim.schema.json"))
def schema() -> int:
    """Print the JSON Schema of scenarios."""
    from hasim.scenario.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
    return FINE
