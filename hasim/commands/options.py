"""Options, arguments and examples that several commands have, each defined once."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click
from click.shell_completion import CompletionItem

from hasim.commands.shell import nearest, warn

if TYPE_CHECKING:
    from hasim.findings.result import Result
    from hasim.report.cells import Cell

C = TypeVar("C", bound=Callable[..., Any])
STDIN = "-"
"""In place of a scenario's file: it is read from standard input."""


def examples(*lines: str) -> str:
    """What stands below the help of a command: how it is typed. Tests try each line."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


# -- what is completed in a shell --------------------------------------------------------


class ScenarioName(click.types.StringParamType):
    """A scenario file, or the name of a shipped one; ``-`` is standard input."""

    name = "scenario"

    def __init__(self, *, files: bool = True) -> None:
        self._files = files

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names of shipped scenarios, and files."""
        from hasim.scenario.catalogue import shipped

        names = [CompletionItem(n) for n in sorted(shipped()) if n.startswith(incomplete)]
        # First, since bash forgets what it was told before it hears of files.
        return [CompletionItem(incomplete, type="file"), *names] if self._files else names


class SystemName(click.types.StringParamType):
    """A system whose configuration a new scenario can be written after."""

    name = "system"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The systems that there are."""
        from hasim.scenario.catalogue import systems

        return [CompletionItem(name) for name in systems() if name.startswith(incomplete)]


class PathValue(click.types.StringParamType):
    """``PATH=VALUE``, where the path is that of a setting."""

    name = "path=value"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Paths of settings with an equals sign behind them; after it, what may be chosen."""
        return [CompletionItem(text) for text in _completed(incomplete)]


class SettingWord(click.types.StringParamType):
    """A word to look for among settings."""

    name = "word"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Paths of settings."""
        return [CompletionItem(text.rstrip("=")) for text in _completed(incomplete)]


def _completed(incomplete: str) -> Iterator[str]:
    from hasim.study.reference import described

    path, equals, value = incomplete.partition("=")
    for setting in described():
        if not equals and setting.path.startswith(path):
            yield f"{setting.path}="
        elif equals and setting.path == path:
            yield from (f"{path}={c}" for c in setting.choices if c.startswith(value))


# -- options ------------------------------------------------------------------------------

FORMATS = click.Choice(["table", "json", "csv", "markdown", "page"])
format_option = click.option("--format", "style", type=FORMATS, default="table", show_default=True)
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes.  [default: all cores]"
)


def _warn_of_open_doors(
    ctx: click.Context, parameter: click.Parameter, address: str | None
) -> str | None:
    """A click callback: whoever reaches a scheduler without TLS can run code on its workers."""
    if address is not None and is_exposed(address):
        warn(
            f"Warning: {address} is no address of this machine and has no TLS: whoever reaches the "
            "scheduler can run code on its workers (docs/how-to/run-on-a-cluster.md: tls://...)"
        )
    return address


def is_exposed(address: str) -> bool:
    """Whether a scheduler's address is neither of this machine alone nor protected by TLS."""
    scheme, _, place = address.rpartition("://")
    if address == LOCAL_CLUSTER or scheme in ("tls", "wss", "inproc"):
        return False
    try:
        host = urlsplit(f"//{place}").hostname or ""
    except ValueError:
        return False  # it is no address, which is said elsewhere
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


LOCAL_CLUSTER = "local"
"""In place of an address: a cluster of this machine is started."""
dask_option = click.option(
    "--dask",
    metavar="ADDRESS",
    callback=_warn_of_open_doors,
    help="Run on a Dask cluster: the address of its scheduler, or local to start one.",
)
scenario_argument = click.argument("scenario", metavar="FILE|NAME|-", type=ScenarioName())


def asked(scenario: str) -> Any:
    """What `hasim.api.prepare` takes for an argument: itself, or standard input."""
    return sys.stdin.buffer if scenario == STDIN else scenario


def settings_pairs(
    ctx: click.Context,
    parameter: click.Parameter | None,
    values: tuple[str, ...],
    *,
    form: str = "PATH=VALUE",
    example: str = "detection.fall=3",
) -> list[tuple[str, str]]:
    """The (path, value) pairs of ``--set PATH=VALUE``; a click callback."""
    pairs = []
    for text in values:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise click.BadParameter(f"expected {form} such as {example}, got '{text}'")
        pairs.append((path.strip(), value.strip()))
    return pairs


def set_option(meaning: str) -> Callable[[C], C]:
    """The option --set, which may be given several times."""
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        type=PathValue(),
        metavar="PATH=VALUE",
        callback=settings_pairs,
        help=meaning,
    )


