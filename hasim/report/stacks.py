"""Figures of stacked bars: what an outage and the time down are made of, a bar for each cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hasim.report import style
from hasim.report.figures import shortened, wider
from hasim.report.format import percent, tick
from hasim.report.picture import picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Parts = Mapping[str, Mapping[str, float]]
# Tol's muted scheme (2021), for colour-blind readers, in an order that keeps neighbours apart.
COLOURS = (
    "#88CCEE", "#332288", "#DDCC77", "#117733", "#CC6677",
    "#44AA99", "#882255", "#999933", "#AA4499", "#DDDDDD",
)  # fmt: skip

UNSEEN = 0.001
"""A part that is less of the longest bar everywhere is not to be seen, and has no colour."""


def phase_bars(parts: Parts) -> Figure:
    """Mean seconds of each phase of an outage, by cell."""
    return _bars(parts, "Phases of an outage, mean per incident", "time", share=False)


def cause_bars(parts: Parts) -> Figure:
    """The share of time down, by what it was spent on, by cell."""
    return _bars(parts, "Unavailability by cause", "share of time", share=True)


def _bars(parts: Parts, title: str, axis: str, *, share: bool) -> Figure:
    with style.look():
        known = dict.fromkeys(kind for own in parts.values() for kind in own)
        kinds = [kind for kind in known if any(own.get(kind, 0.0) > 0 for own in parts.values())]
        most = max((sum(own.values()) for own in parts.values()), default=0.0)
        kinds = [k for k in kinds if max(own.get(k, 0.0) for own in parts.values()) > UNSEEN * most]
        figure = picture(
            9 + wider(parts), max(1.3 + 0.34 * max(1, len(parts)), 0.7 + 0.19 * len(kinds))
        )
        axes = figure.add_subplot()
        left = [0.0] * len(parts)
        for place, kind in enumerate(kinds):
            widths = [own.get(kind, 0.0) for own in parts.values()]
            axes.barh(
                range(len(parts)),
                widths,
                left=left,
                label=kind,
                color=COLOURS[place % len(COLOURS)],
                edgecolor="white",
                linewidth=0.5,
            )
            left = [start + width for start, width in zip(left, widths, strict=True)]
        axes.set_yticks(range(len(parts)), [shortened(name) for name in parts])
        axes.set_ylim(len(parts) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        show = percent if share else tick
        axes.xaxis.set_major_formatter(lambda x, _: show(float(f"{x:.9g}")))
        axes.set_xlabel(axis)
        style.headline(figure, title)
        if kinds:
            style.legend(figure)
    return figure
