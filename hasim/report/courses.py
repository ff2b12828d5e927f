"""Figures over time around a fault, and the distribution of latencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hasim.report import style
from hasim.report.figures import shortened
from hasim.report.format import tick
from hasim.report.picture import picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_BESIDE = 30
_LINE = 0.19
MOST_LINES = 10
"""Curves with a colour and a name of their own; of more, the others are grey and share one."""


@dataclass(frozen=True)
class Course:
    """What came of the messages that arrived in each bin of time.

    `at_s` are the middles of the bins, since the fault; `success` is None where no message arrived,
    and `quantiles` (seconds, by name) where none was answered. `per_s` are messages a second by
    the master that served them last. `spans` are what happened meanwhile, by name.
    """

    at_s: Sequence[float]
    success: Sequence[float | None]
    quantiles: Mapping[str, Sequence[float | None]]
    per_s: Mapping[str, Sequence[float]]
    spans: Mapping[str, tuple[float, float]]


def course_plot(course: Course, title: str) -> Figure:
    """Success, and quantiles of latency, of the messages that arrived then."""
    with style.look():
        figure = picture(9, 5)
        above, below = figure.subplots(2, 1, sharex=True)
        _lines(above, course, {"answered in time": course.success}, first=2)
        above.set_ylim(-0.02, 1.02)
        above.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
        above.set_ylabel("success")
        _lines(below, course, course.quantiles)
        if any(value for values in course.quantiles.values() for value in values):
            below.set_yscale("log")
        below.yaxis.set_major_formatter(lambda s, _: tick(float(f"{s:.9g}")))
        below.yaxis.set_minor_formatter(lambda s, _: "")
        below.set_ylabel("latency")
        return _finished(figure, [above, below], course, title)


def load_plot(course: Course, title: str) -> Figure:
    """Messages a second, by the master that served them last."""
    with style.look():
        figure = picture(9, 4)
        axes = figure.add_subplot()
        _lines(axes, course, course.per_s)
        axes.set_ylim(bottom=0)
        axes.set_ylabel("messages a second")
        return _finished(figure, [axes], course, title)


def latency_ecdf(cells: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    """The share of answered messages by their latency, one curve per cell.

    `cells` has (seconds, share that is not slower), growing; the time is logarithmic.
    """
    shown = {label: points for label, points in cells.items() if points}
    below = max(map(len, shown), default=0) > _BESIDE
    named = min(len(shown), MOST_LINES + 1)
    with style.look():
        figure = picture(9, 4.5 + (_LINE * named if below else 0.0))
        axes = figure.add_subplot()
        for place, (label, points) in enumerate(shown.items()):
            times, shares = zip(*points, strict=True)
            (line,) = axes.step([times[0], *times], [0.0, *shares], where="post")
            line.set_linewidth(_width(place, len(shown)))
            _dress(line, place, len(shown), shortened(label))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda s, _: tick(float(f"{s:.9g}")))
        axes.xaxis.set_minor_formatter(lambda s, _: "")
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
        axes.set_xlabel("latency")
        axes.set_ylabel("answered by then, of all answered")
        figure.suptitle("Latency of answered messages", fontsize=10)
        if shown:
            figure.legend(loc="outside lower center" if below else "outside right upper")
    return figure


def _width(place: int, count: int) -> float:
    """So wide that a curve shows below those that are drawn over it."""
    return 1.3 + 1.2 * max(0, min(count, 6) - 1 - place)


def _dress(line: Line2D, place: int, count: int, label: str) -> None:
    """Colour, dash and name of one of several curves; those beyond the first ten share one."""
    if place < MOST_LINES:
        line.set_color(style.colour(place))
        line.set_linestyle(style.dash(place))
        line.set_label(label)
        return
    line.set_color("#bbbbbb")
    line.set_linewidth(0.8)
    line.set_zorder(1)
    line.set_label(f"{count - MOST_LINES} others" if place == MOST_LINES else "_others")


def _lines(
    axes: Axes, course: Course, curves: Mapping[str, Sequence[float | None]], first: int = 0
) -> None:
    for place, (name, values) in enumerate(curves.items()):
        known = [float("nan") if value is None else value for value in values]
        (line,) = axes.plot(course.at_s, known)
        _dress(line, place + first, len(curves), shortened(name))


def _finished(figure: Figure, panels: Sequence[Axes], course: Course, title: str) -> Figure:
    """With what happened meanwhile as bands, a legend and the axis of time."""
    for number, axes in enumerate(panels):
        for place, (name, (start_s, end_s)) in enumerate(course.spans.items()):
            axes.axvspan(
                start_s, end_s, color=("#CC6677", "#88CCEE")[place % 2], alpha=0.25, linewidth=0,
                label=name if number == 0 else None,
            )  # fmt: skip
    panels[-1].xaxis.set_major_formatter(lambda s, _: tick(float(f"{s:.9g}")))
    panels[-1].set_xlabel("time since the start of the fault (when messages arrived)")
    figure.suptitle(title, fontsize=10)
    figure.legend(loc="outside right upper")
    return figure