def vary_option(meaning: str) -> Callable[[C], C]:
    """The option --vary, which may be given several times: pairs of path and values as written."""

    def read(
        ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
    ) -> list[tuple[str, str]]:
        example = "detection.interval=1s..30s:log5"
        return settings_pairs(ctx, parameter, values, form="PATH=VALUES", example=example)

    return click.option(
        "--vary",
        multiple=True,
        type=PathValue(),
        metavar="PATH=VALUES",
        callback=read,
        help=meaning,
    )


def varied(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The values of each path of ``--vary``, as they are written."""
    found: dict[str, str] = {}
    for path, values in pairs:
        if path in found:
            raise click.BadParameter(f"{path} is given twice", param_hint="--vary")
        found[path] = values
    return found


def as_variation(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What ``--vary`` varies in place of what the scenario varies and compares."""
    from hasim.scenario.document import Place
    from hasim.scenario.loader import Given
    from hasim.scenario.ranges import values_of

    grid: dict[str, Any] = {}
    for path, text in varied(pairs).items():
        try:
            grid[path] = values_of(text)
        except ValueError as error:
            raise click.BadParameter(f"{path}: {error}", param_hint="--vary") from None
    if not grid:
        return {}
    place = Place(" ".join(f"--vary {path}={text}" for path, text in pairs), None)
    return {"vary": Given(grid, place), "baseline": Given({}, place)}


def baseline_of(given: Sequence[str], cells: Callable[[], Sequence[Cell]]) -> dict[str, Any]:
    """The values that ``--baseline`` gives: PATH=VALUE each, or one cell as a table calls it.

    `cells` are looked at only if it may be a label.
    """
    from hasim.scenario.document import parse_value

    if len(given) == 1 and ("=" not in given[0] or "." not in given[0].partition("=")[0]):
        from hasim.report.cells import labels

        known = cells()
        names = labels(known)
        if given[0] in names:
            return dict(known[names.index(given[0])][1])
        if "=" not in given[0]:
            near = nearest(given[0], names)
            raise click.BadParameter(f"no cell is called {given[0]!r}. {near}")
    pairs = settings_pairs(click.get_current_context(), None, tuple(given))
    try:
        return {path: parse_value(value) for path, value in pairs}
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def baseline_option(meaning: str) -> Callable[[C], C]:
    """The option --baseline, which may be given several times; `baseline_of` reads it."""

    return click.option(
        "--baseline",
        multiple=True,
        type=PathValue(),
        metavar="PATH=VALUE|LABEL",
        help=meaning,
    )


class MeasureName(click.types.StringParamType):
    """The name of a measure."""

    name = "measure"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names of all measures; after a comma, of one more."""
        from hasim.measures.catalogue import MEASURES

        before, comma, word = incomplete.rpartition(",")
        return [CompletionItem(f"{before}{comma}{m}") for m in MEASURES if m.startswith(word)]


def _measure(ctx: click.Context, parameter: click.Parameter, name: str) -> str:
    """The name of a measure of which one value is better than another; a click callback."""
    from hasim.measures.catalogue import find

    for found in _measures(ctx, parameter, name):
        if find(found).neutral:
            raise click.BadParameter(f"{found} is neither better nor worse")
    return name.strip()


def _measures(ctx: click.Context, parameter: click.Parameter, names: str) -> tuple[str, ...]:
    """The names of measures, with commas between them; a click callback."""
    from hasim.measures.catalogue import find

    found = tuple(filter(None, (name.strip() for name in names.split(","))))
    try:
        for name in found:
            find(name)
    except LookupError as error:
        raise click.BadParameter(str(error.args[0])) from None
    return found


def seen_as(result: Result, view: Mapping[str, Any]) -> Result:
    """A result as the options of `view_options` ask for it."""
    return result.seen(**{name: value for name, value in view.items() if value})


def view_options(command: C) -> C:
    """The options that choose what is shown of a result: columns, order, and what is best."""
    for option in (
        click.option(
            "--best",
            type=MeasureName(),
            metavar="MEASURE",
            default="",
            callback=_measure,
            help="Say which cell is best by this measure.",
        ),
        click.option(
            "--sort",
            type=MeasureName(),
            metavar="MEASURE",
            default="",
            callback=_measure,
            help="Order the cells by this measure, the best first.",
        ),
        click.option(
            "--measures",
            type=MeasureName(),
            metavar="MEASURE,...",
            default="",
            callback=_measures,
            help="Show these measures (`hasim measures` lists them).",
        ),
    ):
        command = option(command)
    return command
