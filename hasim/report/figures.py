"""Figures of a study: when incidents were detected, and the estimates with their intervals.

matplotlib is imported when a figure is made, never before; no window is opened.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hasim.measures.catalogue import MEASURES, Shown
from hasim.report import style
from hasim.report.cells import Cell, differing, heading, labels
from hasim.report.format import missing, seconds, significant, tick
from hasim.report.named import MOST_LINES, OTHERS, middle, named, others
from hasim.report.picture import picture
from hasim.report.style import save
from hasim.report.survival import Observation, detected_by
from hasim.report.timeline import incident_timeline
from hasim.report.titles import title
from hasim.report.visible import visible
from hasim.study.estimates.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["detection_ecdf", "failover_ecdf", "incident_timeline", "interval_plot", "save"]

INTERVAL_MEASURES: Sequence[str] = Shown("figure")
_LOG_FROM = 30.0
"""Times that span more than this ratio are drawn on a logarithmic scale."""
_LONGEST_NAME = 60
"""Characters of a cell's name that are drawn."""
_BESIDE = 30
"""Characters of a cell's name that there is room for beside the curves; longer ones stand below."""
_LINE = 0.19
"""Inches that a line of a legend takes."""
_LABEL = 0.55
"""Inches that the label of a tick takes, with room beside it."""


def detection_ecdf(observations: Mapping[str, Sequence[Observation]]) -> Figure:
    """Share of incidents detected by a time since their start, one step curve per cell.

    `observations` has, by label, (seconds, censored) for each incident. The
    curves are Kaplan-Meier estimates; ticks mark incidents that ended undetected.
    """
    since = "time since the start of the incident"
    return _survival(observations, "Detection time", "incidents", since, "detected", "undetected")


def failover_ecdf(observations: Mapping[str, Sequence[Observation]]) -> Figure:
    """Share of failovers with service restored by a time since the declaration, as above."""
    since = "time since the declaration"
    return _survival(observations, "Failover time", "failovers", since, "restored", "unfinished")


def _survival(
    observations: Mapping[str, Sequence[Observation]],
    title: str,
    noun: str,
    since: str,
    done: str,
    pending: str,
) -> Figure:
    shown = {label: rows for label, rows in observations.items() if rows}
    steps = [detected_by(rows) for rows in shown.values()]
    names = named([middle(list(zip(*step, strict=True))) for step in steps])
    below = max((len(list(shown)[place]) for place in names), default=0) > _BESIDE
    with style.look():
        figure = picture(9, 4.5 + (_LINE * (len(names) + 1) if below else 0.0))
        axes = figure.add_subplot()
        for index, (label, rows) in enumerate(shown.items()):
            if index in names:
                place = list(names).index(index)
                name = shortened(label) + names[index]
                _step(axes, place, len(names), name, rows, pending)
            else:
                _unnamed(axes, steps[index], len(shown) - len(names), first=index == _next(names))
        _time_axis(axes, [t for rows in shown.values() for t, _ in rows])
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(lambda share, _: f"{share * 100:.0f} %")
        axes.set_xlabel(since)
        axes.set_ylabel(f"{done} by then")
        style.headline(figure, f"{title} (Kaplan-Meier; ticks: ended {pending})")
        if shown:
            style.legend(figure, below=below)
        else:
            axes.text(0.5, 0.5, f"no {noun}", transform=axes.transAxes, ha="center")
    return figure


def _next(names: Mapping[int, str]) -> int:
    """The first place without a name."""
    return next(place for place in range(len(names) + 1) if place not in names)


def _unnamed(axes: Axes, step: tuple[list[float], list[float]], count: int, *, first: bool) -> None:
    """One of the curves that share a name and a look, below the others."""
    label = others(count) if first else "_others"
    axes.step(*step, where="post", color=OTHERS, linewidth=0.8, zorder=1, label=label)


def shortened(label: str) -> str:
    """A cell's name as it is drawn: cut if it is very long."""
    text = visible(label)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."


def wider(names: Iterable[str]) -> float:
    """Inches that a figure needs more for long names beside its axis."""
    longest = max((len(shortened(name)) for name in names), default=0)
    return 0.07 * max(0, longest - _BESIDE)


