"""The figure of a capacity: what is carried, and what is open, beside today's load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hasim.report import style
from hasim.report.picture import picture
from hasim.report.visible import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Bar:
    """A border: the largest load below it, the smallest above it."""

    label: str
    below: float | None
    above: float | None


def capacity_plot(
    bars: Sequence[Bar], today: float | None, unit: str, limits: Sequence[str]
) -> Figure:
    """A bar for each border, hatched where it is open, and a line for today's load."""
    with style.look():
        figure = picture(7, 0.5 * len(bars) + 1.6)
        axes = figure.add_subplot()
        places = range(len(bars))
        below = [bar.below or 0.0 for bar in bars]
        axes.barh(places, below, color=style.COLOURS[0], height=0.6, label="carried")
        axes.barh(
            places,
            [max(0.0, (bar.above or 0.0) - low) for bar, low in zip(bars, below, strict=True)],
            left=below,
            color="none",
            edgecolor=style.COLOURS[1],
            hatch="////",
            height=0.6,
            label="open",
        )
        if today is not None:
            axes.axvline(today, color="black", linewidth=1.2, linestyle=style.DASHES[1])
            axes.plot([], [], color="black", linestyle=style.DASHES[1], label="today's load")
        axes.set_yticks(list(places), [visible(bar.label) for bar in bars])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlim(left=0)
        axes.set_xlabel(f"load, {unit}")
        axes.set_ylabel("masters down")
        axes.set_title(f"Largest load with {' and '.join(limits)}")
        figure.legend(loc="outside lower center", ncols=3)
    return figure
