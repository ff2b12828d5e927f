"""``hasim budget``: the unavailability of a year, split by fault and by cause."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from hasim.commands.keeping import interrupted, keeping_options, seed_option
from hasim.commands.options import (
    as_variation,
    asked,
    examples,
    scenario_argument,
    set_option,
    settings_pairs,
    vary_option,
)
from hasim.commands.shell import (
    FAILED,
    FINE,
    UNDECIDED,
    fail,
    progress_bar,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hasim.findings.budgets import BudgetPlan, Budgets
    from hasim.scenario.loader import Loaded
    from hasim.scenario.tables.errors import TraceError
    from hasim.study.rare.rates import Rate

COLUMNS = ("start", "end", "duration", "resource")


def _pairs(form: str, example: str) -> Any:
    """A click callback that reads pairs of the given form."""

    def read(
        ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
    ) -> list[tuple[str, str]]:
        return settings_pairs(ctx, parameter, values, form=form, example=example)

    return read


def _duration(ctx: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A click callback that refuses what is no duration."""
    from hasim.units import parse_duration

    if text is not None:
        try:
            parse_duration(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return text


@click.command(
    epilog=examples(
        "hasim budget budget",
        "hasim budget promises --rate crash=12/y --rate hang=6/y --quiet 100h",
        "hasim budget budget --vary detection.fall=2..4 --dry-run",
        "hasim budget promises --trace outages.csv --where class=UNSCHEDULED",
    )
)
@scenario_argument
@click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="KIND=RATE",
    callback=_pairs("KIND=RATE", "crash=12/y"),
    help="Faults of one master, e.g. crash=12/y.  [default: what the scenario says]",
)
@click.option(
    "--trace",
    "traces",
    multiple=True,
    metavar="[KIND=]FILE",
    help="Fit the rate to recorded outages, a CSV file.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=COLUMN",
    callback=_pairs("NAME=COLUMN", "start=began_at"),
    help="Where the trace has start, end (or duration) and resource.",
)
@click.option(
    "--unit",
    type=click.Choice(["timestamp", "ns", "us", "ms", "s"]),
    default="timestamp",
    show_default=True,
    help="Of the times in the trace.",
)
@click.option(
    "--where",
    "filters",
    multiple=True,
    metavar="COLUMN=VALUE",
    callback=_pairs("COLUMN=VALUE", "class=UNSCHEDULED"),
    help="Only such rows of the trace.",
)
@click.option(
    "--resources",
    type=click.IntRange(min=1),
    help="How many were watched, those that never failed included.",
)
@click.option(
    "--measure",
    type=click.Choice(["uptime", "uptime.mean", "uptime.k_of_n", "success", "user_uptime"]),
    default="uptime",
    show_default=True,
    help="Of every partition at once, of the mean one, of enough masters, of messages, or of "
    "users' time.",
)
@set_option("Replace a setting, e.g. detection.fall=3 or faults.0.for=1h.")
@vary_option(
    "Compare values of a setting, e.g. detection.fall=2|3; several times.  "
    "[default: what the scenario varies]"
)
@seed_option
@click.option(
    "--replications", type=click.IntRange(min=2), help="Runs with one fault, for each kind."
)
@click.option(
    "--pairs", type=click.IntRange(min=0), help="Runs with two faults.  [default: as many]"
)
@click.option(
    "--triples",
    type=click.IntRange(min=0),
    default=0,
    help="Runs with three faults, each of which takes seven.  [default: none]",
)
@click.option(
    "--quadruples",
    type=click.IntRange(min=0),
    default=0,
    help="Runs with four faults, each of which takes fifteen.  [default: none]",
)
@click.option(
    "--quiet",
    metavar="TIME",
    callback=_duration,
    help="Simulated time without faults.  [default: 1h for each replication]",
)
@click.option(
    "--crude",
    metavar="TIME",
    callback=_duration,
    help="Also simulate plainly for this long, to compare.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be simulated, and simulate nothing.")
@keeping_options("budget", "")
def budget(
    scenario: str,
    rates: list[tuple[str, str]],
    overrides: list[tuple[str, str]],
    vary: list[tuple[str, str]],
    seed: int | None,
    replications: int | None,
    style: str,
    measure: Any,
    dry_run: bool,
    out: Path | None,
    **options: Any,
) -> int:
    """Split a year's downtime by fault and cause.

    Five and six nines from runs of minutes: faults are put into short runs, one at a
    time and two at a time (or more), and weighed with how often they strike. How often is given by
    --rate, fitted to a --trace, or in the scenario (every, schedule, projection).

    Exit codes: 0 fine, 1 the scenario expects more uptime (uptime.renewal_reward),
    2 bad input, 3 that is undecided, 4 a run crashed, 130 interrupted.
    """
    from hasim.api import prepare
    from hasim.commands.output import keep_page, show
    from hasim.deciding import budget as compute
    from hasim.study.folder.places import RUNS

    replaced = {**dict(overrides), **as_variation(vary)}
    loaded = prepare(asked(scenario), seed=seed, replications=replications, overrides=replaced)
    fitted = _fitted(loaded, **{n: options.pop(n) for n in _TRACE_OPTIONS})
    given: dict[str, Any] = {**fitted, **_once(rates, "--rate")}
    if dry_run:
        show(_planned(loaded, given, options), style)
        return FINE
    place = out or RUNS / f"{loaded.scenario.name}-budget"
    try:
        with progress_bar(loaded.scenario.name) as bar:
            how = {"measure": measure, "out": place, "progress": bar}
            found = compute(loaded, rates=given, **how, **options)
    except KeyboardInterrupt:
        interrupted(place)
    show(found, style)
    keep_page(found, place)
    return _exit_code(found)