def interval_plot(
    cells: Sequence[Cell],
    summaries: Sequence[Mapping[str, Estimate]],
    measures: Sequence[str] = INTERVAL_MEASURES,
    *,
    limits: Mapping[str, float] | None = None,
) -> Figure:
    """Dot and whisker (95 % interval) for each cell, one panel per measure.

    Panels of the same family (``detection_time.p50`` and ``.p95``) share their
    scale. `limits` draws a line at the value that a measure is held against. A
    missing estimate says what is missing; a whisker without end has an arrow. A measure that no
    cell has a value of is left out, and named in the title, as long as another has. Of more than
    `MOST_LINES` cells the best and the worst of each measure stand out.
    """
    known = [m for m in measures if any(m in summary for summary in summaries)]
    shown = [m for m in known if any(_has_value(summary.get(m)) for summary in summaries)] or known
    with style.look():
        columns = min(2, max(1, len(shown)))
        rows = max(1, math.ceil(len(shown) / columns))
        height = 0.7 + rows * (0.75 + 0.24 * len(cells))
        figure = picture(5 + wider(labels(cells)) + 3.2 * (columns - 1), height)
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for axes in grid.flat[len(shown) :]:
            axes.set_visible(False)
        panels = dict(zip(shown, grid.flat, strict=False))
        names = [shortened(label) for label in labels(cells)]
        for measure, axes in panels.items():
            estimates = [summary.get(measure) for summary in summaries]
            _panel(axes, measure, estimates, names, (limits or {}).get(measure))
        units = {m: s[m].unit for m in shown for s in summaries if m in s}
        shares = {m.partition(".")[0] for m, unit in units.items() if unit == "ratio"}
        _share_scales(panels, shares)
        for measure, axes in panels.items():
            _mark_gaps(axes, [summary.get(measure) for summary in summaries])
        if differing(cells):
            most = max(12, int(height * 11))
            figure.supylabel(textwrap.shorten(heading(cells), most, placeholder=" ..."), fontsize=9)
        standing = "; green: best, orange: worst" if len(cells) > MOST_LINES else ""
        left_out = ", ".join(title(m) for m in known if m not in shown)
        style.headline(
            figure,
            "Estimates and their 95 % confidence intervals"
            + standing
            + (f" (too little was seen for: {left_out})" if left_out else ""),
        )
    return figure


def _has_value(estimate: Estimate | None) -> bool:
    """Whether there is something to draw: a number, or a bound where it is infinite."""
    return estimate is not None and estimate.value is not None and not math.isnan(estimate.value)


def _step(
    axes: Axes, index: int, count: int, label: str, rows: Sequence[Observation], pending: str
) -> None:
    times, shares = detected_by(rows)
    # Curves that coincide stay visible: the first drawn is the widest.
    width = 1.4 + 2.6 * (count - 1 - index) / max(1, count - 1)
    censored = sorted(t for t, was_censored in rows if was_censored)
    name = f"{label} (n={len(rows)}"
    name += f", {len(censored)} {pending})" if censored else ")"
    (line,) = axes.step(times, shares, where="post", linewidth=width, label=name)
    line.set_color(style.colour(index))
    line.set_linestyle(style.dash(index))
    if censored:
        heights = [max(s for x, s in zip(times, shares, strict=True) if x <= t) for t in censored]
        axes.plot(censored, heights, "|", color=style.colour(index), markersize=9)


def _time_axis(axes: Axes, times: Sequence[float]) -> None:
    positive = [t for t in times if t > 0]
    if positive and max(positive) / min(positive) > _LOG_FROM:
        axes.set_xscale("log")
        axes.set_xlim(min(positive) / 1.3, max(positive) * 1.1)
        log_ticks(axes)
    else:
        axes.set_xlim(0, max([*positive, 1e-3]) * 1.05)
    axes.xaxis.set_major_formatter(lambda t, _: tick(t))


