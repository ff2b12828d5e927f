"""A scenario to its budgets: which runs there are to be, and what they say together."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hasim.scenario import sent
from hasim.scenario.checks import world_problems
from hasim.scenario.document import Document, document_of, read_document
from hasim.scenario.problems import Problem, ScenarioError
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.traces.reading import span_problem
from hasim.settings.validation import SettingsError, Where
from hasim.simulation.settings import ConstantArrivals, PoissonArrivals, WorldSettings
from hasim.study.estimates.expectations import ONE_SIDED
from hasim.study.estimates.statistics import LEVEL, Interval, mean_interval, t_interval
from hasim.study.execution import executor
from hasim.study.execution.cluster import connected
from hasim.study.planning.own_algorithms import own_algorithms, warn_of
from hasim.study.planning.own_parts import own_parts
from hasim.study.rare.amounts import Amounts
from hasim.study.rare.combine import product, scaled
from hasim.study.rare.estimate import Budget, estimate
from hasim.study.rare.falsely import FalseFailovers, false_failovers
from hasim.study.rare.falsely.cost import Costs
from hasim.study.rare.kept import kept_runs, key_for
from hasim.study.rare.paired import Runs, faults_difference
from hasim.study.rare.rates import FaultClass, Rate, classes_of, kind_of, unknown_kinds
from hasim.study.rare.runs import QUIET_MESSAGES, QUIET_NS, Design, Trial, Trials
from hasim.study.rare.shortfalls import Measure, causes_of, unfit
from hasim.study.rare.waiting import waiting
from hasim.units import LONGEST_NS, SECOND, YEAR, format_duration, seconds

if TYPE_CHECKING:
    from pathlib import Path

    from distributed import Client

    from hasim.scenario.cells import Cell
    from hasim.scenario.loader import Loaded

MOST_COSTS = 40
"""Runs with a false failover each, to see what one costs."""
PLAIN_RUNS = 20
"""So many runs, at least, the plain simulation is cut into, for an interval."""


@dataclass(frozen=True)
class CellBudget:
    """The budget of one cell, and the unavailability of a plain simulation if there was one.

    `fence_fails` is how likely an order to the fencing device fails, if that is left to chance.
    `stateless`: it is the budget of a tier without state.
    """

    index: int
    varied: Mapping[str, Any]
    classes: tuple[FaultClass, ...]
    budget: Budget
    one_sided: Budget
    plain: Interval | None = None
    plain_s: float = 0.0
    fence_fails: float | None = None
    stateless: bool = False
    false: FalseFailovers | None = None
    false_down: Interval | None = None
    """False failovers by a method for rare events, and the seconds down of one."""
    more: Interval | None = None
    """How much more its faults cost than those of the first cell, in runs that are paired."""
    waiting: Mapping[str, Interval] = field(default_factory=dict)
    """Clients that are kept at the wrong master beside that (see `hasim.study.rare.waiting`)."""


def analyse(
    loaded: Loaded,
    amounts: Amounts,
    *,
    rates: Mapping[str, Rate] | None = None,
    of: Measure = "uptime",
    jobs: int | None = None,
    dask: str | Client | None = None,
    out: Path | None = None,
    fresh: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[CellBudget]:
    """The budget of each cell of a scenario.

    `rates` are by kind, before those of the scenario; `of` is the measure, see
    `hasim.study.rare.shortfalls`. `progress` is told how much is done, and of how much, of one
    thing after another: of the runs, of the replicates that estimate each cell's false failovers,
    and of the runs that say what these cost. The same seed gives the same numbers with any `jobs`.
    With `out`, a folder keeps each run (see `hasim.study.rare.kept`), and what is there is not done
    again, unless it is to be done `fresh`..

    Raises StoreError if that cannot be written, ScenarioError if a fault has no rate, a rate no
    fault, or a trace is too short.
    """
    designs = designs_of(loaded, amounts, rates)
    _check_measure(loaded, designs, of)
    wanted = {
        cell.index: _numbers(design, amounts)
        for design, cell in zip(designs, loaded.cells, strict=True)
    }
    warn_of(own_algorithms(loaded.data), loaded.scenario.world().data_plane)
    own = own_parts(loaded.data)
    with contextlib.ExitStack() as stack:
        cluster = None if dask is None else stack.enter_context(connected(dask, jobs))
        key = "" if out is None else key_for(loaded, designs, of)
        kept = stack.enter_context(kept_runs(out, key, fresh=fresh))
        missing = kept.missing(wanted, progress)
        traces = {} if cluster is None else sent.contents(loaded.traces())
        where: dict[str, Any] = {"jobs": jobs, "cluster": cluster}
        executor.execute(Trials(loaded, designs, of, traces), missing, kept.take, own=own, **where)
        false = {
            cell.index: false_failovers(
                cell.world,
                loaded.recorded_of(cell),
                seed=loaded.scenario.seed,
                progress=progress,
                **where,
            )
            for cell in loaded.cells
        }
        costs: dict[int, list[float]] = {cell: [] for cell, one in false.items() if one.told}

        def note(found: tuple[int, int, float]) -> None:
            costs[found[0]].append(found[2])
            if progress is not None:
                progress(sum(map(len, costs.values())), sum(map(len, numbers.values())))

        numbers = {cell: list(range(min(MOST_COSTS, amounts.singles))) for cell in costs}
        executor.execute(Costs(loaded, designs, of, traces), numbers, note, own=own, **where)
    runs = [
        _runs(design, {n: kept.trials[cell.index, n] for n in sorted(wanted[cell.index])})
        for design, cell in zip(designs, loaded.cells, strict=True)
    ]
    found = [
        _budget(design, cell, own, false[cell.index], sorted(costs.get(cell.index, [])), of)
        for design, cell, own in zip(designs, loaded.cells, runs, strict=True)
    ]
    others = zip(found[1:], runs[1:], strict=True)
    return [found[0], *(_compared(found[0], runs[0], *other, of=of) for other in others)]


def _compared(
    first: CellBudget, ours: Runs, cell: CellBudget, theirs: Runs, *, of: Measure
) -> CellBudget:
    """With how much more than the first cell its faults cost, if they strike as often."""
    kinds = [one.kind for one in first.classes]
    if kinds != [one.kind for one in cell.classes]:
        return cell
    return replace(cell, more=faults_difference(kinds, ours, theirs, causes=causes_of(of)))


def designs_of(
    loaded: Loaded, amounts: Amounts, rates: Mapping[str, Rate] | None = None
) -> tuple[Design, ...]:
    """The runs that a budget takes of each cell. Raises ScenarioError as `analyse`."""
    given = dict(rates or {})
    wrong = unknown_kinds([cell.world for cell in loaded.cells], given)
    if wrong:
        raise ScenarioError(Problem(str(loaded.source), None, "faults", text) for text in wrong)
    designs = tuple(_design(loaded, cell, given, amounts) for cell in loaded.cells)
    for design, cell in zip(designs, loaded.cells, strict=True):
        _check(loaded, design, cell, amounts)
    return designs


def planned(
    loaded: Loaded, amounts: Amounts, rates: Mapping[str, Rate] | None = None
) -> list[tuple[Cell, dict[str, tuple[int, float]]]]:
    """For each cell, by what the runs are for: how many, and the simulated seconds of them all.

    Without those that estimate rare false failovers. Raises ScenarioError as `analyse`.
    """
    found = []
    for design, cell in zip(designs_of(loaded, amounts, rates), loaded.cells, strict=True):
        runs: dict[str, tuple[int, float]] = {}
        for number in _numbers(design, amounts):
            name, count, end_ns = design.about(number)
            before = runs.get(name, (0, 0.0))
            runs[name] = (before[0] + count, before[1] + count * seconds(end_ns))
        found.append((cell, runs))
    return found


def _design(loaded: Loaded, cell: Cell, rates: Mapping[str, Rate], amounts: Amounts) -> Design:
    projection = loaded.scenario.projection
    mtbf_ns = None if projection is None else projection.mtbf_ns
    try:
        classes = classes_of(cell.world, rates, mtbf_ns)
    except SettingsError as error:
        document = _document(loaded)
        raise ScenarioError(document.problem(*problem) for problem in error.problems) from None
    except TraceError as error:
        texts = [line[-1] for line in error.lines] + [text for _, text in error.settings]
        raise ScenarioError(Problem(str(error.file), None, "", text) for text in texts) from None
    _check_rates(classes, rates)
    if not classes:
        text = "there are none, and so nothing to budget for"
        raise ScenarioError([_document(loaded).problem(("faults",), text)])
    span_ns = loaded.recorded_of(cell).arrivals_span_ns or LONGEST_NS
    quiet_ns = min(QUIET_NS, span_ns, _lasting(cell.world, QUIET_MESSAGES))
    return Design(
        world=cell.world,
        classes=tuple(classes),
        seed=loaded.scenario.seed,
        quiet_ns=max(1, min(quiet_ns, amounts.quiet_ns)),
        plain_ns=min(math.ceil(amounts.plain_ns / PLAIN_RUNS), span_ns),
        most=amounts.most,
    )


def _lasting(world: WorldSettings, messages: int) -> int:
    """How long so many messages last."""
    arrivals = world.traffic.arrivals
    if not isinstance(arrivals, PoissonArrivals | ConstantArrivals):
        return LONGEST_NS
    return min(LONGEST_NS, round(messages / arrivals.rate_per_s * SECOND))


def _document(loaded: Loaded) -> Document:
    """The scenario with its lines, if it is a file."""
    if loaded.source.is_file():
        return read_document(loaded.source)
    return document_of(loaded.data, str(loaded.source))


def _numbers(design: Design, amounts: Amounts) -> list[int]:
    """The runs of a cell, so ordered that all sorts advance together."""
    plain = math.ceil(amounts.plain_ns / design.plain_ns) if amounts.plain_ns else 0
    quiet = math.ceil(amounts.quiet_ns / design.quiet_ns)
    counts = [amounts.singles] * len(design.classes) + [amounts.pairs, quiet, plain]
    counts += [amounts.triples, amounts.quadruples][: design.most - 2]
    return [
        replication * design.groups + group
        for replication in range(max(counts))
        for group, count in enumerate(counts)
        if replication < count
    ]


def _check(loaded: Loaded, design: Design, cell: Cell, amounts: Amounts) -> None:
    """Raise ScenarioError if the longest of the runs asks for more messages than there are."""
    _check_amounts(cell.world, amounts)
    ends = [design.quiet_ns, design.plain_ns]
    for number in _numbers(design, amounts):
        group = number % design.groups
        if group < len(design.classes):
            ends.append(design.end_ns(design.single(number, group)))
        elif order := design.order(number):
            ends.append(design.end_ns(*design.several(order, number).strikes))
    longest = design.struck(max(ends))
    problems = list(world_problems(longest))
    if design.plain_ns:
        problems += world_problems(design.plain())
    short = span_problem(longest, loaded.recorded_of(cell))
    if short:
        text = f"{short}, of the longest run; shorter faults (faults.0.for) make shorter runs"
        problems.append((("traffic", "arrivals"), text))
    if problems:
        document = _document(loaded)
        raise ScenarioError(document.problem(*problem) for problem in problems)


def _check_measure(loaded: Loaded, designs: Sequence[Design], of: Measure) -> None:
    """Raise ScenarioError if a world has no such measure."""
    for design in designs:
        if why := unfit(design.world, of):
            raise ScenarioError([_document(loaded).problem(("traffic",), why)])


def _check_amounts(world: WorldSettings, amounts: Amounts) -> None:
    """Raise SettingsError if runs are so short that none of them sees a probe."""
    period_ns = max(tier.detection.period_ns for tier in world.apart)
    shown = format_duration(period_ns)
    wrong: list[tuple[Where, str]] = []
    if amounts.quiet_ns < period_ns:
        text = f"must be at least {shown} (the rhythm of detection), to see a probe"
        wrong.append((("quiet",), text))
    if 0 < amounts.plain_ns < PLAIN_RUNS * period_ns:
        least = format_duration(PLAIN_RUNS * period_ns)
        text = f"must be at least {least}: {PLAIN_RUNS} times the rhythm of detection, {shown}"
        wrong.append((("crude",), text))
    if wrong:
        raise SettingsError(wrong)


def _check_rates(classes: Sequence[FaultClass], given: Mapping[str, Rate]) -> None:
    """Raise SettingsError if a given rate lets a fault strike again before it is over."""
    wrong: list[tuple[Where, str]] = []
    for one in classes:
        kind, per_s, lasts_s = kind_of(one.fault), one.rate.per_s.value or 0.0, one.kind.mean_s
        if kind in given and per_s * lasts_s >= 1:
            most = f"{seconds(YEAR) / lasts_s:.3g}/y"
            text = (
                f"strikes every {1 / per_s:.3g} s, lasts {lasts_s:.3g} s: expected less than {most}"
            )
            wrong.append(((f"rate {kind}",), text))
    if wrong:
        raise SettingsError(wrong)


def _runs(design: Design, trials: Mapping[int, Trial]) -> Runs:
    """What the runs of a cell are for."""
    names = [one.name for one in design.classes]
    grouped: list[list[Any]] = [[] for _ in range(design.groups)]
    for number in sorted(trials):
        grouped[number % design.groups].append(trials[number].found)
    singles, (pairs, quiet, plain, *more) = grouped[: len(names)], grouped[len(names) :]
    by_order = dict(enumerate(more, 3))
    return Runs(dict(zip(names, singles, strict=True)), pairs, by_order, quiet, plain)


def _budget(
    design: Design,
    cell: Cell,
    runs: Runs,
    false: FalseFailovers,
    costs: Sequence[float],
    of: Measure,
) -> CellBudget:
    plain = runs.plain
    after_s = seconds(design.after_ns)
    kinds = [one.kind for one in design.classes]

    down = mean_interval(costs) if len(costs) > 1 else None
    mistaken = None
    if false.told is not None and down is not None:
        mistaken = product(scaled(false.told, 1 / seconds(YEAR)), down)

    def at(level: float) -> Budget:
        windows = {kind.name: kind.mean_s + after_s for kind in kinds}
        return estimate(
            kinds,
            runs.singles,
            runs.pairs,
            runs.quiet,
            more=runs.more,
            window_s=windows,
            mistaken=mistaken,
            causes=causes_of(of),
            level=level,
        )

    return CellBudget(
        index=cell.index,
        varied=dict(cell.varied),
        classes=design.classes,
        budget=at(LEVEL),
        one_sided=at(ONE_SIDED),
        plain=t_interval([sum(run.down_s) / run.span_s for run in plain]) if plain else None,
        plain_s=sum(run.span_s for run in plain),
        fence_fails=design.fence_fails,
        stateless=design.world.stateless,
        false=false,
        false_down=down,
        waiting=waiting(kinds, runs.singles),
    )
