"""The figure of detection time against mistakes: a curve for each detector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hasim.report import style
from hasim.report.picture import picture
from hasim.report.visible import visible
from hasim.study.estimates.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class Drawn:
    """A curve: its label, and detection time and mistakes per hour of each value, in order."""

    label: str
    points: Sequence[tuple[Estimate, Estimate]]


def tradeoff_plot(curves: Sequence[Drawn], name: str) -> Figure:
    """Mean detection time across, mistakes per hour upwards, both logarithmic, with intervals.

    A value that made no mistake stands, hollow, at the upper limit of its rate, with an arrow.
    """
    with style.look():
        figure = picture(8, 5.5)
        axes = figure.add_subplot()
        for index, curve in enumerate(curves):
            _curve(axes, index, curve)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_major_formatter(_seconds)
        axes.xaxis.set_minor_formatter(_seconds)
        axes.tick_params(axis="x", which="both", labelsize=8)
        axes.set_xlabel("mean detection time of a crash")
        axes.set_ylabel("mistakes per hour")
        axes.set_title(f"Detection time against mistakes: {visible(name)}")
        figure.legend(
            loc="outside lower center", ncols=4, title="hollow: no mistake, the upper limit"
        )
    return figure


def _seconds(value: float, _: object) -> str:
    return f"{value:g} s" if f"{value:.0e}"[0] in "125" else ""


def _curve(axes: Axes, index: int, curve: Drawn) -> None:
    seen = [(d, m) for d, m in curve.points if d.value and m.value is not None]
    colour = style.colour(index)
    across = [d.value or 0.0 for d, _ in seen]
    upwards = [m.value or m.high or math.nan for _, m in seen]
    made = [(x, y) for x, y, (_, m) in zip(across, upwards, seen, strict=True) if m.value]
    look: Any = {"color": colour, "marker": MARKS[index % len(MARKS)], "markersize": 4.5}
    axes.plot(
        [x for x, _ in made],
        [y for _, y in made],
        linestyle=style.dash(index),
        linewidth=1.2,
        label=visible(curve.label),
        **look,
    )
    for (d, m), x, y in zip(seen, across, upwards, strict=True):
        if (bounds := _bounds(d)) is not None:
            axes.plot(bounds, [y, y], color=colour, linewidth=0.8, alpha=0.7)
        if not m.value:
            axes.plot([x], [y], markerfacecolor="white", **look)
            axes.annotate(
                "",
                xy=(x, y / 2.2),
                xytext=(x, y),
                arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 0.8},
            )
        elif (bounds := _bounds(m)) is not None:
            # An interval to zero goes down to a tenth, since zero is nowhere on such an axis.
            low = max(bounds[0], m.value / 10)
            axes.plot([x, x], [low, bounds[1]], color=colour, linewidth=0.8, alpha=0.7)


def _bounds(estimate: Estimate) -> tuple[float, float] | None:
    low, high = estimate.low, estimate.high
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return None
    return low, high
