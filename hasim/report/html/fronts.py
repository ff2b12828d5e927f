"""The chart of an advice: how long an outage lasts with each setting, against what that costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hasim.report.html.charts import COLOURS, SECONDS, Spec
from hasim.report.html.page import Chart
from hasim.report.pareto import LOOKS, Spot, front
from hasim.report.titles import title

SHAPES = {
    "recommended": ("diamond", COLOURS[1]),
    "keeps the limits": ("circle", COLOURS[0]),
    "undecided": ("square", COLOURS[5]),
    "breaks a limit": ("cross", "var(--faint)"),
}
"""Kind of a setting -> its mark and colour."""
_NAMES = ("setting", "which", "across", "across_low", "across_high", "outage", "low", "high",
          "front", "today", "shown")  # fmt: skip


def pareto_chart(
    spots: Sequence[Spot], axes_of: tuple[str, str], limits: tuple[float | None, float | None]
) -> Chart:
    """A mark for each setting; `axes_of` are the two measures, `limits` what each shall keep.

    A setting without a single false failover stands at the upper limit of its rate. Settings of
    which nothing is known in one of the two are left out.
    """
    known = [
        s for s in spots if math.isfinite(s.value) and math.isfinite(s.across) and s.across > 0
    ]
    best = {id(one) for one in front(known)}
    rows = [_row(one, id(one) in best) for one in known]
    columns = {name: [row[k] for row in rows] for k, name in enumerate(_NAMES)}
    false, outage = map(title, axes_of)
    chosen = next((one.label for one in known if one.kind == "recommended"), "")
    about = (
        f"Each mark is a setting: {false}, a year (none seen: its upper limit), against {outage}. "
        "Lower and further left is better; the dashed line joins those that no other beats in "
        f"both ({len(best)} of {len(known)}); a ring is today's setting"
        f"{f'; the diamond is the recommended one, {chosen}' if chosen else ''}. "
        "Lines are 95 % intervals; straight lines across are limits."
    )
    seconds = any(one.outage.unit == "s" for one in known)
    spec = _spec(known, f"{false}, a year", outage, limits, seconds=seconds)
    return Chart("pareto", f"{outage} against {false}", about, spec, columns)


def _row(spot: Spot, best: bool) -> tuple[Any, ...]:
    seen = bool(spot.false.value)
    least = max(spot.false.low or 0.0, (spot.false.value or 0.0) / 10) if seen else None
    low, high = spot.outage.low, spot.outage.high
    return (
        spot.label, spot.kind, spot.across, least, spot.false.high if seen else None, spot.value,
        low, high, best, spot.today, spot.today or spot.kind == "recommended",
    )  # fmt: skip


def _spec(
    spots: Sequence[Spot], across: str, up: str, limits: tuple[float | None, float | None],
    *, seconds: bool,
) -> Spec:  # fmt: skip
    values = [one.value for one in spots if one.value > 0]
    wide = bool(values) and max(values) > 8 * min(values)
    x: Spec = {"type": "quantitative", "scale": {"type": "log"}, "title": across,
               "axis": {"format": "~s", "labelOverlap": True, "tickCount": 8}}  # fmt: skip
    y: Spec = {"type": "quantitative", "title": up,
               "scale": {"type": "log"} if wide else {"zero": False}}  # fmt: skip
    if seconds:
        y["axis"] = {**SECONDS, "tickCount": 6}
    tooltip = [
        {"field": "setting", "title": "setting"},
        {"field": "which", "title": "which"},
        {"field": "across", "title": across, "format": ".4~g"},
        {"field": "outage", "title": up, "format": ".4~g"},
        *({"field": name, "title": name, "format": ".4~g"} for name in ("low", "high")),
    ]
    there = [kind for kind in LOOKS if any(one.kind == kind for one in spots)]
    kind = {"field": "which", "type": "nominal", "title": None, "legend": {"orient": "bottom"}}
    shapes, colours = zip(*(SHAPES[one] for one in there), strict=True) if there else ((), ())
    place = {"x": {**x, "field": "across"}, "y": {**y, "field": "outage"}}
    thin = {"type": "rule", "opacity": 0.45}
    return {
        "height": 380,
        "layer": [
            *_limits(limits, spots),
            {
                "transform": [{"filter": "datum.front"}],
                "mark": {"type": "line", "strokeDash": [4, 3], "color": "var(--faint)"},
                "encoding": {**place, "order": {"field": "across"}},
            },
            {
                "transform": [{"filter": "isValid(datum.low) && isValid(datum.high)"}],
                "mark": thin,
                "encoding": {"x": place["x"], "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "transform": [{"filter": "isValid(datum.across_high)"}],
                "mark": thin,
                "encoding": {
                    "x": {**x, "field": "across_low"},
                    "x2": {"field": "across_high"},
                    "y": place["y"],
                },
            },
            {
                "transform": [{"filter": "datum.today"}],
                "mark": {"type": "point", "shape": "circle", "size": 330, "stroke": "var(--ink)"},
                "encoding": place,
            },
            {
                "mark": {"type": "point", "filled": True, "size": 95, "opacity": 1},
                "encoding": {
                    **place,
                    "shape": {**kind, "scale": {"domain": there, "range": list(shapes)}},
                    "color": {**kind, "scale": {"domain": there, "range": list(colours)}},
                    "tooltip": tooltip,
                },
            },
            {
                "transform": [{"filter": "datum.shown"}],
                "mark": {"type": "text", "dy": -16, "limit": 260, "align": "center"},
                "encoding": {**place, "text": {"field": "setting"}},
            },
        ],
    }


def _limits(limits: tuple[float | None, float | None], spots: Sequence[Spot]) -> list[Spec]:
    """A line at each limit that lies within what is shown."""
    mark = {"type": "rule", "color": "var(--bad)", "strokeDash": [1, 2]}
    found: list[Spec] = []
    for channel, limit, values in (
        ("x", limits[0], [one.across for one in spots]),
        ("y", limits[1], [one.value for one in spots]),
    ):
        if limit is not None and values and min(values) / 3 < limit < max(values) * 3:
            encoding = {channel: {"datum": limit, "type": "quantitative"}}
            found.append({"data": {"values": [{}]}, "mark": mark, "encoding": encoding})
    return found
