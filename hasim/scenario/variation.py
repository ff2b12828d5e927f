"""What a scenario varies: a grid, settings that change together, and single points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from hasim.settings import plain, settings
from hasim.settings.choices import label_of
from hasim.settings.validation import Where

FORMS = ("grid", "zip", "points")


@settings
class PointsFile:
    """A CSV file with a column for each setting (dotted path) and a line for each cell."""

    file: str
    """The file, relative to that of the scenario. Values are written as in YAML; where a line has
    none, its cell leaves the setting as it is."""


class Points:
    """The annotation of points: a list that is not empty, its one point, or a file of points."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        def spelt_out(value: Any) -> Any:
            if value in ([], ()):
                raise ValueError("needs at least one point; {} is the scenario as it stands")
            return [value] if isinstance(value, dict) else value

        in_file = label_of(PointsFile)
        listed = handler.generate_schema(tuple[dict[str, Any], ...])
        members = {
            "list": core_schema.no_info_before_validator_function(spelt_out, listed),
            in_file: handler.generate_schema(PointsFile),
        }
        return core_schema.tagged_union_schema(
            members, lambda value: in_file if _names_file(value) else "list"
        )

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        listed, in_file = handler(core)["oneOf"]
        point = {**listed["items"], "not": {"required": ["file"]}}
        return {"anyOf": [listed, point, in_file]}


def _names_file(points: Any) -> bool:
    """Whether points stand in a file; no setting that can be varied has its name."""
    return isinstance(points, PointsFile) or (isinstance(points, dict) and "file" in points)


@settings
class Variation:
    """The cells of a study: the grid times the zipped settings, then the points."""

    grid: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """Setting (dotted path) to the values that it takes; every combination is one cell."""
    zip_: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """Settings that change together: their first values, then their second, and so on."""
    points: Annotated[tuple[dict[str, Any], ...] | PointsFile, Points()] = ()
    """Single cells, each a mapping of settings to values (`{}` is the scenario as it stands), or
    `{file: points.csv}`, with a column for each setting and a line for each cell."""


class Varied:
    """The annotation of a `Variation` for which a mapping of settings is the grid alone."""

    def write(self, variation: Variation) -> Any:
        """What a user would write: without points and zipped settings the grid alone."""
        alone = not variation.zip_ and not variation.points
        if alone:
            return plain(variation.grid)
        return {form: part for form, part in plain(variation).items() if part}

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        def spelt_out(value: Any) -> Any:
            return {"grid": value} if isinstance(value, dict) and is_grid(value) else value

        return core_schema.no_info_before_validator_function(spelt_out, handler(source))

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        grid = {
            "type": "object",
            "propertyNames": {"not": {"enum": list(FORMS)}},
            "additionalProperties": True,
        }
        return {"anyOf": [grid, handler(core)]}


def is_grid(vary: Mapping[str, Any]) -> bool:
    """Whether `vary` maps settings to values, without saying which are gridded or zipped."""
    return not any(form in vary for form in FORMS)


@dataclass(frozen=True)
class Axis:
    """One setting, the values that it takes as written, and where they were written."""

    path: str
    values: list[Any]
    where: Where


@dataclass(frozen=True)
class Pick:
    """One value that one setting has in a cell, and where it was written."""

    path: str
    value: Any
    where: Where


