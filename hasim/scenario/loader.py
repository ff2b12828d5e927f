"""A scenario file -> a validated scenario, its cells, and its traces; or all that is wrong."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hasim.scenario.checks import matrix_problems, scenario_problems, world_problems
from hasim.scenario.csvtable import TraceError
from hasim.scenario.document import (
    Document,
    PathError,
    Place,
    document_of,
    parse_value,
    read_document,
)
from hasim.scenario.likes import with_likes
from hasim.scenario.problems import Problem, ScenarioError
from hasim.scenario.schema import WORLD_KEYS, Scenario
from hasim.scenario.sent import TRACE_KEYS, trace_names
from hasim.scenario.traces import read_recorded, span_problem
from hasim.scenario.variation import Pick, Plan, plan_of, repeated_cells, variation_problems
from hasim.settings import fields_by_user_name
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import MatrixTrace, WorldSettings
from hasim.validation import SettingsError, Where, nearest, validate

Overrides = Iterable[tuple[str, Any]]
MOST_CELLS = 1000
"""Each takes a replication or more, and a row in every table."""


@dataclass(frozen=True)
class Cell:
    """One point of the study: what is varied (path to value, as written), and the world."""

    index: int
    varied: dict[str, Any]
    world: WorldSettings


@dataclass(frozen=True)
class Loaded:
    """A scenario that is ready to run. It can be pickled; traces are read where they are used.

    `data` is the scenario as plain data, after overrides, with absolute paths
    of its traces.
    """

    scenario: Scenario
    cells: tuple[Cell, ...]
    source: Path
    data: dict[str, Any]

    def recorded_of(self, cell: Cell) -> Recorded:
        """The traces of a cell; a file is read once in a process. Raises ScenarioError."""
        recorded, errors = read_recorded(cell.world)
        if errors:
            document = document_of(self.data, str(self.source))
            raise ScenarioError(
                p for where, e in errors for p in _trace_problems(document, where, e)
            )
        return recorded

    def traces(self) -> list[str]:
        """The paths of all traces that some cell may need."""
        return list(dict.fromkeys(trace_names(self.data)))

    def resolved(self) -> str:
        """YAML that loads to the same cells from anywhere on this machine."""
        from ruamel.yaml import YAML

        yaml = YAML()
        yaml.width = 1000
        stream = io.StringIO()
        yaml.dump(self.data, stream)
        return stream.getvalue()


def load(path: str | Path, overrides: Overrides = ()) -> Loaded:
    """Read a scenario file, with `overrides` (dotted path, YAML text or value) in place.

    Raises ScenarioError with everything that is wrong: first with all fields
    that are bad in themselves, then, if there are none, with all that do not
    fit together.
    """
    path = Path(path)
    return _load(read_document(path), overrides, path)


def from_data(
    data: Mapping[str, Any], overrides: Overrides = (), *, source: str | Path = "scenario"
) -> Loaded:
    """Like `load`, of data as a YAML file would hold them.

    `source` stands for the file in messages; traces are relative to its folder.
    """
    return _load(document_of(data, str(source)), overrides, Path(source))


def _load(document: Document, overrides: Overrides, source: Path) -> Loaded:
    problems = list(_override(document, overrides))
    if not document.data.get("name"):
        document.data["name"] = source.stem
    written = plan_of(document.data)
    document.data = with_absolute_traces(document.data, Path(os.path.abspath(source.parent)))  # noqa: PTH100
    scenario = _validated(document, problems)
    if scenario is not None:
        found = [*scenario_problems(scenario), *world_problems(scenario.world())]
        problems += [document.problem(where, message) for where, message in found]
        problems += _traces_of(document, scenario.world())
    cells = list(_cells(document, written, problems))
    if scenario is None or problems:
        raise ScenarioError(sorted(problems, key=lambda p: (p.line is None, p.file, p.line or 0)))
    return Loaded(scenario, tuple(cells), source, document.data)


def _override(document: Document, overrides: Overrides) -> Iterator[Problem]:
    for path, written in overrides:
        place = Place(f"--set {path}={written}", None)
        try:
            value = parse_value(written) if isinstance(written, str) else written
            document.set(path, value, place)
        except (PathError, ValueError) as error:
            yield Problem(place.file, None, "", str(error))


def _validated(document: Document, problems: list[Problem]) -> Scenario | None:
    """The scenario in the document, or None and its problems."""
    masters, origins, found = with_likes(document.data.get("masters"))
    problems += [document.problem(where, message) for where, message in found]
    data = {**document.data, "masters": masters} if "masters" in document.data else document.data
    try:
        return validate(Scenario, data)
    except SettingsError as error:
        for where, message in error.problems:
            origin = origins.get(where[:3])
            at = where if origin is None else (*origin, *where[3:])
            problems.append(document.problem(at, message))
        return None


def _cells(document: Document, written: Plan, problems: list[Problem]) -> Iterator[Cell]:
    """The cells of the study: `written` with the traces as written, the worlds with their paths."""
    found = list(_variation_problems(document, written))
    problems += found
    if found:
        return
    absolute = plan_of(document.data)
    for index, (picks, shown) in enumerate(zip(absolute.cells(), written.cells(), strict=True)):
        world = _cell_world(document, picks, problems)
        if world is not None:
            yield Cell(index, {pick.path: pick.value for pick in shown}, world)


def _variation_problems(document: Document, plan: Plan) -> Iterator[Problem]:
    for path, where in plan.paths:
        top = path.partition(".")[0]
        if top not in WORLD_KEYS:
            known = top in fields_by_user_name(Scenario)
            message = "cannot be varied" if known else f"unknown key{nearest(top, WORLD_KEYS)}"
            yield document.problem(where, message)
    found = list(variation_problems(plan))
    if plan.count > MOST_CELLS:
        each = " (every combination is one)" if plan.grid else ""
        found.append((("vary",), f"makes {plan.count:,} cells{each}; the most is {MOST_CELLS:,}"))
    for where, message in found or repeated_cells(plan):
        yield document.problem(where, message)


def _cell_world(
    document: Document, picks: list[Pick], problems: list[Problem]
) -> WorldSettings | None:
    cell = document.copy()
    for pick in picks:
        place = document.place_of(pick.where)
        try:
            cell.set(pick.path, pick.value, place)
        except PathError as error:
            problems.append(Problem(place.file, place.line, pick.path, str(error)))
    scenario = _validated(cell, problems)
    if scenario is None:
        return None
    world = scenario.world()
    problems += [cell.problem(where, message) for where, message in world_problems(world)]
    problems += _traces_of(cell, world)
    return world


def _traces_of(document: Document, world: WorldSettings) -> Iterator[Problem]:
    """What is wrong with the traces, or with a world that they do not fit."""
    recorded, errors = read_recorded(world)
    for where, error in errors:
        yield from _trace_problems(document, where, error)
    if isinstance(world.network.rtt, MatrixTrace) and recorded.rtt_ns:
        for at, message in matrix_problems(world, recorded.rtt_ns):
            yield document.problem(at, message)
    short = span_problem(world, recorded)
    if short:
        yield document.problem(("traffic", "arrivals"), short)


def _trace_problems(document: Document, where: Where, error: TraceError) -> Iterator[Problem]:
    for line, column, message in error.lines:
        yield Problem(str(error.file), line, column, message)
    for setting, message in error.settings:
        keys = [key for key in TRACE_KEYS if document.places.get((*where, key))]
        steps = setting.split(".", 1) if setting else keys
        yield document.problem((*where, *steps), message)


def with_absolute_traces(value: Any, folder: Path, key: str = "") -> Any:
    """Plain data in which every path of a trace is absolute; relative ones count from `folder`."""
    if isinstance(value, dict) and key != "where":  # whose keys are columns of a trace
        return {k: with_absolute_traces(v, folder, k.rpartition(".")[2]) for k, v in value.items()}
    if isinstance(value, list):
        return [with_absolute_traces(item, folder, key) for item in value]
    if isinstance(value, str) and key in TRACE_KEYS:
        return os.path.normpath(folder / value)
    return value
