"""A suite file: which scenarios the gate runs, what it compares, and how much worse is too much."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from hasim.scenario import catalogue
from hasim.scenario.document import Document, document_of, read_document
from hasim.scenario.expectations import Expectation
from hasim.scenario.loader import Given, Loaded, from_data, load
from hasim.scenario.problems import Problem, ScenarioError
from hasim.settings import count, settings, share
from hasim.settings.validation import SettingsError, Where, from_plain, nearest
from hasim.study.gate.quantities import comparable

MSER = (
    "warm_up: mser-5 looks at all replications of a cell together, and the gate compares them one "
    "by one: expected a duration, or none (set: {warm_up: 30s})"
)
DEFAULT_SUITE = Path(__file__).with_name("default.yaml")
"""The suite that comes with hasim."""
LEAST = 5
"""Fewer pairs cannot show anything at 5 %: even if all of them differ, that has chance 1/2^4."""


@settings
class MarginSettings:
    """How much worse a measure may become: the larger of the two."""

    absolute: str | int | float = 0
    """In the unit of the measure: `100ms`, `0.1%`, `2/h` or a number."""
    relative: Annotated[float, share("Share of the baseline's mean.", most=10.0)] = 0.0


@settings
class ReplicationsSettings:
    """How many replications are compared: more while the verdict is open, up to a cap."""

    at_least: Annotated[int, count("Replications of the first look.", least=LEAST)] = 10
    at_most: Annotated[
        int, count("Replications of the last look, and of the baseline.", least=LEAST)
    ] = 40


@settings
class EntrySettings:
    """One scenario of the suite."""

    scenario: str | dict[str, Any]
    """A shipped scenario's name, a file (relative to the suite), or a scenario written in place."""
    set_: dict[str, Any] = field(default_factory=dict)
    """Settings of the scenario to replace: dotted path to value."""
    measures: tuple[str, ...]
    """What is compared."""
    margins: dict[str, MarginSettings] = field(default_factory=dict)
    """Margins of this scenario alone, by measure."""
    replications: ReplicationsSettings | None = None
    """Replications of this scenario alone."""


@settings
class SuiteSettings:
    """What a suite file may say."""

    name: str = ""
    """A short name. Empty: the name of the file."""
    replications: ReplicationsSettings = ReplicationsSettings()
    """Replications of each scenario."""
    margins: dict[str, MarginSettings] = field(default_factory=dict)
    """Margins by measure, for all scenarios."""
    slower: Annotated[float, share("How much slower is too slow, if speed counts.", most=10.0)] = (
        0.5
    )
    scenarios: dict[str, EntrySettings]
    """The scenarios by the names that the report gives them."""


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse a measure may become, in its unit, or as a share of the baseline's mean."""

    absolute: float
    relative: float

    def of(self, baseline_mean: float) -> float:
        """The margin beside this baseline: the larger of the two."""
        return max(self.absolute, self.relative * abs(baseline_mean))


