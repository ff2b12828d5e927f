"""Figures over time around a fault, and the distribution of latencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hasim.report import style
from hasim.report.figures import log_ticks, shortened
from hasim.report.format import tick
from hasim.report.named import MOST_LINES, OTHERS, middle, named, others
from hasim.report.picture import picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_BESIDE = 30
_LINE = 0.19


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
            _few_ticks(below)
        below.yaxis.set_major_formatter(lambda s, _: tick(float(f"{s:.9g}")))
        below.set_ylabel("latency")
        return _finished(figure, [above, below], course, title)


def _few_ticks(axes: Axes) -> None:
    """Labels upwards on a logarithmic scale, also where no power of ten is in sight."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axes.get_ylim()
    low, high = low / 1.1, high * 1.1
    axes.set_ylim(low, high)
    narrow = high / low < 30
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0, 7.0) if narrow else (1.0,)))
    axes.yaxis.set_minor_formatter(NullFormatter())


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
    names = named([middle(points) for points in shown.values()])
    below = max((len(list(shown)[place]) for place in names), default=0) > _BESIDE
    with style.look():
        figure = picture(9, 4.5 + (_LINE * (len(names) + 1) if below else 0.0))
        axes = figure.add_subplot()
        unnamed = 0
        for number, (label, points) in enumerate(shown.items()):
            times, shares = zip(*points, strict=True)
            (line,) = axes.step([times[0], *times], [0.0, *shares], where="post")
            if number in names:
                place = list(names).index(number)
                line.set_linewidth(_width(place, len(names)))
                _dress(line, place, len(names), shortened(label) + names[number])
            else:
                _dress(line, MOST_LINES + unnamed, MOST_LINES + len(shown) - len(names), label)
                unnamed += 1
        axes.set_xscale("log")
        log_ticks(axes)
        axes.xaxis.set_major_formatter(lambda s, _: tick(float(f"{s:.9g}")))
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
        axes.set_xlabel("latency")
        axes.set_ylabel("answered by then, of all answered")
        style.headline(figure, "Latency of answered messages")
        if shown:
            style.legend(figure, below=below)
    return figure


def _width(place: int, count: int) -> float:
    """So wide that a curve shows below those that are drawn over it."""
    return 1.3 + 0.6 * max(0, min(count, 6) - 1 - place)


def _dress(line: Line2D, place: int, count: int, label: str) -> None:
    """Colour, dash and name of one of several curves; those beyond the first ten share one."""
    if place < MOST_LINES:
        line.set_color(style.colour(place))
        line.set_linestyle(style.dash(place))
        line.set_label(label)
        return
    line.set_color(OTHERS)
    line.set_linewidth(0.8)
    line.set_zorder(1)
    line.set_label(others(count - MOST_LINES) if place == MOST_LINES else "_others")


def _lines(
    axes: Axes, course: Course, curves: Mapping[str, Sequence[float | None]], first: int = 0
) -> None:
    for place, (name, values) in enumerate(curves.items()):
        known = [float("nan") if value is None else value for value in values]
        (line,) = axes.plot(course.at_s, known)
        line.set_linewidth(_width(place, len(curves)))
        _dress(line, place + first, len(curves), shortened(name))


def _finished(figure: Figure, panels: Sequence[Axes], course: Course, title: str) -> Figure:
    """With what happened meanwhile as bands, a legend and the axis of time."""
    at_s = course.at_s
    half_s = (at_s[1] - at_s[0]) / 2 if len(at_s) > 1 else 0.5
    from_s, until_s = at_s[0] - half_s, at_s[-1] + half_s
    for number, axes in enumerate(panels):
        for place, (name, (start_s, end_s)) in enumerate(course.spans.items()):
            fault = place % 2 == 0
            axes.axvspan(
                max(start_s, from_s),
                min(end_s, until_s),
                facecolor="#CC6677" if fault else "none",
                edgecolor="none" if fault else "#332288",
                hatch="" if fault else "//",
                alpha=0.25 if fault else 0.35,
                linewidth=0,
                label=name if number == 0 else None,
            )
        axes.set_xlim(from_s, until_s)
    panels[-1].xaxis.set_major_formatter(lambda s, _: tick(float(f"{s:.9g}")))
    panels[-1].set_xlabel("time since the start of the fault (when messages arrived)")
    style.headline(figure, title)
    style.legend(figure, below=max(map(len, course.per_s), default=0) > _BESIDE)
    return figure
