"""Names beside points in a figure, none of which lies on another, on a point, or outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hasim.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

Point = tuple[float, float]
DISTANCES = (12, 24, 40, 60, 84, 110)
"""How far from its point a name may stand, in points of a 72nd of an inch; the nearest first."""
AROUND = ((1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1))
"""The directions that are tried, in this order."""
FROM_LINE = 24
"""From this distance on a thin line leads from a name to its point."""
CLEAR = 7
"""Pixels (at 100 an inch) around a point that names keep off."""


def name_points(
    figure: Figure,
    axes: Axes,
    names: Sequence[tuple[Point, str]],
    points: Sequence[Point],
    *,
    size: float = 7,
) -> list[str]:
    """Write each name beside its point, the first ones first; those that found a place.

    `points` are all that are drawn, in the units of the axes. The figure has to be complete, since
    what is added later may move the axes.
    """
    figure.draw_without_rendering()
    pixels = [(float(x), float(y)) for x, y in map(axes.transData.transform, points)]
    taken: list[Bbox] = []
    placed = []
    for point, name in names:
        box = _place(axes, point, name, size, pixels, taken)
        if box is not None:
            taken.append(box)
            placed.append(name)
    return placed


def _place(
    axes: Axes,
    point: Point,
    name: str,
    size: float,
    pixels: Sequence[Point],
    taken: Sequence[Bbox],
) -> Bbox | None:
    """Write one name at the first place that is free, and say which that is; None if none is."""
    inside = axes.get_window_extent()
    for across, up, distance in _offsets():
        offset = (across * distance, up * distance * 0.8)
        text = axes.annotate(
            name,
            point,
            xytext=offset,
            textcoords="offset points",
            fontsize=size,
            ha={1: "left", 0: "center", -1: "right"}[across],
            va="center" if across else {1: "bottom", -1: "top"}[up],
        )
        text.set_in_layout(False)
        box = text.get_window_extent()
        free = (
            inside.x0 <= box.x0
            and box.x1 <= inside.x1
            and inside.y0 <= box.y0
            and box.y1 <= inside.y1
            and not any(box.overlaps(other) for other in taken)
            and not any(_on(box, pixel) for pixel in pixels)
        )
        if free:
            if distance >= FROM_LINE:
                _lead(axes, point, offset)
            return box
        text.remove()
    return None


def _lead(axes: Axes, point: Point, offset: Point) -> None:
    """A thin line from a name to its point."""
    line: Any = {"arrowstyle": "-", "color": style.GREY, "linewidth": 0.5}
    made = axes.annotate("", point, xytext=offset, textcoords="offset points", arrowprops=line)
    made.set_in_layout(False)


def _offsets() -> Iterator[tuple[int, int, int]]:
    for distance in DISTANCES:
        for across, up in AROUND:
            yield across, up, distance


def _on(box: Bbox, pixel: Point) -> bool:
    """Whether a name lies on a point."""
    x, y = pixel
    across = box.x0 - CLEAR < x < box.x1 + CLEAR
    return bool(across and box.y0 - CLEAR < y < box.y1 + CLEAR)