@dataclass(frozen=True)
class Plan:
    """What `vary` asks for, as written."""

    grid: list[Axis] = field(default_factory=list)
    zipped: list[Axis] = field(default_factory=list)
    points: Sequence[list[Pick]] = ()

    @property
    def count(self) -> int:
        """The number of cells."""
        crossed = math.prod(len(axis.values) for axis in self.grid) * self._rows
        return len(self.points) + (0 if self._only_points else crossed)

    @property
    def paths(self) -> Iterator[tuple[str, Where]]:
        """Every setting that is varied in the scenario itself, and where that was written."""
        yield from ((axis.path, axis.where) for axis in (*self.grid, *self.zipped))
        if isinstance(self.points, list):
            yield from ((pick.path, pick.where) for point in self.points for pick in point)

    @property
    def _rows(self) -> int:
        """How many times the zipped settings change together."""
        return len(self.zipped[0].values) if self.zipped else 1

    @property
    def _only_points(self) -> bool:
        return bool(self.points) and not self.grid and not self.zipped

    def at(self, index: int) -> list[Pick]:
        """The cell of a number, found without those before it.

        Zipped settings change fastest, then the last of the grid; points are last.
        """
        crossed = self.count - len(self.points)
        if index >= crossed:
            return self.points[index - crossed]
        rest, row = divmod(index, self._rows)
        grid: list[Pick] = []
        for axis in reversed(self.grid):
            rest, place = divmod(rest, len(axis.values))
            grid.append(_pick(axis, place))
        return [*reversed(grid), *(_pick(axis, row) for axis in self.zipped)]

    def cells(self) -> Iterator[list[Pick]]:
        """All cells in their order."""
        return map(self.at, range(self.count))

    def spread(self, most: int) -> list[int]:
        """The numbers of all cells, or of about `most`: the values of each axis, and any others."""
        if self.count <= most:
            return list(range(self.count))
        found = {*_thinned(self.count, most // 4)}
        crossed, stride = self.count - len(self.points), 1
        lengths = [self._rows, *(len(axis.values) for axis in reversed(self.grid))]
        each = most // 4 // max(1, sum(length > 1 for length in lengths))
        for length in lengths if crossed else []:
            found |= {stride * place for place in _thinned(length, each)}
            stride *= length
        found |= {crossed + place for place in _thinned(len(self.points), most // 4)}
        # Multiples of the golden ratio fall everywhere, and in step with no axis.
        found |= {int(self.count * (place * 0.6180339887498949 % 1)) for place in range(most // 4)}
        return sorted(found)


def _thinned(count: int, most: int) -> range:
    """Every number below `count`, or `most` of them at equal distances."""
    return range(0, count, -(-count // max(1, most))) if count else range(0)


def _pick(axis: Axis, place: int) -> Pick:
    return Pick(axis.path, axis.values[place], (*axis.where, place))


def plan_of(data: Mapping[str, Any], in_file: Sequence[list[Pick]] = ()) -> Plan:
    """The plan in a scenario's data, with the points that its file holds, if it names one.

    What is malformed is left out, and validation tells of it.
    """
    vary = data.get("vary")
    if not isinstance(vary, dict):
        return Plan()
    if is_grid(vary):
        return Plan(grid=_axes(vary, ("vary",)))
    points = vary.get("points")
    listed = points if isinstance(points, list) else [] if _names_file(points) else [points]
    return Plan(
        grid=_axes(vary.get("grid"), ("vary", "grid")),
        zipped=_axes(vary.get("zip"), ("vary", "zip")),
        points=in_file
        or [
            [Pick(path, value, ("vary", "points", i, path)) for path, value in point.items()]
            for i, point in enumerate(listed)
            if isinstance(point, dict)
        ],
    )


def _axes(axes: Any, where: Where) -> list[Axis]:
    if not isinstance(axes, dict):
        return []
    return [
        Axis(path, v if isinstance(v, list) else [v], (*where, path)) for path, v in axes.items()
    ]


def clearer(where: Where, message: str) -> str:
    """A message that tells where a setting beside `grid`, `zip` or `points` belongs."""
    if where[:1] == ("vary",) and len(where) == 2 and "." in str(where[1]):
        return "put it under grid: (every combination), or zip: (settings that change together)"
    return message


def variation_problems(plan: Plan) -> Iterator[tuple[Where, str]]:
    """(where, message) for values that are missing or repeated, and settings that do not fit."""
    for axis in (*plan.grid, *plan.zipped):
        if not axis.values:
            yield axis.where, "needs at least one value"
    for axis in plan.grid:
        seen: set[Any] = set()
        for i, value in enumerate(axis.values):
            if _hashable(value) in seen:
                yield (*axis.where, i), f"{value!r} is given twice"
            seen.add(_hashable(value))
    gridded = {axis.path for axis in plan.grid}
    for axis in plan.zipped:
        if axis.path in gridded:
            yield axis.where, "is in the grid as well"
        first = plan.zipped[0]
        if len(axis.values) != len(first.values):
            yield (
                axis.where,
                f"has {len(axis.values)} values where {first.path} has {len(first.values)}",
            )


def repeated_cells(plan: Plan) -> Iterator[tuple[Where, str]]:
    """(where, message) for each zipped row or point that makes a cell which there is already.

    Without looking at all cells: those that are crossed repeat themselves only if a row does.
    """
    crossed = plan.count > len(plan.points)
    rows: set[Any] = set()
    for number, row in enumerate(zip(*(axis.values for axis in plan.zipped), strict=True)):
        if _hashable(row) in rows and crossed:
            yield _repeated(plan.at(number))
            return  # told once, not for every cell of the grid
        rows.add(_hashable(row))
    values = {axis.path: set(map(_hashable, axis.values)) for axis in plan.grid}
    zipped = [axis.path for axis in plan.zipped]
    first: dict[int, int] = {}  # hashes, since all points of a large plan would take much memory
    for number, point in enumerate(plan.points):
        varied = {pick.path: _hashable(pick.value) for pick in point}
        there = crossed and varied.keys() == {*values, *zipped}
        there = there and all(varied[path] in known for path, known in values.items())
        row = ("list", tuple(varied.get(path) for path in zipped))
        before = first.setdefault(hash(frozenset(varied.items())), number)
        again = before != number and _same(plan.points[before], point)
        if again or (there and (row in rows or not zipped)):
            yield _repeated(point)


def _same(one: list[Pick], other: list[Pick]) -> bool:
    """Whether two points give the same settings the same values."""
    a, b = ({pick.path: _hashable(pick.value) for pick in point} for point in (one, other))
    return a == b


def _repeated(picks: list[Pick]) -> tuple[Where, str]:
    shown = ", ".join(f"{pick.path}={pick.value}" for pick in picks)
    where = picks[-1].where if picks else ("vary", "points")
    return where, f"the same cell is there already: {shown or 'nothing varied'}"


def _hashable(value: Any) -> Any:
    """Something that is equal for equal values, and can be a member of a set."""
    if isinstance(value, dict):
        return ("dict", frozenset((key, _hashable(part)) for key, part in value.items()))
    if isinstance(value, list | tuple):
        return ("list", tuple(map(_hashable, value)))
    return value
