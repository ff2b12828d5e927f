"""The chart of estimates: a dot for each cell, and the line of its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hasim.report.html.charts import SECONDS, Spec, by_cell
from hasim.report.html.page import Chart


def dots(
    name: str,
    title: str,
    rows: Sequence[tuple[str, float, float | None, float | None]],
    unit: str,
    about: str = "Each cell's estimate with its 95 % interval.",
) -> Chart:
    """A dot for each cell and the line of its 95 % interval: (cell, value, low, high).

    An end that is None, or infinite, is at the edge, with a triangle.
    """
    rows = [(cell, value, _finite(low), _finite(high)) for cell, value, low, high in rows]
    columns: dict[str, list[Any]] = {
        "cell": [row[0] for row in rows],
        "value": [row[1] for row in rows],
        "low": [row[2] for row in rows],
        "high": [row[3] for row in rows],
    }
    own: dict[str, Spec] = {"ratio": {"format": ".4~%"}, "s": SECONDS}
    axis = {**own.get(unit, {}), "tickCount": 4, "labelOverlap": True}
    scale = {"zero": False, "padding": 8}
    x = {"type": "quantitative", "title": None, "scale": scale, "axis": axis}
    shown = ".4%" if unit == "ratio" else ".4~g"
    first, last = _edges(rows)
    ends = [("low", "first", first, "triangle-left"), ("high", "last", last, "triangle-right")]
    spec: Spec = {
        "height": 20 * len(rows),
        "transform": [
            {"calculate": f"isValid(datum.{end}) ? datum.{end} : {edge}", "as": name}
            for end, name, edge, _ in ends
        ],
        "encoding": {
            "y": by_cell([row[0] for row in rows]),
            "tooltip": [
                {"field": "cell", "title": "cell"},
                *({"field": f, "title": f, "format": shown} for f in ("value", "low", "high")),
            ],
        },
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2, "color": "var(--c0)"},
                "encoding": {"x": {**x, "field": "first"}, "x2": {"field": "last"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 55, "color": "var(--c0)"},
                "encoding": {"x": {**x, "field": "value"}},
            },
            *(
                {
                    "transform": [{"filter": f"!isValid(datum.{end})"}],
                    "mark": {
                        "type": "point",
                        "shape": shape,
                        "filled": True,
                        "size": 55,
                        "color": "var(--c0)",
                    },
                    "encoding": {"x": {**x, "field": name}},
                }
                for number, (end, name, _, shape) in enumerate(ends)
                if any(row[2 + number] is None for row in rows)
            ),
        ],
    }
    return Chart(name, title, about, spec, columns)


def _finite(end: float | None) -> float | None:
    return end if end is not None and math.isfinite(end) else None


def _edges(rows: Sequence[tuple[str, float, float | None, float | None]]) -> tuple[float, float]:
    """Where lines without an end go to, at the left and at the right: beyond all else."""
    every = [number for _, *numbers in rows for number in numbers if number is not None]
    least, most = min(every, default=0.0), max(every, default=1.0)
    room = 0.15 * (most - least) or 0.1 * abs(most) or 1.0
    return least - room, most + room
