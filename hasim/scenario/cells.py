"""The cells of a study, each made when it is asked for: a plan of 100,000 costs what it says."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from hasim.scenario.checks import matrix_problems, world_problems
from hasim.scenario.document import Document, PathError, Place
from hasim.scenario.likes import with_likes
from hasim.scenario.points import PointTable
from hasim.scenario.problems import Problem, ScenarioError
from hasim.scenario.schema import Scenario
from hasim.scenario.sent import TRACE_KEYS
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.traces.reading import read_recorded, traces_problems
from hasim.scenario.variation import Pick, Plan, clearer
from hasim.settings import field_hint, fields_by_user_name
from hasim.settings.validation import SettingsError, Where, from_plain
from hasim.simulation.settings import ClusterSettings, MatrixTrace, WorldSettings

KEPT = 1000
"""Cells that are kept once they are made; others are made anew each time."""


@dataclass(frozen=True)
class Cell:
    """One point of the study: what is varied (path to value, as written), and the world."""

    index: int
    varied: dict[str, Any]
    world: WorldSettings


class Cells(Sequence[Cell]):
    """The cells of a plan by their numbers.

    `document` is the scenario, with absolute paths of its traces as in the plan `absolute`;
    `written` is the same plan with the paths as they were written. `base` is the
    world of the scenario as it stands. Only the settings that a cell varies are validated for
    it. A cell that turns out to be bad raises ScenarioError.
    """

    def __init__(
        self, document: Document, written: Plan, absolute: Plan, base: WorldSettings
    ) -> None:
        self._document = document
        self._written = written
        self._absolute = absolute
        self._base = base
        self._kept: dict[int, Cell] = {}

    def __len__(self) -> int:
        return self._written.count

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> list[Cell]: ...
    def __getitem__(self, index: int | slice) -> Cell | list[Cell]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        found = self._kept.get(place) or Cell(place, self.varied(place), self._world(place))
        if len(self._kept) < KEPT:
            self._kept[place] = found
        return found

    def __iter__(self) -> Iterator[Cell]:
        return (self[index] for index in range(len(self)))

    def varied(self, index: int) -> dict[str, Any]:
        """What a cell varies, without making its world."""
        return {pick.path: pick.value for pick in self._written.at(index)}

    def spread(self, most: int) -> list[int]:
        """The numbers of all cells, or of about `most` from everywhere in the plan."""
        return self._written.spread(most)

    def traces(self) -> Iterator[str]:
        """The traces that are named by points which are in a file."""
        points = self._absolute.points
        if isinstance(points, PointTable):
            yield from points.traces()

    def problems(self, index: int) -> list[Problem]:
        """All that is wrong with a cell."""
        try:
            _ = self[index]
        except ScenarioError as error:
            return list(error.problems)
        return []

    def _world(self, index: int) -> WorldSettings:
        picks = self._absolute.at(index)
        if not picks:
            return self._base  # which was looked at as it was read
        world = changed_world(self._document, picks, self._base)
        if world is None:
            problems: list[Problem] = []
            world = whole_world(self._document, picks, problems)
            if world is None or problems:
                raise ScenarioError(problems)
        return world

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(
            one == another for one, another in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": {}}


def changed_world(
    document: Document, picks: list[Pick], base: WorldSettings
) -> WorldSettings | None:
    """The base with the picks in place, of which only the sections that they touch are read.

    None if anything is wrong: `whole_world` says what.
    """
    tops = dict.fromkeys(pick.path.partition(".")[0] for pick in picks)
    part = Document({top: copy.deepcopy(document.data.get(top)) for top in tops})
    fields = fields_by_user_name(WorldSettings)
    try:
        for pick in picks:
            part.set(pick.path, pick.value, Place("", None))
        data, _, found = with_likes(part.data)
        if found or any(beside_tiers(document.data)):
            return None
        read = {fields[top].name: _read_section(fields[top].name, data[top]) for top in tops}
    except (PathError, SettingsError):
        return None
    world = dataclasses.replace(base, **read)
    if any(world_problems(world)) or any(trace_problems(part, world)):
        return None
    return world


def _read_section(field: str, data: Any) -> Any:
    return from_plain(field_hint(Scenario, field), data)


def whole_world(
    document: Document, picks: list[Pick], problems: list[Problem]
) -> WorldSettings | None:
    """The world of the whole scenario with the picks in place; adds what is wrong to `problems`."""
    cell = document.copy()
    for pick in picks:
        place = document.place_of(pick.where)
        try:
            cell.set(pick.path, copy.deepcopy(pick.value), place)
        except PathError as error:
            problems.append(Problem(place.file, place.line, pick.path, str(error)))
    scenario = validated(cell, problems)
    if scenario is None:
        return None
    world = scenario.world()
    problems += [cell.problem(where, message) for where, message in world_problems(world)]
    problems += trace_problems(cell, world)
    return world


def beside_tiers(data: Mapping[str, Any]) -> Iterator[tuple[Where, str]]:
    """(where, message) for each setting that belongs into a tier, if there are tiers."""
    if data.get("tiers"):
        for key in fields_by_user_name(ClusterSettings):
            if key in data:
                yield (key,), "belongs into each of the tiers, if there are any (tiers.0, ...)"


def validated(document: Document, problems: list[Problem]) -> Scenario | None:
    """The scenario in the document, or None and its problems."""
    data, origins, found = with_likes(document.data)
    found += beside_tiers(document.data)
    problems += [document.problem(where, message) for where, message in found]
    try:
        return from_plain(Scenario, data)
    except SettingsError as error:
        for where, message in error.problems:
            ends = 5 if where[:1] == ("tiers",) else 3
            origin = origins.get(where[:ends])
            at = where if origin is None else (*origin, *where[ends:])
            problems.append(document.problem(at, clearer(where, message)))
        return None


def trace_problems(document: Document, world: WorldSettings) -> Iterator[Problem]:
    """What is wrong with the traces, or with a world that they do not fit."""
    recorded, errors = read_recorded(world)
    for where, error in errors:
        yield from problems_of_trace(document, where, error)
    if isinstance(world.network.rtt, MatrixTrace) and recorded.rtt_ns:
        for at, message in matrix_problems(world, recorded.rtt_ns):
            yield document.problem(at, message)
    for at, message in traces_problems(world, recorded):
        yield document.problem(at, message)


def problems_of_trace(document: Document, where: Where, error: TraceError) -> Iterator[Problem]:
    """What is wrong with one trace, in its file and in the settings that ask for it."""
    for line, column, message in error.lines:
        yield Problem(str(error.file), line, column, message)
    for setting, message in error.settings:
        keys = [key for key in TRACE_KEYS if document.places.get((*where, key))]
        steps = setting.split(".", 1) if setting else keys
        yield document.problem((*where, *steps), message)
