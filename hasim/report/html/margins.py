"""The chart of a gate: how much worse each measure is, in margins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hasim.report.html.charts import COLOURS, Spec
from hasim.report.html.page import Chart

LOOKS = {
    "regression": ("diamond", "var(--bad)"),
    "inconclusive": ("square", COLOURS[5]),
    "pass": ("circle", COLOURS[0]),
}
"""Verdict -> its mark and colour."""
_FROM_MARGINS = 8.0
"""From so many margins on the axis is compressed, so that one of them can still be seen."""


@dataclass(frozen=True, slots=True)
class Worse:
    """A measure of a scenario: how much worse it is, between its bounds, all in margins.

    Worse is positive; infinite is a bound of which nothing is known. `words` are the same in the
    unit of the measure.
    """

    label: str
    verdict: str
    value: float
    low: float
    high: float
    words: str


def margin_chart(rows: Sequence[Worse]) -> Chart:
    """A mark for each measure and the line of its bounds, beside the margin that is allowed."""
    known = [min([-1.0, *_ends(rows)]), max([1.0, *_ends(rows)])]
    columns: dict[str, list[Any]] = {
        "measure": [row.label for row in rows],
        "verdict": [row.verdict for row in rows],
        "margins": [row.value for row in rows],
        "low": [row.low if math.isfinite(row.low) else known[0] for row in rows],
        "high": [row.high if math.isfinite(row.high) else known[1] for row in rows],
        "worse by": [row.words for row in rows],
    }
    about = (
        "The mean paired difference of each measure that is not identical to the baseline, in its "
        "margin: right of 0 is worse, and beyond the line at 1 more than is allowed. Lines are "
        "the one-sided 95 % bounds; where one is not known, the line goes to the edge."
    )
    spec = _spec(columns["measure"], wide=max(map(abs, known)) > _FROM_MARGINS)
    return Chart("margins", "Worse than the baseline, in margins", about, spec, columns)


def _ends(rows: Sequence[Worse]) -> list[float]:
    ends = (end for row in rows for end in (row.value, row.low, row.high))
    return [end for end in ends if math.isfinite(end)]


def _spec(names: Sequence[str], *, wide: bool) -> Spec:
    axis: Spec = {"labelLimit": 260, "title": None, "domain": False, "ticks": False}
    y: Spec = {"field": "measure", "type": "nominal", "sort": list(names), "axis": axis}
    x: Spec = {
        "type": "quantitative",
        "title": "worse by, in margins",
        "scale": {"type": "symlog", "constant": 1} if wide else {},
        "axis": {"tickCount": 7, "labelOverlap": True, "format": "~g"},
    }
    kind: Spec = {"field": "verdict", "type": "nominal", "title": None}
    shapes, colours = zip(*LOOKS.values(), strict=True)
    tooltip = [
        *({"field": name, "title": name} for name in ("measure", "verdict", "worse by")),
        {"field": "margins", "title": "in margins", "format": ".3~g"},
    ]
    colour = {**kind, "scale": {"domain": list(LOOKS), "range": list(colours)}}
    return {
        "height": 20 * max(1, len(names)),
        "encoding": {"y": y, "color": {**colour, "legend": {"orient": "bottom"}}},
        "layer": [
            _line(0, "var(--faint)", [1, 0]),
            _line(1, "var(--bad)", [4, 3]),
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 75, "opacity": 1},
                "encoding": {
                    "x": {**x, "field": "margins"},
                    "shape": {**kind, "scale": {"domain": list(LOOKS), "range": list(shapes)}},
                    "tooltip": tooltip,
                },
            },
        ],
    }


def _line(at: float, colour: str, dash: Sequence[int]) -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": colour, "strokeDash": list(dash)},
        "encoding": {"x": {"datum": at, "type": "quantitative"}, "y": None, "color": None},
    }
