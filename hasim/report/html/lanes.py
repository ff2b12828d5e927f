"""The timeline of an incident: lanes on one axis of time, and failed messages above them.

Both specifications are filled in by the page's script: the data, the lanes that there are, and the
part of the time axis that is shown (`from`, `to`, in seconds since the start of the incident).
"""

from __future__ import annotations

from typing import Any

from hasim.report.timeline import KINDS

MARKS = {"check passed": "var(--c2)", "check failed": "var(--bad)", "heartbeat": "var(--c2)"}
"""Kinds that are moments, and their colours; all others last."""
_ON_THEME = {"#555555": "var(--faint)", "#bbbbbb": "var(--p8)", "#F0E442": "var(--p5)"}
SPANS = {
    **{kind: _ON_THEME.get(colour, colour) for kind, (colour, _) in KINDS.items()},
    "failed": "#c9372c",
    "alert warning": "var(--p5)",
    "alert critical": "#b3261e",
    "failed messages": "var(--c1)",
}
"""Kinds that last, and their colours."""

_X = {
    "type": "quantitative",
    "title": "time since the start of the incident",
    "axis": {
        "labelExpr": "format(datum.value, '~s') + 's'",
        "tickCount": 8,
        "labelOverlap": True,
    },
    "scale": {
        "zero": False,
        "nice": False,
        "domainMin": {"expr": "from"},
        "domainMax": {"expr": "to"},
    },
}
LEFT = 210
"""Pixels for the names of the lanes; the page's script takes fewer on a narrow screen."""
_LEFT = {"minExtent": LEFT, "maxExtent": LEFT, "labelLimit": LEFT - 8}
_BOTH_ENDS = (
    "length(datum.label) > 29 ? slice(datum.label, 0, 10) + '…' + slice(datum.label, -18) : "
    "datum.label"
)
"""Of a long name its middle is left out: the end says which strip of which master it is."""
_CURSOR = {
    "data": {"values": [{}]},
    "mark": {"type": "rule", "strokeDash": [4, 3], "clip": True},
    "encoding": {"x": {"datum": {"expr": "cursor"}, "type": "quantitative"}},
}


def specifications() -> dict[str, Any]:
    """``lanes``, and ``failed`` (messages per second) above them."""
    return {"lanes": _lanes(), "failed": _failed()}


def _lanes() -> dict[str, Any]:
    colours = {**SPANS, **MARKS}
    tooltip = [
        {"field": "lane", "title": "lane"},
        {"field": "kind", "title": "what"},
        {"field": "start", "title": "from second", "format": ".4~f"},
        {"field": "end", "title": "to second", "format": ".4~f"},
        {"field": "label", "title": "of"},
    ]
    moments = f"indexof({list(MARKS)!r}, datum.kind) >= 0"
    colour = {
        "field": "kind",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(colours), "range": list(colours.values())},
        "legend": {"orient": "bottom", "columns": 5, "symbolType": "square", "symbolOpacity": 1},
    }
    axis = {**_LEFT, "labelExpr": _BOTH_ENDS}
    y = {"field": "lane", "type": "nominal", "title": None, "scale": {}, "axis": axis}
    solid = {"calculate": "isValid(datum.strength) ? datum.strength : 1", "as": "solid"}
    opacity = {
        "field": "solid",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": [0.2, 1]},
    }
    return {
        "transform": [solid],
        "encoding": {"y": y, "color": colour},
        "layer": [
            {
                "transform": [{"filter": f"!({moments})"}],
                "mark": {
                    "type": "bar",
                    "clip": True,
                    "height": {"band": 0.82},
                    "minBandSize": 2,
                    "cursor": "pointer",
                },
                "encoding": {
                    "x": {**_X, "field": "start"},
                    "x2": {"field": "end"},
                    "opacity": opacity,
                    "stroke": {**colour},
                    "tooltip": tooltip,
                },
            },
            {
                "transform": [{"filter": moments}],
                "mark": {"type": "tick", "clip": True, "thickness": 2, "cursor": "pointer"},
                "encoding": {"x": {**_X, "field": "start"}, "tooltip": tooltip},
            },
            _CURSOR,
        ],
    }


def _failed() -> dict[str, Any]:
    return {
        "height": 90,
        "title": {
            "text": "Failed messages per second",
            "anchor": "start",
            "color": "var(--faint)",
            "fontWeight": "normal",
            "fontSize": 12,
        },
        "layer": [
            {
                "mark": {"type": "rect", "clip": True},
                "encoding": {
                    "x": {**_X, "field": "at", "title": None},
                    "x2": {"field": "until"},
                    "y": {
                        "field": "top",
                        "type": "quantitative",
                        "title": None,
                        "axis": {**_LEFT, "tickCount": 4},
                    },
                    "y2": {"field": "base"},
                    "color": {
                        "field": "gateway",
                        "type": "nominal",
                        "scale": {"range": [f"var(--c{k})" for k in range(7)]},
                        "legend": {"orient": "bottom"},
                    },
                    "tooltip": [
                        {"field": "gateway", "title": "gateway"},
                        {"field": "at", "title": "from second", "format": ".4~f"},
                        {"field": "per_s", "title": "failed per second", "format": ".4~g"},
                    ],
                },
            },
            _CURSOR,
        ],
    }
