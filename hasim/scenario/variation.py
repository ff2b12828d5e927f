"""What a scenario varies: a grid, settings that change together, and single points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hasim.settings import plain, settings
from hasim.validation import Where

FORMS = ("grid", "zip", "points")


@settings
class Variation:
    """The cells of a study: the grid times the zipped settings, then the points."""

    grid: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """Setting (dotted path) to the values that it takes; every combination is one cell."""
    zip_: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """Settings that change together: their first values, then their second, and so on."""
    points: tuple[dict[str, Any], ...] = ()
    """Single cells, each a mapping of settings to values; `{}` is the scenario as it stands."""


class Varied:
    """The annotation of a `Variation` for which a mapping of settings is the grid alone."""

    def write(self, variation: Variation) -> Any:
        """What a user would write: without points and zipped settings the grid alone."""
        alone = not variation.zip_ and not variation.points
        return plain(variation.grid if alone else variation)

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
    points: list[list[Pick]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of cells."""
        rows = len(self.zipped[0].values) if self.zipped else 1
        crossed = math.prod(len(axis.values) for axis in self.grid) * rows
        return len(self.points) + (0 if self._only_points else crossed)

    @property
    def paths(self) -> Iterator[tuple[str, Where]]:
        """Every setting that is varied, and where that was written."""
        yield from ((axis.path, axis.where) for axis in (*self.grid, *self.zipped))
        yield from ((pick.path, pick.where) for point in self.points for pick in point)

    @property
    def _only_points(self) -> bool:
        return bool(self.points) and not self.grid and not self.zipped

    def cells(self) -> Iterator[list[Pick]]:
        """The cells: zipped settings change fastest, then the last of the grid; points are last."""
        if not self._only_points:
            together = zip(*map(_picks, self.zipped), strict=True)
            rows = [list(row) for row in together] if self.zipped else [[]]
            for crossed in itertools.product(*map(_picks, self.grid)):
                for row in rows:
                    yield [*crossed, *row]
        yield from self.points


def _picks(axis: Axis) -> list[Pick]:
    return [Pick(axis.path, value, (*axis.where, i)) for i, value in enumerate(axis.values)]


def plan_of(data: Mapping[str, Any]) -> Plan:
    """The plan in a scenario's data; what is malformed is left out, and validation tells of it."""
    vary = data.get("vary")
    if not isinstance(vary, dict):
        return Plan()
    if is_grid(vary):
        return Plan(grid=_axes(vary, ("vary",)))
    points = vary.get("points")
    listed = points if isinstance(points, list) else [] if points is None else [points]
    return Plan(
        grid=_axes(vary.get("grid"), ("vary", "grid")),
        zipped=_axes(vary.get("zip"), ("vary", "zip")),
        points=[
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


def variation_problems(plan: Plan) -> Iterator[tuple[Where, str]]:
    """(where, message) for values that are missing or repeated, and settings that do not fit."""
    for axis in (*plan.grid, *plan.zipped):
        if not axis.values:
            yield axis.where, "needs at least one value"
    for axis in plan.grid:
        for i, value in enumerate(axis.values):
            if value in axis.values[:i]:
                yield (*axis.where, i), f"{value!r} is given twice"
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
    """(where, message) for each zipped row or point that makes a cell which there is already."""
    seen: list[dict[str, Any]] = []
    for picks in plan.cells():
        varied = {pick.path: pick.value for pick in picks}
        if varied in seen:
            where = picks[-1].where if picks else ("vary", "points")
            shown = ", ".join(f"{path}={value}" for path, value in varied.items())
            yield where, f"the same cell is there already: {shown or 'nothing varied'}"
            if not picks or where[1] == "zip":
                return  # told once, not for every cell of the grid
        seen.append(varied)
