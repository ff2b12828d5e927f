"""Figures of a sweep: measures as curves over a number, and one as a map over two numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hasim.report import style
from hasim.report.figures import shortened
from hasim.report.format import number, percent, significant, tick
from hasim.report.picture import picture
from hasim.report.titles import title
from hasim.report.visible import visible
from hasim.study.estimates.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Summary = Mapping[str, Estimate]
MOST_LINES = 12
"""So many lines are told apart; of more the first are drawn, and the title says so."""
MOST_BANDS = 3
"""So many bands can be told apart where they overlap; of more lines the intervals are whiskers."""
_ASIDE = 0.045
"""Inches from a line's whisker to the next line's."""
_LOG_FROM = 8.0


@dataclass(frozen=True)
class Swept:
    """A number that is swept: its path, its unit and its values."""

    path: str
    unit: str
    values: Sequence[float]

    @property
    def logarithmic(self) -> bool:
        """Whether its values span so much that ratios count."""
        low, high = min(self.values), max(self.values)
        return low > 0 and high / low >= _LOG_FROM

    def text(self, value: float) -> str:
        """A value as a label."""
        if self.unit == "s":
            return tick(value)
        return percent(value) if self.unit == "ratio" else f"{value:g}"


@dataclass(frozen=True)
class Curve:
    """The estimates along a sweep: (value of the setting, summary of the cell)."""

    label: str
    points: Sequence[tuple[float, Summary]]


def curve_plot(swept: Swept, curves: Sequence[Curve], measures: Sequence[str]) -> Figure | None:
    """A panel for each measure: estimates over the swept number, with bands of their intervals.

    A measure of which too little was seen has no panel; None if there is none at all.
    """
    drawn = curves[:MOST_LINES]
    shown = [m for m in measures if any(_seen(m, s) for c in drawn for _, s in c.points)]
    if not shown:
        return None
    columns = min(2, len(shown))
    rows = math.ceil(len(shown) / columns)
    with style.look():
        figure = picture(4.6 * columns, 2.5 * rows + 0.7)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat[len(shown) :]:
            axes.set_visible(False)
        for measure, axes in zip(shown, grid.flat, strict=False):
            for index, curve in enumerate(drawn):
                _curve(axes, index, curve, measure, banded=len(drawn) <= MOST_BANDS)
            _across(axes, swept)
            _upwards(axes, measure, drawn)
        left = len(curves) - len(drawn)
        more = f" (the first {len(drawn)} of {len(curves)} lines)" if left else ""
        figure.suptitle(f"By {visible(swept.path)}{more}", x=0.01, ha="left", fontsize=10)
        if len(drawn) > 1:
            figure.legend(
                *grid.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=3
            )
    return figure


def _curve(axes: Axes, index: int, curve: Curve, measure: str, *, banded: bool) -> None:
    known = [(x, s[measure]) for x, s in curve.points if measure in s]
    points = [(x, e) for x, e in known if e.value is not None and math.isfinite(e.value)]
    look: Any = {"color": style.colour(index), "linestyle": style.dash(index), "linewidth": 1.3}
    axes.plot(
        [x for x, _ in points],
        [e.value or 0.0 for _, e in points],
        marker="o",
        markersize=3.5,
        label=shortened(curve.label),
        **look,
    )
    if banded:
        _band(axes, index, points)
    else:
        _whiskers(axes, index, points)


def _ends(points: Sequence[tuple[float, Estimate]]) -> tuple[list[float], list[float], list[float]]:
    """(x, low, high) of those that have an interval; an infinite end is none."""
    bounds = [(x, e.low, e.high) for x, e in points if e.low is not None and e.high is not None]
    lows = [low if math.isfinite(low) else math.nan for _, low, _ in bounds]
    highs = [high if math.isfinite(high) else math.nan for _, _, high in bounds]
    return [x for x, _, _ in bounds], lows, highs


def _band(axes: Axes, index: int, points: Sequence[tuple[float, Estimate]]) -> None:
    x, low, high = _ends(points)
    axes.fill_between(x, low, high, color=style.colour(index), alpha=0.18, linewidth=0)


def _whiskers(axes: Axes, index: int, points: Sequence[tuple[float, Estimate]]) -> None:
    """Intervals of many lines, each a little further to the right, since bands hide each other."""
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure(root=True)
    assert figure is not None
    aside = ScaledTranslation(index * _ASIDE, 0.0, figure.dpi_scale_trans)
    xs, lows, highs = _ends(points)
    axes.vlines(
        xs,
        lows,
        highs,
        color=style.colour(index),
        linewidth=1.0,
        alpha=0.7,
        transform=axes.transData + aside,
    )
    # What is drawn aside of the data does not count for the scale by itself.
    finite = [
        (x, y) for ys in (lows, highs) for x, y in zip(xs, ys, strict=True) if math.isfinite(y)
    ]
    if finite:
        axes.update_datalim(finite)
        axes.autoscale_view()


def _across(axes: Axes, swept: Swept) -> None:
    if swept.logarithmic:
        axes.set_xscale("log")
    step = max(1, math.ceil(len(swept.values) / 7))
    shown = list(swept.values)[::step]
    axes.set_xticks(shown, [swept.text(value) for value in shown], fontsize=8)
    axes.set_xticks([], minor=True)
    axes.set_xlabel(visible(swept.path), fontsize=8)


def _upwards(axes: Axes, measure: str, curves: Sequence[Curve]) -> None:
    unit = next((s[measure].unit for c in curves for _, s in c.points if measure in s), "count")
    show = {"s": tick, "ratio": percent}.get(unit, significant)
    axes.yaxis.set_major_formatter(lambda value, _: show(value))
    axes.set_title(title(measure), fontsize=9)


def _seen(measure: str, summary: Summary) -> bool:
    return measure in summary and summary[measure].value is not None


def heat_map(
    across: Swept, upwards: Swept, found: Mapping[tuple[float, float], Estimate], measure: str
) -> Figure:
    """One measure over two numbers, each cell with its value; those without one are blank."""
    values = np.full((len(upwards.values), len(across.values)), math.nan)
    for row, y in enumerate(upwards.values):
        for column, x in enumerate(across.values):
            estimate = found.get((x, y))
            if estimate is not None and estimate.value is not None:
                values[row, column] = estimate.value
    with style.look():
        figure = picture(2.2 + 0.85 * len(across.values), 1.5 + 0.45 * len(upwards.values))
        axes = figure.add_subplot()
        axes.grid(visible=False)
        image = axes.imshow(values, cmap="cividis", aspect="auto", origin="lower")
        least, most = float(np.nanmin(values)), float(np.nanmax(values))
        unit = next(iter(found.values())).unit
        for (row, column), value in np.ndenumerate(values):
            if math.isfinite(value):
                dark = most == least or (value - least) / (most - least) < 0.55
                axes.text(
                    column,
                    row,
                    number(float(value), unit),
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="white" if dark else "black",
                )
        axes.set_xticks(range(len(across.values)), [across.text(v) for v in across.values])
        axes.set_yticks(range(len(upwards.values)), [upwards.text(v) for v in upwards.values])
        axes.set_xlabel(visible(across.path))
        axes.set_ylabel(visible(upwards.path))
        axes.set_title(title(measure))
        show = {"s": tick, "ratio": percent}.get(unit, significant)
        figure.colorbar(image, ax=axes, format=lambda value, _: show(value))
    return figure