def _planned(loaded: Loaded, given: Mapping[str, Any], options: Mapping[str, Any]) -> BudgetPlan:
    from hasim.findings.budgets import BudgetPlan
    from hasim.study.rare.amounts import amounts_of
    from hasim.study.rare.analysis import planned
    from hasim.study.rare.rates import parse_rates
    from hasim.units import parse_duration

    quiet, crude = options["quiet"], options["crude"]
    amounts = amounts_of(
        loaded,
        pairs=options["pairs"],
        quiet_ns=None if quiet is None else parse_duration(quiet),
        plain_ns=0 if crude is None else parse_duration(crude),
        triples=options["triples"],
        quadruples=options["quadruples"],
    )
    return BudgetPlan.of(planned(loaded, amounts, parse_rates(given)))


_TRACE_OPTIONS = ("traces", "columns", "unit", "filters", "resources")


def _exit_code(found: Budgets) -> int:
    verdicts = {verdict.verdict for cell in found.verdicts for verdict in cell}
    if "fail" in verdicts:
        return FAILED
    return UNDECIDED if "undecided" in verdicts else FINE


def _once(pairs: list[tuple[str, str]], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            fail(f"{option}: {name!r} is given twice")
        found[name] = value
    return found


def _fitted(
    loaded: Loaded,
    traces: tuple[str, ...],
    columns: list[tuple[str, str]],
    unit: str,
    filters: list[tuple[str, str]],
    resources: int | None,
) -> dict[str, Rate]:
    """The rates that are fitted to recorded outages, by kind."""
    from hasim.scenario.tables.errors import TraceError
    from hasim.settings.validation import from_plain
    from hasim.simulation.settings.recordings import OutageTrace
    from hasim.study.rare.rates import fit, kind_of

    if not traces:
        for option, given in (("--column", columns), ("--where", filters)):
            if given:
                fail(f"{option}: needs a --trace")
        if resources is not None:
            fail("--resources: needs a --trace")
        return {}
    kinds = list(dict.fromkeys(kind_of(f) for cell in loaded.cells for f in cell.world.faults))
    where: dict[str, tuple[str, ...]] = {}
    for column, value in filters:
        where[column] = (*where.get(column, ()), value)
    named = _columns(_once(columns, "--column"))
    found: dict[str, Rate] = {}
    for text in traces:
        kind, path = _kind_and_file(text, kinds)
        if kind in found:
            fail(f"--trace: {kind!r} is given twice")
        asked = {"trace": str(path), "unit": unit, "where": where, **named}
        try:
            found[kind] = fit(from_plain(OutageTrace, asked), resources)
        except TraceError as error:
            fail("\n".join(_lines(error, named)))
    return found


def _columns(given: Mapping[str, str]) -> dict[str, str]:
    from hasim.settings.validation import nearest

    for name in given:
        if name not in COLUMNS:
            fail(f"--column: a trace has no {name!r}{nearest(name, COLUMNS)}")
    return dict(given)


def _kind_and_file(text: str, kinds: list[str]) -> tuple[str, Path]:
    """The kind of fault that a trace is of: what is named, or the only one that there is."""
    kind, equals, path = text.partition("=")
    if equals and kind in kinds:
        return kind, Path(path)
    if len(kinds) != 1 or (equals and not Path(text).exists()):
        _refuse_trace(text, kind if equals else "", kinds)
    return kinds[0], Path(text)


def _refuse_trace(text: str, kind: str, kinds: list[str]) -> NoReturn:
    from hasim.settings.validation import nearest

    hint = nearest(kind, kinds, otherwise="the scenario has") if kind else f": {', '.join(kinds)}"
    fail(f"--trace {text}: expected KIND=FILE, where KIND is a fault of the scenario{hint}")


def _lines(error: TraceError, named: Mapping[str, str]) -> list[str]:
    """What is wrong with a trace, in the words of the command line."""
    lines = [
        ": ".join(filter(None, (f"{error.file}:{line}", column, message)))
        for line, column, message in error.lines
    ]
    for setting, message in error.settings:
        option = {"resources": "--resources: "}.get(setting, "")
        if setting in COLUMNS:
            option = f"--column {setting}={named.get(setting, '...')}: "
        elif setting.startswith("where."):
            option = f"--where {setting.removeprefix('where.')}: "
        lines.append(f"{option}{message}")
    return lines
