"""The figure of an advice: outage against false failovers, and the front that nothing beats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hasim.report import style
from hasim.report.format import significant, tick
from hasim.report.naming import name_points
from hasim.report.picture import picture
from hasim.report.titles import title
from hasim.report.visible import visible
from hasim.study.estimates.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = Literal["recommended", "keeps the limits", "undecided", "breaks a limit"]
LOOKS: dict[Kind, dict[str, Any]] = {
    "recommended": {"marker": "*", "color": style.COLOURS[1], "markersize": 15, "zorder": 5},
    "keeps the limits": {"marker": "o", "color": style.COLOURS[0], "markersize": 5.5},
    "undecided": {"marker": "D", "color": style.COLOURS[5], "markersize": 5},
    "breaks a limit": {"marker": "x", "color": style.GREY, "markersize": 5.5},
}
NAMED = 6
"""Points of the front that are named, beside the recommended one and today's."""
LONGEST = 44
"""Characters of a name; of longer ones the end is left out."""


@dataclass(frozen=True)
class Spot:
    """One setting: how often it fails over in vain, and what an outage costs with it.

    `value` is the point estimate of the outage, which `outage` lacks where too few were seen.
    """

    label: str
    false: Estimate
    outage: Estimate
    value: float
    kind: Kind
    today: bool = False

    @property
    def across(self) -> float:
        """Where it stands: at the upper limit of its rate if none was seen."""
        return self.false.value or self.false.high or math.nan


def front(spots: Sequence[Spot]) -> list[Spot]:
    """Those that no other beats in one thing without losing in the other, by growing rate."""
    found: list[Spot] = []
    for spot in sorted(spots, key=lambda s: (s.false.value or 0.0, s.value)):
        if math.isfinite(spot.value) and (not found or spot.value < found[-1].value):
            found.append(spot)
    return found


def pareto_plot(
    spots: Sequence[Spot], axes_of: tuple[str, str], limits: tuple[float | None, float | None]
) -> Figure:
    """A point for each setting; `axes_of` are the two measures, `limits` what each shall keep."""
    false, outage = axes_of
    known = [
        s for s in spots if math.isfinite(s.value) and math.isfinite(s.across) and s.across > 0
    ]
    with style.look():
        figure = picture(8, 5.6)
        axes = figure.add_subplot()
        best = front(known)
        axes.plot(
            [s.across for s in best],
            [s.value for s in best],
            color=style.GREY,
            linewidth=1.0,
            linestyle=(0, (4, 2)),
            label="front: nothing is better in both",
        )
        for kind, look in LOOKS.items():
            _spots(axes, kind, [s for s in known if s.kind == kind], look)
        today = [s for s in known if s.today]
        axes.plot(
            [s.across for s in today],
            [s.value for s in today],
            "s",
            markersize=13,
            markerfacecolor="none",
            markeredgecolor="black",
            label="today",
        )
        _scales(axes, known, axes_of)
        _limits(axes, limits)
        axes.set_xlabel(f"{title(false)}, a year (arrow: none seen, upper limit)")
        axes.set_ylabel(title(outage))
        axes.set_title(f"{title(outage)} against {title(false)}")
        figure.legend(loc="outside lower center", ncols=3)
        _names(figure, axes, known, best)
    return figure


def _spots(axes: Axes, kind: Kind, spots: Sequence[Spot], look: dict[str, Any]) -> None:
    if not spots:
        return
    axes.plot(
        [s.across for s in spots], [s.value for s in spots], linestyle="none", label=kind, **look
    )
    for spot in spots:
        low, high = spot.outage.low, spot.outage.high
        across = spot.across
        bar: Any = {"color": look["color"], "linewidth": 0.8, "alpha": 0.6}
        if low is not None and high is not None and math.isfinite(low) and math.isfinite(high):
            axes.plot([across, across], [low, high], **bar)
        if not spot.false.value:
            axes.annotate(
                "",
                xy=(across / 1.6, spot.value),
                xytext=(across, spot.value),
                arrowprops={"arrowstyle": "->", "color": look["color"], "linewidth": 0.8},
            )
        elif spot.false.high is not None and math.isfinite(spot.false.high):
            least = max(spot.false.low or 0.0, spot.false.value / 10)
            axes.plot([least, spot.false.high], [spot.value] * 2, **bar)


def _scales(axes: Axes, spots: Sequence[Spot], axes_of: tuple[str, str]) -> None:
    """Logarithmic where values span much; labels that are round numbers."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: _count(value))
    axes.xaxis.set_minor_formatter(lambda v, _: _count(v) if f"{v:.0e}"[0] in "25" else "")
    axes.tick_params(axis="x", which="both", labelsize=8)
    values = [s.value for s in spots if s.value > 0]
    seconds = any(s.outage.unit == "s" for s in spots)
    show = tick if seconds else significant
    if values and max(values) > 8 * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(lambda v, _: show(v) if f"{v:.0e}"[0] in "25" else "")
    axes.yaxis.set_major_formatter(lambda value, _: show(value))


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _limits(axes: Axes, limits: tuple[float | None, float | None]) -> None:
    """A line at each limit, within what is shown already."""
    for limit, line, ends in (
        (limits[0], axes.axvline, axes.get_xlim()),
        (limits[1], axes.axhline, axes.get_ylim()),
    ):
        if limit is not None and ends[0] < limit < ends[1]:
            line(limit, color=style.COLOURS[3], linewidth=1.2, linestyle=style.DASHES[2])


def _names(figure: Figure, axes: Axes, known: Sequence[Spot], best: Sequence[Spot]) -> None:
    """The recommended one, today's, and some of the front, as far as there is room."""
    wanted = [s for s in known if s.kind == "recommended" or s.today]
    others = [s for s in best if s not in wanted]
    step = max(1, math.ceil(len(others) / NAMED))
    named = [((s.across, s.value), _shortened(s.label)) for s in [*wanted, *others[::step]]]
    name_points(figure, axes, named, [(s.across, s.value) for s in known])


def _shortened(label: str) -> str:
    text = visible(label)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
