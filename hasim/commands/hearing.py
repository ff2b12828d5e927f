"""Detectors that hear a recording: the options of ``hasim replay``, and what they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from hasim.commands.options import settings_pairs
from hasim.commands.output import show
from hasim.commands.shell import FINE, fail

C = TypeVar("C", bound=Callable[..., Any])
UNITS = ("timestamp", "ns", "us", "ms", "s", "m", "h", "d")


def _columns(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """The mapping of ``--column WHAT=COLUMN``."""
    pairs = settings_pairs(ctx, parameter, values, form="WHAT=COLUMN", example="time=ts")
    known = ("time", "target", "result", "number", "took")
    for what, _ in pairs:
        if what not in known:
            from hasim.settings.validation import nearest

            raise click.BadParameter(f"unknown column {what!r}{nearest(what, list(known))}")
    return dict(pairs)


OPTIONS = (
    click.option(
        "--detector",
        "detectors",
        multiple=True,
        metavar="NAME:SETTING=VALUE,...",
        help="A detector that hears FILE; several are compared.",
    ),
    click.option(
        "--outages",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="When masters were down: a table with start, end and, of several, resource.",
    ),
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="WHAT=COLUMN",
        callback=_columns,
        help="Which column holds the time, target, result, number, or took (how long it took).",
    ),
    click.option(
        "--unit",
        type=click.Choice(UNITS),
        default="timestamp",
        help="Of times that are numbers.  [default: time stamps]",
    ),
    click.option(
        "--took-unit",
        type=click.Choice(UNITS[1:]),
        default="ms",
        help="Of how long a check took.  [default: ms]",
    ),
    click.option(
        "--interval",
        metavar="DURATION",
        help="Time between two heartbeats or checks.  [default: the median of the gaps]",
    ),
    click.option(
        "--format",
        "style",
        type=click.Choice(["table", "json", "csv", "markdown"]),
        default="table",
        help="With --detector; csv has every verdict.  [default: table]",
    ),
)


def with_detectors(command: C) -> C:
    """The options of a recording and the detectors that hear it."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def show_contest(
    file: Path, detectors: tuple[str, ...], observer: str | None, style: str, **recording: Any
) -> int:
    """Compare detectors on a recording."""
    from hasim.findings.contest import hear
    from hasim.journal import JournalError
    from hasim.scenario.tables.errors import TraceError

    try:
        found = hear(file, detectors, observer=observer, **recording)
    except TraceError as error:
        fail("\n".join(trace_lines(error)))
    except JournalError as error:
        text = str(error)
        fail(text if text.startswith(f"{file}:") else f"{file}:1: {text}")
    show(found, style)
    return FINE


def refuse_without_detectors(recording: dict[str, Any]) -> None:
    """Options of recordings say nothing of a journal that is replayed as it is."""
    given = [name for name in ("outages", "columns", "interval") if recording[name]]
    if given:
        option = {"columns": "--column"}.get(given[0], f"--{given[0]}")
        fail(f"{option} needs --detector: without, a journal is replayed as it was")


def trace_lines(error: Any) -> list[str]:
    """What is wrong with a file, in the words of the command line."""
    lines = [
        ": ".join(filter(None, (f"{error.file}:{line}", column, message)))
        for line, column, message in error.lines
    ]
    ways = {"unit": "--unit"}
    lines += [
        f"{ways.get(setting, f'--column {setting}=...')}: {text}" if setting else text
        for setting, text in error.settings
    ]
    return lines
