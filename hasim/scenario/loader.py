"""A scenario file -> a validated scenario, its cells, and its traces; or all that is wrong."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hasim.scenario.baseline import baseline_problems
from hasim.scenario.cells import (
    Cell,
    Cells,
    problems_of_trace,
    trace_problems,
    validated,
    whole_world,
)
from hasim.scenario.checks import scenario_problems, world_problems
from hasim.scenario.document import (
    Document,
    PathError,
    Place,
    document_in,
    document_of,
    parse_value,
    read_document,
)
from hasim.scenario.points import WHERE, PointTable, file_of, read_points
from hasim.scenario.problems import Problem, ScenarioError
from hasim.scenario.remarks import remarks_on
from hasim.scenario.schema import WORLD_KEYS, Scenario
from hasim.scenario.sent import TRACE_KEYS, trace_names
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.traces.reading import read_recorded, remarks_on_traces
from hasim.scenario.variation import Pick, Plan, plan_of, repeated_cells, variation_problems
from hasim.settings import fields_by_user_name
from hasim.settings.validation import nearest
from hasim.simulation.recorded import Recorded


@dataclass(frozen=True)
class Given:
    """A value that replaces a setting, and where it was written, if that is no ``--set``."""

    value: Any
    place: Place


Overrides = Iterable[tuple[str, Any]]
"""Dotted path and value: YAML text, plain data, or either as `Given`."""
MOST_CELLS = 1_000_000
"""More are a mistake: at a second each they would take eleven days."""
STREAM = "<stream>"
"""What stands for the file in messages about an open one without a name."""
LOOKED_AT = 1000
"""Cells that are made while a scenario is loaded, to say what is wrong; others in their turn."""


@dataclass(frozen=True)
class Loaded:
    """A scenario that is ready to run. It can be pickled; traces are read where they are used.

    `data` is the scenario as plain data, after overrides, with absolute paths
    of its traces.
    """

    scenario: Scenario
    cells: Sequence[Cell]
    source: Path
    data: dict[str, Any]

    def recorded_of(self, cell: Cell) -> Recorded:
        """The traces of a cell; a file is read once in a process. Raises ScenarioError."""
        recorded, errors = read_recorded(cell.world)
        if errors:
            document = document_of(self.data, str(self.source))
            raise ScenarioError(
                p for where, e in errors for p in problems_of_trace(document, where, e)
            )
        return recorded

    def sample(self) -> Sequence[int]:
        """The numbers of all cells, or of some that stand for all if there are many."""
        cells = self.cells
        return cells.spread(LOOKED_AT) if isinstance(cells, Cells) else range(len(cells))

    def remarks(self) -> list[str]:
        """What is set and has no effect in some cell, and what was made of open recordings."""
        cells = [self.cells[number] for number in self.sample()]
        worlds = [cell.world for cell in cells]
        paths = [f"detection.{name}" for name in self.data.get("detection") or ()]
        paths += [path for cell in cells for path in cell.varied]
        return [*remarks_on(worlds, paths), *remarks_on_traces(worlds)]

    def traces(self) -> list[str]:
        """The paths of all traces that some cell may need."""
        of_points = self.cells.traces() if isinstance(self.cells, Cells) else ()
        return list(dict.fromkeys([*trace_names(self.data), *of_points]))

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


def from_stream(stream: IO[str] | IO[bytes], overrides: Overrides = ()) -> Loaded:
    """Like `load`, of what an open file holds; traces are relative to the current folder.

    A scenario without a name gets that of the file.
    """
    name = str(getattr(stream, "name", STREAM))
    content = stream.read()
    document = document_in(content.encode() if isinstance(content, str) else content, name)
    stem = re.sub(r"[^A-Za-z0-9._-]", "", Path(name).stem).strip("._-")
    return _load(document, overrides, Path(stem or "scenario"))


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
    folder = Path(os.path.abspath(source.parent))  # noqa: PTH100
    listed, points = _points(document, folder, problems)
    written = plan_of(document.data, listed)
    document.data = with_absolute_traces(document.data, folder)
    scenario = validated(document, problems)
    if scenario is not None:
        world = scenario.world()
        fits = [*scenario_problems(scenario), *world_problems(world)]
        problems += [document.problem(where, message) for where, message in fits]
        problems += trace_problems(document, world)
    wrong = list(_variation_problems(document, written))
    if scenario is not None and not wrong:
        cells_varied = ({p.path: p.value for p in picks} for picks in written.cells())
        missing = baseline_problems(scenario.baseline, cells_varied)
        wrong += [document.problem(where, message) for where, message in missing]
    absolute = plan_of(document.data, points)
    looked_at = [] if wrong else absolute.spread(LOOKED_AT)
    if scenario is None:
        for index in looked_at:
            whole_world(document, absolute.at(index), problems)
        raise ScenarioError(_in_order(problems + wrong))
    cells = Cells(document, written, absolute, world)
    problems += [problem for index in looked_at for problem in cells.problems(index)]
    if problems or wrong:
        raise ScenarioError(_in_order(problems + wrong))
    return Loaded(scenario, cells, source, document.data)


def _points(
    document: Document, folder: Path, problems: list[Problem]
) -> tuple[Sequence[list[Pick]], Sequence[list[Pick]]]:
    """The points that are in a file: as written, and with absolute paths of their traces."""
    name = file_of(document.data.get("vary"))
    if name is None:
        return (), ()
    try:
        table = read_points(folder / name)
    except TraceError as error:
        problems += problems_of_trace(document, WHERE, error)
        return (), ()
    document.tables[WHERE] = (str(folder / name), table.lines)
    absolute = {}
    for path, values in table.columns.items():
        found = with_absolute_traces(values, folder, path.rpartition(".")[2])
        absolute[path] = values if found == values else found
    return table, PointTable(absolute, table.lines)


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda p: (p.line is None, p.file, p.line or 0))


def _override(document: Document, overrides: Overrides) -> Iterator[Problem]:
    for path, override in overrides:
        given = override
        if not isinstance(override, Given):
            given = Given(override, Place(f"--set {path}={override}", None))
        written, place = given.value, given.place
        try:
            value = parse_value(written) if isinstance(written, str) else written
            document.set(path, value, place)
        except (PathError, ValueError) as error:
            yield Problem(place.file, place.line, "", str(error))


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


def with_absolute_traces(value: Any, folder: Path, key: str = "") -> Any:
    """Plain data in which every path of a trace is absolute; relative ones count from `folder`."""
    if isinstance(value, dict) and key != "where":  # whose keys are columns of a trace
        return {k: with_absolute_traces(v, folder, k.rpartition(".")[2]) for k, v in value.items()}
    if isinstance(value, list):
        return [with_absolute_traces(item, folder, key) for item in value]
    if isinstance(value, str) and key in TRACE_KEYS:
        return os.path.normpath(folder / value)
    return value