def log_ticks(axes: Axes) -> None:
    """As many ticks as the panel's width has room for, so that no two labels overlap."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axes.get_xlim()
    figure = axes.get_figure(root=True)
    width = axes.get_position().width * (figure.get_figwidth() if isinstance(figure, Figure) else 1)
    room = width / math.log10(high / low)  # inches a decade
    subs = (1.0, 2.0, 5.0) if room > 3.3 * _LABEL else (1.0, 3.0) if room > 2.1 * _LABEL else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _panel(
    axes: Axes,
    measure: str,
    estimates: Sequence[Estimate | None],
    names: Sequence[str],
    limit: float | None,
) -> None:
    from matplotlib.ticker import PercentFormatter

    standing = _standing_out(measure, estimates)
    for place, estimate in enumerate(estimates):
        if estimate is None or estimate.value is None or not math.isfinite(estimate.value):
            continue
        low, high = _finite_bounds(estimate)
        colour = standing.get(place, style.colour(0))
        axes.plot([low, high], [place, place], color=colour, linewidth=1.6)
        axes.plot([estimate.value], [place], "o", color=colour, markersize=5)
    if limit is not None:
        axes.axvline(limit, color=style.colour(1), linewidth=1.2, linestyle=style.dash(7))
    axes.set_title(title(measure) + ("" if limit is None else "  (dashed: the limit)"))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    unit = next((e.unit for e in estimates if e is not None), "count")
    if unit == "ratio":  # as many decimals as tell its ticks apart
        axes.xaxis.set_major_formatter(PercentFormatter(xmax=1.0, symbol=" %"))
    else:
        show = tick if unit == "s" else significant
        axes.xaxis.set_major_formatter(lambda x, _: show(float(f"{x:.9g}")))


def _standing_out(measure: str, estimates: Sequence[Estimate | None]) -> dict[int, str]:
    """The colours of the best (green) and the worst (orange) of many cells, where they differ."""
    better = MEASURES[measure].better if measure in MEASURES else ""
    values = {
        place: one.value
        for place, one in enumerate(estimates)
        if one is not None and one.value is not None and math.isfinite(one.value)
    }
    if len(estimates) <= MOST_LINES or len(set(values.values())) < 2 or not better:
        return {}
    least, most = min(values.values()), max(values.values())
    best, worst = (least, most) if better == "less" else (most, least)
    colours = {best: style.colour(2), worst: style.colour(1)}
    return {place: colours[value] for place, value in values.items() if value in colours}


def _finite_bounds(estimate: Estimate) -> tuple[float, float]:
    """The interval as far as it is finite; a bound that is not is the value itself."""
    assert estimate.value is not None
    low, high = (
        bound if bound is not None and math.isfinite(bound) else estimate.value
        for bound in (estimate.low, estimate.high)
    )
    return low, high


def _share_scales(panels: Mapping[str, Axes], shares: set[str]) -> None:
    """The same limits for panels of one family of times; few ticks, so that none overlap.

    No axis goes to a share above 100 %, and one without any value has no scale.
    """
    from matplotlib.ticker import MaxNLocator

    families: dict[str, list[Axes]] = {}
    for measure, axes in panels.items():
        family = measure.partition(".")[0] if measure.partition(".")[2] else measure
        families.setdefault(family, []).append(axes)
    for family, members in families.items():
        ranges = [axes.dataLim.intervalx for axes in members if axes.has_data()]
        finite = [float(x) for pair in ranges for x in pair if math.isfinite(x)]
        if not finite:
            for axes in members:
                axes.set_xticks([])
            continue
        low, high = min(finite), max(finite)
        for axes in members:
            if low > 0 and high / low > _LOG_FROM:
                show = axes.xaxis.get_major_formatter()  # the log scale brings its own
                axes.set_xscale("log")
                axes.set_xlim(low / 1.25, high * 1.6)
                log_ticks(axes)
                axes.xaxis.set_major_formatter(show)
            else:
                room = 0.08 * ((high - low) or abs(high) or 1.0)
                # From zero, if that is near: a length is then a duration.
                start = 0.0 if 0 < low < 0.5 * high else low - room
                end = high + 2 * room
                if family in shares and high <= 1 < end:
                    end = 1 + 0.1 * room  # whole dots, but no tick beyond
                axes.set_xlim(start, end)
                axes.xaxis.set_major_locator(MaxNLocator(4))


def _mark_gaps(axes: Axes, estimates: Sequence[Estimate | None]) -> None:
    """Where there is no dot, say why; where a whisker has no end, draw an arrow."""
    left, right = axes.get_xlim()
    for place, estimate in enumerate(estimates):
        if estimate is None:
            continue
        value = estimate.value
        if value is None or not math.isfinite(value):
            low = estimate.low
            why = missing(estimate) if value is None else ""
            if value is not None and low is not None and math.isfinite(low):
                why = f"above {seconds(low) if estimate.unit == 's' else significant(low)}"
            axes.annotate(
                why or "no value",
                (0.02, place),
                xycoords=("axes fraction", "data"),
                va="center",
                color=style.GREY,
                fontsize=8,
            )
        elif estimate.high is not None and math.isinf(estimate.high):
            axes.annotate(
                "",
                (right, place),
                (max(value, left), place),
                arrowprops={"arrowstyle": "->", "color": style.colour(0), "linewidth": 1.6},
            )