@dataclass(frozen=True, slots=True)
class SuiteCell:
    """One cell of one scenario of the suite, ready to run.

    `name` is unique in the suite; `cell` is its number in `loaded`.
    """

    name: str
    loaded: Loaded
    cell: int
    margins: Mapping[str, Margin]
    at_least: int
    at_most: int

    @property
    def looks(self) -> tuple[int, ...]:
        """The numbers of replications after which the verdict is looked at: doubled each time."""
        found = [self.at_least]
        while found[-1] < self.at_most:
            found.append(min(2 * found[-1], self.at_most))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite whose scenarios are loaded. `slower` is the share by which speed may fall."""

    name: str
    source: Path
    cells: tuple[SuiteCell, ...]
    slower: float

    @property
    def most(self) -> int:
        """The replications of all cells, if every verdict stays open to the end."""
        return sum(cell.at_most for cell in self.cells)


def read_suite(
    path: str | Path = DEFAULT_SUITE, overrides: Mapping[str, Any] | None = None
) -> Suite:
    """Read a suite file and load its scenarios.

    `overrides` (dotted path to value) are applied to every scenario, after the suite's own:
    the way to ask what a changed setting would do. Raises ScenarioError with all problems.
    """
    path = Path(path)
    return _suite(read_document(path), path, overrides or {})


def suite_from_data(
    data: Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    *,
    source: Path | None = None,
) -> Suite:
    """Like `read_suite`, of data as a suite file would hold them."""
    path = source or Path("suite.yaml")
    return _suite(document_of(data, str(path)), path, overrides or {})


def _suite(document: Document, path: Path, overrides: Mapping[str, Any]) -> Suite:
    try:
        wanted = from_plain(SuiteSettings, document.data)
    except SettingsError as error:
        raise ScenarioError(document.problem(*one) for one in error.problems) from None
    problems: list[Problem] = []
    if not wanted.scenarios:
        problems.append(document.problem(("scenarios",), "expected a scenario or more"))
    common = dict(_margins(document, ("margins",), wanted.margins, problems))
    cells: list[SuiteCell] = []
    for name, entry in wanted.scenarios.items():
        where = ("scenarios", name)
        own = dict(_margins(document, (*where, "margins"), entry.margins, problems))
        margins = dict(_chosen(document, where, entry.measures, {**common, **own}, problems))
        times = entry.replications or wanted.replications
        if times.at_least > times.at_most:
            at = (*where, "replications") if entry.replications else ("replications",)
            problems.append(document.problem(at, "at_least is more than at_most"))
        try:
            loaded = _load(document, where, entry, path, overrides)
        except ScenarioError as error:
            problems += error.problems
            continue
        if any(cell.world.warm_up == "mser-5" for cell in loaded.cells):
            problems.append(document.problem((*where, "scenario"), MSER))
        cells += [
            SuiteCell(
                _name(name, cell.varied), loaded, cell.index, margins, times.at_least, times.at_most
            )
            for cell in loaded.cells
        ]
    if problems:
        raise ScenarioError(problems)
    return Suite(wanted.name or path.stem, path, tuple(cells), wanted.slower)


def _margins(
    document: Document, where: Where, margins: Mapping[str, MarginSettings], problems: list[Problem]
) -> Iterator[tuple[str, Margin]]:
    for measure, written in margins.items():
        try:
            yield measure, Margin(_absolute(measure, written.absolute), written.relative)
        except ValueError as error:
            problems.append(document.problem((*where, measure), str(error)))


def _absolute(measure: str, written: str | float) -> float:
    """A margin in the unit of its measure. Raises ValueError."""
    if measure not in (known := comparable()):
        raise ValueError(f"no measure that can be compared{nearest(measure, known)}")
    if written == 0:
        return 0.0
    try:
        return Expectation.parse(measure, f"<= {written}").bound
    except ValueError as error:
        example = str(error).partition('"')[2].partition('"')[0].lstrip("<>= ")
        raise ValueError(f"expected a margin such as {example}, got {written!r}") from None


def _chosen(
    document: Document,
    where: Where,
    measures: Iterable[str],
    margins: Mapping[str, Margin],
    problems: list[Problem],
) -> Iterator[tuple[str, Margin]]:
    known = comparable()
    for place, measure in enumerate(measures):
        if measure not in known:
            message = f"no measure that can be compared{nearest(measure, known)}"
        elif measure not in margins:
            message = f"has no margin: give margins: {{{measure}: {{relative: 2%}}}}"
        else:
            yield measure, margins[measure]
            continue
        problems.append(document.problem((*where, "measures", place), message))


def _load(
    document: Document,
    where: Where,
    entry: EntrySettings,
    suite: Path,
    overrides: Mapping[str, Any],
) -> Loaded:
    """The scenario of an entry, with the suite's settings, then those of the caller."""
    own = {
        path: Given(value, document.place_of((*where, "set", path)))
        for path, value in entry.set_.items()
    }
    replaced = [*own.items(), *overrides.items()]
    if isinstance(entry.scenario, dict):
        data = {"name": where[-1], **entry.scenario}
        return from_data(data, replaced, source=suite)
    beside = suite.parent / entry.scenario
    try:
        return load(beside if beside.is_file() else catalogue.find(entry.scenario), replaced)
    except ScenarioError as error:
        if beside.is_file() or entry.scenario in catalogue.shipped():
            raise
        messages = [problem.message for problem in error.problems]
        raise ScenarioError(
            document.problem((*where, "scenario"), f"{entry.scenario}: {message}")
            for message in messages
        ) from None


def _name(entry: str, varied: Mapping[str, Any]) -> str:
    """``crash``, or ``crash[detection.fall=3]`` for one cell of several."""
    if not varied:
        return entry
    parts = (
        f"{path}={value if isinstance(value, str) else json.dumps(value)}"
        for path, value in varied.items()
    )
    return f"{entry}[{', '.join(parts)}]"
