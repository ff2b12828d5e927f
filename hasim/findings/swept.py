"""What a study sweeps: which varied settings are numbers, and the cells along them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hasim.report.cells import Cell, labels
from hasim.units import parse_duration, parse_percent, parse_rate, parse_size, seconds

FEWEST = 3
"""Values that make a curve: two are compared in a table."""
_READERS: tuple[tuple[str, Callable[[str], float]], ...] = (
    ("s", lambda text: seconds(parse_duration(text))),
    ("ratio", parse_percent),
    ("per second", parse_rate),
    ("bytes", lambda text: float(parse_size(text))),
)


@dataclass(frozen=True)
class Axis:
    """A varied setting whose values are numbers of one unit (``s``, ``ratio``; plain: empty)."""

    path: str
    unit: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Line:
    """Cells that differ in the swept setting alone, in its order: (its value, number of cell)."""

    label: str
    points: tuple[tuple[float, int], ...]


def axes_of(cells: Sequence[Cell]) -> list[Axis]:
    """The varied settings that are numbers, those with most values first."""
    found = []
    for path in dict.fromkeys(path for _, varied in cells for path in varied):
        read = [number_of(varied.get(path)) for _, varied in cells]
        units = {one[0] for one in read if one is not None}
        values = tuple(sorted({one[1] for one in read if one is not None}))
        if None not in read and len(units) == 1 and len(values) >= FEWEST:
            found.append(Axis(path, units.pop(), values))
    return sorted(found, key=lambda axis: -len(axis.values))


def lines_of(cells: Sequence[Cell], axis: Axis) -> list[Line]:
    """The cells along an axis, a line for each combination of the other settings."""
    groups: dict[str, list[tuple[float, int]]] = {}
    others: dict[str, Cell] = {}
    for number, varied in cells:
        rest = {path: value for path, value in varied.items() if path != axis.path}
        read = number_of(varied.get(axis.path))
        if read is not None:
            groups.setdefault(repr(rest), []).append((read[1], number))
            others.setdefault(repr(rest), (number, rest))
    names = labels(list(others.values())) if len(others) > 1 else [""]
    lines = zip(names, groups.values(), strict=True)
    return [Line(name, tuple(sorted(points))) for name, points in lines]


def number_of(value: Any) -> tuple[str, float] | None:
    """The unit and the number of a value as a user writes it; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return "", float(value)
    if not isinstance(value, str):
        return None
    return next(_read(value), None)


def _read(text: str) -> Iterator[tuple[str, float]]:
    for unit, read in _READERS:
        try:
            yield unit, float(read(text))
        except ValueError:
            continue
