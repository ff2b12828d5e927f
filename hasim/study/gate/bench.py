"""A suite against its baseline: looks, more replications where the verdict is open, a report."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hasim.scenario import sent
from hasim.study.execution import executor
from hasim.study.execution.cluster import Cluster, connected
from hasim.study.execution.program import versions
from hasim.study.execution.runner import ReplicationError
from hasim.study.gate.baseline import (
    Baseline,
    BaselineCell,
    NoBaselineError,
    read_baseline,
)
from hasim.study.gate.changes import change_of, changed_versions, speed_of
from hasim.study.gate.environment import environment_of, settings_of
from hasim.study.gate.judge import Comparison, Paired, judge, pair
from hasim.study.gate.observe import Observe, Observed
from hasim.study.gate.outcome import Change, GateReport
from hasim.study.gate.suite import DEFAULT_SUITE, Suite, SuiteCell, read_suite
from hasim.study.planning.own_algorithms import own_algorithms, warn_of
from hasim.study.planning.own_parts import own_parts

if TYPE_CHECKING:
    from distributed import Client

Progress = Callable[[int], None]
"""Called with the number of replications that are done."""


class Runs:
    """The observations of a suite so far, by cell and replication."""

    def __init__(
        self,
        suite: Suite,
        jobs: int | None = None,
        progress: Progress | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self.cells = suite.cells
        names = [name for cell in suite.cells for name in cell.loaded.traces()]
        self._work = Observe(suite.cells, {} if cluster is None else sent.contents(names))
        self._where: dict[str, Any] = {"jobs": jobs, "cluster": cluster}
        data = [cell.loaded.data for cell in suite.cells]
        self._own = own_parts(*data)
        planes = {cell.loaded.scenario.data_plane for cell in suite.cells}
        warn_of(own_algorithms(*data), "reference" if planes == {"reference"} else "compiled")
        self._progress = progress
        self._found: defaultdict[int, dict[int, Observed]] = defaultdict(dict)
        self.errors: dict[int, str] = {}
        """What a replication of a cell raised; such a cell is not observed any further."""

    def extend(self, wanted: Mapping[int, int]) -> None:
        """Observe cells up to a number of replications."""
        while True:
            todo = {
                cell: [r for r in range(upto) if r not in self._found[cell]]
                for cell, upto in wanted.items()
                if cell not in self.errors
            }
            try:
                executor.execute(self._work, todo, self._take, own=self._own, **self._where)
            except executor.WorkersLostError as error:
                cell, replication = error.task
                self._fail(cell, replication, str(error))
            else:
                return

    def _fail(self, cell: int, replication: int, why: str) -> None:
        name = self.cells[cell].name
        self.errors.setdefault(cell, f"replication {replication} of {name} failed\n{why}")

    def count(self, cell: int) -> int:
        """How many replications of a cell there are."""
        return len(self._found[cell])

    def of(self, cell: int) -> list[Observed]:
        """The replications of a cell in their order."""
        return [self._found[cell][replication] for replication in range(self.count(cell))]

    def _take(self, one: Observed) -> None:
        if one.error:
            self._fail(one.cell, one.replication, one.error)
        self._found[one.cell][one.replication] = one
        if self._progress is not None:
            self._progress(sum(map(len, self._found.values())))


@contextlib.contextmanager
def _runs(
    suite: Suite, jobs: int | None, dask: str | Client | None, progress: Progress | None
) -> Iterator[Runs]:
    """Observations on processes of this machine, or on a cluster. Raises ClusterError."""
    with contextlib.ExitStack() as stack:
        cluster = None if dask is None else stack.enter_context(connected(dask, jobs))
        yield Runs(suite, jobs, progress, cluster)


def bench(
    suite: Suite | str | Path = DEFAULT_SUITE,
    baseline: Baseline | str | Path = "hasim-baseline.json",
    *,
    overrides: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    dask: str | Client | None = None,
    exact: bool = False,
    speed: bool = False,
    progress: Progress | None = None,
) -> GateReport:
    """Run a suite and compare it with a baseline, replication by replication.

    Each cell starts with its least number of replications; where a verdict is open, the number
    is doubled, up to the cap or to what the baseline holds. `overrides` (dotted path to value)
    replace settings in every scenario of a suite that is read from a file. With `exact` any change
    of behaviour is a regression, with `speed` also a slower program. `jobs` and `dask` as in
    `hasim.run`.

    A replication that crashes is in the report's `errors`, and its cell is not compared.

    Raises ScenarioError for a bad suite, and BaselineError for a bad baseline.
    """
    wanted = suite if isinstance(suite, Suite) else read_suite(suite, overrides)
    name = "given" if isinstance(baseline, Baseline) else str(baseline)
    try:
        known = baseline if isinstance(baseline, Baseline) else read_baseline(baseline)
    except NoBaselineError as error:
        missing = {cell.name: str(error) for cell in wanted.cells}
        return GateReport(wanted.name, name, (), (), (), missing, exact=exact, speed=speed)
    started = time.perf_counter()
    comparable = {}
    missing = {}
    for number, cell in enumerate(wanted.cells):
        reason = _not_comparable(cell, known)
        if reason:
            missing[cell.name] = reason
        else:
            comparable[number] = known.cells[cell.name]
    with _runs(wanted, jobs, dask, progress) as runs:
        comparisons = _looks(wanted, runs, comparable)
    return _report(
        wanted,
        runs,
        known,
        comparable,
        comparisons,
        baseline=name,
        missing=missing,
        exact=exact,
        speed=speed,
        wall_s=time.perf_counter() - started,
    )


def record(
    suite: Suite | str | Path = DEFAULT_SUITE,
    old: Baseline | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    dask: str | Client | None = None,
    progress: Progress | None = None,
) -> tuple[Baseline, GateReport]:
    """A new baseline of a suite, with all replications, and how it differs from an old one.

    Raises ScenarioError like `bench`, and ReplicationError if a replication crashed.
    """
    wanted = suite if isinstance(suite, Suite) else read_suite(suite, overrides)
    started = time.perf_counter()
    with _runs(wanted, jobs, dask, progress) as runs:
        runs.extend({number: cell.at_most for number, cell in enumerate(wanted.cells)})
    for error in runs.errors.values():
        raise ReplicationError(error)
    cells = {
        cell.name: _baseline_cell(cell, runs.of(number)) for number, cell in enumerate(wanted.cells)
    }
    made = Baseline(wanted.name, versions(), cells)
    known = old or Baseline(wanted.name, made.versions, {})
    reasons = {
        cell.name: "new in the baseline" if cell.name not in known.cells else reason
        for cell in wanted.cells
        if (reason := _not_comparable(cell, known))
    }
    comparable = {
        number: known.cells[cell.name]
        for number, cell in enumerate(wanted.cells)
        if cell.name not in reasons
    }
    report = _report(
        wanted,
        runs,
        known,
        comparable,
        _compared(wanted, runs, comparable, looks=1),
        baseline="the old baseline",
        missing=reasons,
        wall_s=time.perf_counter() - started,
    )
    return made, report


def _not_comparable(cell: SuiteCell, known: Baseline) -> str:
    """Why a cell cannot be compared; empty if it can."""
    if cell.name not in known.cells:
        return "not in the baseline"
    before = known.cells[cell.name]
    if before.environment != environment_of(cell):
        return "the scenario has changed (its world, faults, traffic or seed)"
    lacking = [measure for measure in cell.margins if measure not in before.values]
    if lacking:
        return f"the baseline has no {', '.join(lacking)}"
    if before.replications < cell.at_least:
        return f"the baseline has {before.replications} replications, needed {cell.at_least}"
    return ""


def _looks(suite: Suite, runs: Runs, comparable: Mapping[int, BaselineCell]) -> list[Comparison]:
    """Replications and verdicts in turns, until all is decided or the cap is reached."""
    plans = {
        number: sorted({min(upto, before.replications) for upto in suite.cells[number].looks})
        for number, before in comparable.items()
    }
    looks = max((len(plan) for plan in plans.values()), default=1)
    open_cells = set(plans)
    found: list[Comparison] = []
    while open_cells:
        runs.extend({number: plans[number].pop(0) for number in sorted(open_cells)})
        comparable = {n: before for n, before in comparable.items() if n not in runs.errors}
        found = _compared(suite, runs, comparable, looks=looks, plans=plans)
        undecided = {one.cell for one in found if one.verdict == "inconclusive"}
        open_cells = {
            number
            for number, plan in plans.items()
            if plan and number not in runs.errors and suite.cells[number].name in undecided
        }
    return found


def _compared(
    suite: Suite,
    runs: Runs,
    comparable: Mapping[int, BaselineCell],
    *,
    looks: int,
    plans: Mapping[int, Sequence[int]] | None = None,
) -> list[Comparison]:
    """The verdicts on what has been observed so far."""
    pairs: list[Paired] = []
    at_cap: list[bool] = []
    changed: list[bool] = []
    for number, before in comparable.items():
        cell, after = suite.cells[number], runs.of(number)
        n = min(len(after), before.replications)
        differs = any(
            one.fingerprint != other
            for one, other in zip(after[:n], before.fingerprints[:n], strict=True)
        )
        for measure, margin in cell.margins.items():
            old = before.values[measure]
            known = [value for value in old if value is not None]
            limit = margin.of(sum(known) / len(known) if known else 0.0)
            new = [one.values[measure] for one in after[:n]]
            pairs.append(pair(cell.name, measure, limit, old[:n], new))
            at_cap.append(not (plans or {}).get(number))
            changed.append(differs)
    return judge(pairs, looks=looks, at_cap=at_cap, changed=changed)


def _report(
    suite: Suite,
    runs: Runs,
    known: Baseline,
    comparable: Mapping[int, BaselineCell],
    comparisons: Sequence[Comparison],
    **rest: Any,
) -> GateReport:
    changes: list[Change] = []
    speeds = []
    for number, before in comparable.items():
        if number in runs.errors:
            continue
        cell, after = suite.cells[number], runs.of(number)
        changes.append(change_of(cell.name, before, after, settings_of(cell)))
        speeds.append(speed_of(cell.name, before, after, 1 + suite.slower))
    names = {cell.name for cell in suite.cells}
    return GateReport(
        suite=suite.name,
        comparisons=tuple(comparisons),
        changes=tuple(changes),
        speeds=tuple(speeds),
        errors={suite.cells[number].name: error for number, error in runs.errors.items()},
        unused=tuple(name for name in known.cells if name not in names),
        versions=changed_versions(known.versions),
        **rest,
    )


def _baseline_cell(cell: SuiteCell, observed: Sequence[Observed]) -> BaselineCell:
    return BaselineCell(
        environment=environment_of(cell),
        settings=settings_of(cell),
        values={
            measure: tuple(one.values[measure] for one in observed) for measure in cell.margins
        },
        fingerprints=tuple(one.fingerprint for one in observed if one.fingerprint is not None),
        speeds=tuple(one.speed for one in observed),
    )
