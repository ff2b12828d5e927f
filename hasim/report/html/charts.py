"""The charts of a page, as Vega-Lite specifications: data that hold no code.

Colours are variables of the page's style sheet, so that a figure follows the theme and the
printer. Fields are names of our own: a text of a file is a value and never a name.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from hasim.report.html.page import Chart
from hasim.report.named import middle, named
from hasim.report.survival import Observation, detected_by

Spec = dict[str, Any]
COLOURS = tuple(f"var(--c{number})" for number in range(7))
DASHES = ([1, 0], [5, 2], [1, 1.2], [6, 1.5, 1, 1.5])
USUAL: Mapping[str, int] = {
    **dict.fromkeys(("undetected", "detection", "until suspected"), 0),
    "until declared": 1,
    **dict.fromkeys(("deciding", "decision"), 9),
    "fencing": 2,
    **dict.fromkeys(("transferring", "transfer"), 3),
    **dict.fromkeys(("promoting", "promotion"), 4),
    **dict.fromkeys(("redirecting", "redirection"), 5),
    **dict.fromkeys(("mistaken", "false failover"), 6),
    **dict.fromkeys(("overloaded", "overload"), 7),
    **dict.fromkeys(("no capacity", "no backup: waiting for repair"), 8),
}
"""Which colour a part of an outage has: the same one in every figure."""
_PARTS = 10
_FEW = 3
"""Cells of which each is named in a sentence."""
STEPS = 500
"""A curve is drawn with at most about so many steps, each where it is."""
_LOG_FROM = 30.0
_ROUND_S = [round(d * 10.0**e, 9) for e in range(-6, 6) for d in (1, 2, 5)]
"""Ticks of a logarithmic axis of time."""
SECONDS: Spec = {
    "labelExpr": "format(datum.value, '~s') + 's'",
    "tickCount": 8,
    "labelOverlap": True,
}
"""The axis of a time, with labels such as ``250ms`` and ``2s``."""


def _style(names: Sequence[str], own: Sequence[str]) -> tuple[Spec, Spec]:
    """Colour and dash of each cell, told apart also by those who see no colours.

    Only those of `own` have a look of their own, and stand in the legend.
    """
    place = {name: k for k, name in enumerate(own)}
    looks = [place.get(name) for name in names]
    colours = ["var(--p8)" if k is None else COLOURS[k % len(COLOURS)] for k in looks]
    dashes = [DASHES[(k or 0) // len(COLOURS) % len(DASHES)] for k in looks]
    legend = {
        "orient": "bottom",
        "columns": 2,
        "labelLimit": 300,
        "symbolSize": 200,
        "values": list(own),
    }
    colour = {"field": "cell", "scale": {"domain": list(names), "range": colours}, "title": None}
    dash = {"field": "cell", "scale": {"domain": list(names), "range": dashes}, "title": None}
    return {**colour, "type": "nominal", "legend": legend}, {**dash, "type": "nominal"}


def survival(
    name: str,
    title: str,
    observed: Mapping[str, Sequence[Observation]],
    *,
    done: str,
    pending: str,
    since: str,
) -> Chart:
    """The share that was `done` by a time `since`, a Kaplan-Meier curve for each cell.

    Those that were still `pending` when they were last seen are ticks on the curve.
    """
    about = (
        f"Share {done} by a time {since.removeprefix('time ')}, one Kaplan-Meier curve for each "
        f"cell; ticks are those {pending}. {_counted(observed, pending)}"
    )
    names = [cell for cell, rows in observed.items() if rows]
    steps = [detected_by(observed[cell]) for cell in names]
    own = named([middle(list(zip(*step, strict=True))) for step in steps])
    if len(own) < len(names):
        told = "; ".join(f"{names[place]}{what}" for place, what in own.items())
        about += f" With a colour: {told}. The others are grey; the list shows one."
    # What is drawn later lies above: those with a colour.
    order = sorted(range(len(names)), key=lambda place: place in own)
    columns: dict[str, list[Any]] = {"cell": [], "seconds": [], "share": [], "censored": []}
    for cell in (names[place] for place in order):
        for seconds, share, censored in _curve(observed[cell]):
            for column, value in zip(columns, (cell, seconds, share, censored), strict=True):
                columns[column].append(value)
    spec = _curves(names, [names[place] for place in own], _wide(observed), done, since)
    return Chart(name, title, about, spec, columns)


def _counted(observed: Mapping[str, Sequence[Observation]], pending: str) -> str:
    """How many were seen: of each cell if there are few, else from the fewest to the most."""
    counts = {cell: (len(rows), sum(late for _, late in rows)) for cell, rows in observed.items()}
    if len(counts) <= _FEW:
        each = (f"{cell}: {n:,}, {late:,} {pending}" for cell, (n, late) in counts.items())
        return f"Of each: {'; '.join(each)}."
    seen, late = zip(*counts.values(), strict=True)
    return f"Of each {_range(seen)}, of which {_range(late)} {pending}."


def _range(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _curves(names: Sequence[str], own: Sequence[str], wide: bool, done: str, since: str) -> Spec:
    """Curves by cell, of which a list picks one, `own` with colours; `wide`: a logarithmic axis."""
    colour, dash = _style(names, own)
    # A list, and not a click on the legend, which no key reaches.
    chosen = {"input": "select", "options": [None, *names], "labels": ["all", *names]}
    shown = "chosen === null || datum.cell === chosen"
    x: Spec = {
        "field": "seconds",
        "type": "quantitative",
        "title": since,
        "axis": SECONDS,
        "scale": {"type": "symlog", "constant": 0.5} if wide else {"zero": True},
    }
    y: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": f"{done} by then",
        "axis": {"format": "%"},
        "scale": {"domain": [0, 1]},
    }
    tooltip = [
        {"field": "cell", "title": "cell"},
        {"field": "seconds", "title": "seconds", "format": ".4~g"},
        {"field": "share", "title": done, "format": ".1%"},
    ]
    return {
        "height": 260,
        "encoding": {"x": x, "y": y, "color": colour},
        "params": [{"name": "chosen", "value": None, "bind": {**chosen, "name": "Cell "}}],
        "layer": [
            {
                "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
                "encoding": {
                    "strokeDash": dash,
                    "tooltip": tooltip,
                    "opacity": {"condition": {"test": shown, "value": 1}, "value": 0.15},
                },
            },
            {
                "transform": [{"filter": "datum.censored"}],
                "mark": {"type": "tick", "orient": "vertical", "size": 9, "thickness": 1.5},
                "encoding": {
                    "tooltip": tooltip,
                    "opacity": {"condition": {"test": shown, "value": 1}, "value": 0.1},
                },
            },
        ],
    }


def _wide(observed: Mapping[str, Sequence[Observation]]) -> bool:
    times = sorted(seconds for rows in observed.values() for seconds, _ in rows if seconds > 0)
    return bool(times) and times[-1] > _LOG_FROM * max(times[len(times) // 2], 1e-9)


def _curve(rows: Sequence[Observation]) -> list[tuple[float, float, bool]]:
    """The corners of a curve and its ticks, (seconds, share, is a tick), thinned to `STEPS`."""
    times, shares = detected_by(rows)
    corners = list(zip(times, shares, strict=True))
    least = 1 / STEPS
    kept = [corners[0]]
    for corner in corners[1:-1]:
        if corner[1] - kept[-1][1] >= least:
            kept.append(corner)
    kept += corners[1:][-1:]
    late = sorted(seconds for seconds, censored in rows if censored)
    late = late[:: max(1, len(late) // STEPS)]
    ticks, place = [], 0
    for seconds in late:
        while place + 1 < len(times) and times[place + 1] <= seconds:
            place += 1
        ticks.append((seconds, shares[place], True))
    return sorted([*((t, share, False) for t, share in kept), *ticks])


def stacked(
    name: str,
    title: str,
    about: str,
    parts: Mapping[str, Mapping[str, float]],
    *,
    axis: str,
    unit: str,
    of: str = "cell",
) -> Chart:
    """A bar for each cell (or what else it is `of`), made up of `parts`, in their order.

    `parts` are by cell and part, in `unit`.
    """
    kinds = list(dict.fromkeys(kind for own in parts.values() for kind in own))
    # A chart without a single row has no size that a browser could draw.
    kinds = [kind for kind in kinds if any(own.get(kind) for own in parts.values())] or kinds[:1]
    rows = [(cell, kind, own.get(kind, 0.0)) for cell, own in parts.items() for kind in kinds]
    columns: dict[str, list[Any]] = {
        "cell": [cell for cell, _, _ in rows],
        "part": [kind for _, kind, _ in rows],
        "value": [value for _, _, value in rows],
        "order": [kinds.index(kind) for _, kind, _ in rows],
    }
    spec: Spec = {
        "height": 24 * max(1, len(parts)),
        "mark": {"type": "bar", "stroke": "var(--paper)", "strokeWidth": 0.7},
        "encoding": {
            "y": by_cell(list(parts)),
            "x": {
                "field": "value",
                "type": "quantitative",
                "title": axis,
                "axis": {
                    "format": ".2~%" if unit == "share" else "~s",
                    "tickCount": 6,
                    "labelOverlap": True,
                },
            },
            "color": {
                "field": "part",
                "type": "nominal",
                "title": None,
                "scale": {"domain": kinds, "range": parts_colours(kinds)},
                "legend": {"orient": "bottom", "columns": 3},
            },
            "order": {"field": "order"},
            "tooltip": [
                {"field": "cell", "title": of},
                {"field": "part", "title": "part"},
                {
                    "field": "value",
                    "title": axis,
                    "format": ".4%" if unit == "share" else ".4~g",
                },
            ],
        },
    }
    return Chart(name, title, about, spec, columns)


def parts_colours(kinds: Sequence[str]) -> list[str]:
    """The colours of parts: the usual one, or else one that no other has, as long as there are."""
    taken = {USUAL[kind] for kind in kinds if kind in USUAL}
    free = itertools.cycle([k for k in range(_PARTS) if k not in taken] or range(_PARTS))
    return [f"var(--p{USUAL[kind] if kind in USUAL else next(free)})" for kind in kinds]


def by_cell(names: Sequence[str]) -> Spec:
    """The cells from the top, in their order."""
    axis = {"labelLimit": 330, "title": None, "domain": False, "ticks": False}
    return {"field": "cell", "type": "nominal", "sort": list(names), "axis": axis}


def over_time(
    name: str,
    title: str,
    about: str,
    columns: Mapping[str, Sequence[Any]],
    *,
    axis: str,
    kinds: Sequence[str],
    seconds: bool = False,
) -> Chart:
    """Lines over the time of a run: columns `cell`, `seconds`, `kind`, `value`, a panel a cell.

    `seconds`: the values are times, drawn on a logarithmic axis.
    """
    names = list(dict.fromkeys(columns["cell"]))
    y: Spec = {"field": "value", "type": "quantitative", "title": axis}
    if seconds:
        y |= {"axis": {**SECONDS, "values": _ROUND_S}, "scale": {"type": "log"}}
    lines: Spec = {
        "height": 200,
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.6},
        "transform": [{"filter": "isValid(datum.value)"}, {"filter": "datum.cell == chosen"}],
        "params": [
            {
                "name": "chosen",
                "value": names[0] if names else "",
                "bind": {"input": "select", "options": names, "name": "Cell "},
            }
        ],
        "encoding": {
            "x": {
                "field": "seconds",
                "type": "quantitative",
                "title": "time since the start of the run",
                "axis": SECONDS,
            },
            "y": y,
            "color": {
                "field": "kind",
                "type": "nominal",
                "title": None,
                "scale": {
                    "domain": list(kinds),
                    "range": [
                        "var(--bad)" if kind == "failed" else colour
                        for kind, colour in zip(kinds, COLOURS, strict=False)
                    ],
                },
                "legend": {"orient": "bottom"},
            },
            "strokeDash": {
                "field": "kind",
                "type": "nominal",
                "scale": {"domain": list(kinds), "range": list(DASHES[: len(kinds)])},
            },
            "tooltip": [
                {"field": "kind", "title": "what"},
                {"field": "seconds", "title": "from second", "format": ".4~g"},
                {"field": "value", "title": axis, "format": ".4~g"},
            ],
        },
    }
    return Chart(name, title, about, lines, columns)
