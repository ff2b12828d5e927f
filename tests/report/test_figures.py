"""What the figures hold (not their pixels), and that their files are the same each time."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import pytest

from hasim.report import figures, style
from hasim.report.courses import Course, course_plot, latency_ecdf, load_plot
from hasim.report.named import OTHERS
from hasim.report.stacks import phase_bars
from hasim.report.survival import detected_by
from hasim.report.timeline import incident_timeline, timeline_rows
from hasim.study.estimates.estimate import Estimate
from hasim.units import SECOND


def test_kaplan_meier_by_hand():
    # At risk 5, 4, 2 at the detections 1, 2, 4; censored at 2 (still at risk there) and 5.
    rows = [(1.0, False), (2.0, False), (2.0, True), (4.0, False), (5.0, True)]
    times, shares = detected_by(rows)
    assert times == [0.0, 1.0, 2.0, 4.0, 5.0]
    assert shares == pytest.approx([0, 1 / 5, 1 - 4 / 5 * 3 / 4, 1 - 4 / 5 * 3 / 4 / 2, 0.7])


def test_kaplan_meier_without_censoring_is_the_empirical_distribution():
    times, shares = detected_by([(t, False) for t in (3.0, 1.0, 1.0, 2.0)])
    assert times == [0, 1, 2, 3]
    assert shares == pytest.approx([0, 0.5, 0.75, 1.0])


def test_kaplan_meier_of_nothing_and_of_no_detection():
    assert detected_by([]) == ([0.0], [0.0])
    assert detected_by([(7.0, True)]) == ([0.0, 7.0], [0.0, 0.0])


def curves(figure):
    (axes,) = figure.axes
    return {line.get_label(): line for line in axes.lines if line.get_label()[0] != "_"}


def test_detection_curves_are_the_estimates():
    rows = {"one": [(1.0, False), (2.0, False), (3.0, True)], "two": [(2.0, False)], "none": []}
    figure = figures.detection_ecdf(rows)
    shown = curves(figure)
    assert list(shown) == ["one (n=3, 1 undetected)", "two (n=1)"]
    times, shares = detected_by(rows["one"])
    line = shown["one (n=3, 1 undetected)"]
    assert list(line.get_xdata()) == times
    assert list(line.get_ydata()) == pytest.approx(shares)
    assert line.get_drawstyle() == "steps-post"
    (axes,) = figure.axes
    (ticks,) = [line for line in axes.lines if line.get_marker() == "|"]
    assert (list(ticks.get_xdata()), list(ticks.get_ydata())) == ([3.0], [pytest.approx(2 / 3)])
    assert [text.get_text() for text in figure.legends[0].texts] == list(shown)


def test_detection_scale_and_empty():
    linear = figures.detection_ecdf({"a": [(1.0, False), (20.0, False)]})
    wide = figures.detection_ecdf({"a": [(0.1, False), (20.0, False)]})
    assert [f.axes[0].get_xscale() for f in (linear, wide)] == ["linear", "log"]
    empty = figures.detection_ecdf({"a": []})
    assert [t.get_text() for t in empty.axes[0].texts] == ["no incidents"]


def test_curves_of_many_cells_all_look_different():
    rows = {f"cell {n}": [(float(n + 1), False)] for n in range(10)}
    looks = [
        (line.get_color(), line._unscaled_dash_pattern)
        for line in curves(figures.detection_ecdf(rows)).values()
    ]
    assert len(set(looks)) == 10


def test_of_many_cells_the_first_the_best_and_the_worst_have_names():
    """36 curves in 36 colours hide each other: the others share one, below."""
    order = [5, *(n for n in range(36) if n != 5)]
    rows = {f"cell {n}": [(float(n + 1), False)] for n in order}
    figure = figures.detection_ecdf(rows)
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "cell 5 (the first) (n=1)",
        "cell 0 (best p50) (n=1)",
        "cell 35 (worst p50) (n=1)",
        "33 others",
    ]
    drawn = [line for line in figure.axes[0].lines if line.get_marker() == "None"]
    assert len(drawn) == 36
    grey = [line for line in drawn if line.get_color() == OTHERS]
    assert len(grey) == 33
    assert max(line.get_zorder() for line in grey) < min(
        line.get_zorder() for line in drawn if line not in grey
    )


def test_best_and_worst_of_many_intervals_stand_out():
    cells = [(n, {"detection.fall": n}) for n in range(12)]
    summaries = [
        {"uptime": Estimate("uptime", "ratio", 0.9 + n / 200, 0.89, 0.99, 40, "given")}
        for n in range(12)
    ]
    (axes,) = figures.interval_plot(cells, summaries, ("uptime",)).axes
    dots = {
        line.get_ydata()[0]: line.get_color() for line in axes.lines if line.get_marker() == "o"
    }
    assert (dots[11], dots[0]) == (style.colour(2), style.colour(1))
    assert {dots[n] for n in range(1, 11)} == {style.colour(0)}
    few = figures.interval_plot(cells[:3], summaries[:3], ("uptime",)).axes[0]
    assert {line.get_color() for line in few.lines} == {style.colour(0)}


def test_a_measure_that_nobody_has_is_named_and_not_drawn(cells, summaries):
    figure = figures.interval_plot(cells, summaries, ("uptime", "detection_time.p99"))
    assert list(panels(figure)) == ["uptime"]
    told = " ".join(figure._suptitle.get_text().split())
    assert told.endswith("(too little was seen for: detection p99)")


def boxes_of(figure):
    """Where title, legends and axes are, as drawn."""
    figure.draw_without_rendering()
    told = [("title", figure._suptitle.get_window_extent())]
    told += [("legend", legend.get_window_extent()) for legend in figure.legends]
    told += [("axes", axes.get_window_extent()) for axes in figure.axes if axes.get_visible()]
    return told


LONG = "a-name-with-many-words-in-west-europe-rack-12-host-7"
NAMES = {"short": "a", "long": LONG}


@pytest.mark.parametrize("count", [1, 8, 36])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_nothing_overlaps(name, count):
    labels = [f"{name}, fall={n}" for n in range(count)]
    curves_of = {label: [(1.0 + n, False), (9.0, True)] for n, label in enumerate(labels)}
    course = Course(
        at_s=[-1.0, 1.0, 3.0],
        success=[1.0, None, 0.5],
        quantiles={"p50": [0.02, None, 0.03], "p99": [0.02, None, 0.04]},
        per_s={label: [1.0, 2.0, 3.0] for label in labels[:8]},
        spans={"fault": (0.0, 9.0), "declared, not yet restored": (1.0, 2.0)},
    )
    lanes = [
        {"lane": label, "kind": kind, "start_s": 1.0, "end_s": 2.0, "label": ""}
        for label in labels[:8]
        for kind in ("fault", "unserved", "suspect", "failed", "fencing", "promoting")
    ]
    title = f"Incident 5, the longest outage ({name}): crash at {name}"
    phases = {label: {"until suspected": 1.0, "fencing": 2.0 + n} for n, label in enumerate(labels)}
    for figure in (
        figures.detection_ecdf(curves_of),
        latency_ecdf({label: [(0.01, 0.5), (0.02, 1.0)] for label in labels}),
        phase_bars(phases),
        course_plot(course, title),
        load_plot(course, title),
        incident_timeline(lanes, title=title),
    ):
        told = boxes_of(figure)
        for (one, box), (other, beside) in itertools.combinations(told, 2):
            assert not box.overlaps(beside), (figure._suptitle.get_text(), one, other)
        for what, box in told:
            assert box.x0 >= -1, what
            assert box.x1 <= figure.bbox.width + 1, what
            assert box.y1 <= figure.bbox.height + 1, what
        assert max(box.width for what, box in told if what == "axes") > 0.35 * figure.bbox.width


def panels(figure):
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_visible()}


def test_intervals_are_drawn_as_estimated(cells, summaries):
    figure = figures.interval_plot(cells, summaries, limits={"uptime": 0.9999})
    shown = panels(figure)
    assert list(shown) == [
        "detection p50",
        "detection p95",
        "failover p95",
        "uptime  (dashed: the limit)",
    ]
    lines = shown["detection p50"].lines
    whiskers = [tuple(line.get_xdata()) for line in lines if line.get_marker() == "None"]
    dots = [
        (line.get_xdata()[0], line.get_ydata()[0]) for line in lines if line.get_marker() == "o"
    ]
    assert whiskers == [(2.2, 2.45), (2.2, 2.45 + (0.1 + 0.2))]
    assert dots == [(2.31, 0), (2.31 + (0.1 + 0.2), 1)]
    names = [t.get_text() for t in shown["detection p50"].get_yticklabels()]
    assert names == ["probe", "probe+messages"]
    limit = shown["uptime  (dashed: the limit)"].lines[-1]
    assert list(limit.get_xdata()) == [0.9999, 0.9999]


def test_one_family_has_one_scale(cells, summaries):
    shown = panels(figures.interval_plot(cells, summaries))
    assert shown["detection p50"].get_xlim() == shown["detection p95"].get_xlim()
    assert shown["detection p50"].get_xlim() != shown["uptime"].get_xlim()
    low, high = shown["detection p95"].get_xlim()
    assert low <= 2.2
    assert high > 4.8


def test_no_axis_goes_beyond_100_percent_and_none_without_values_has_a_scale(cells):
    share = Estimate("success", "ratio", 0.995, 0.984, 1.0, 40, "given")
    none = Estimate("failover_time.p95", "s", None, None, None, 3, "order statistics", 72)
    summary = {"success": share, "failover_time.p95": none}
    shown = panels(figures.interval_plot(cells, [summary] * len(cells), ("success",)))
    shown |= panels(figures.interval_plot(cells, [summary] * len(cells), ("failover_time.p95",)))
    low, high = shown["success"].get_xlim()
    assert low < 0.984
    assert high > 1.0
    assert max(x for x in shown["success"].get_xticks() if x <= high) <= 1.0
    assert not list(shown["failover p95"].get_xticks())
    assert "needs 72, has 3" in [t.get_text() for t in shown["failover p95"].texts]


def test_gaps_say_what_is_missing(cells, summaries):
    shown = panels(
        figures.interval_plot(cells, summaries, ("detection_time.p95", "failover_time.p95"))
    )
    shown |= panels(figures.interval_plot(cells, summaries, ("detection_time.p99",)))
    texts = {name: [t.get_text() for t in axes.texts] for name, axes in shown.items()}
    assert texts == {
        "detection p95": ["", ""],  # arrows
        "detection p99": ["needs 368, has 120"] * 2,
        "failover p95": ["above 1 m 02 s"] * 2,
    }
    assert all(t.arrow_patch is not None for t in shown["detection p95"].texts)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_files_are_the_same_each_time(suffix, tmp_path, cells, summaries):
    paths = [tmp_path / f"{n}{suffix}" for n in (1, 2)]
    for path in paths:
        figures.save(figures.interval_plot(cells, summaries), path)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert len(first) > 5000


@pytest.mark.parametrize("lowest_s", [None, 1.0, 0.1, 0.009, 0.0001])
def test_labels_do_not_overlap(cells, summaries, lowest_s):
    measures = list(summaries[0])
    if lowest_s is not None:
        measures = ["detection_time.p50", "detection_time.p95", "failover_time.p50"]
        wide = {m: Estimate(m, "s", 5.0, lowest_s, 9.0, 40, "given") for m in measures}
        summaries = [wide, wide]
    figure = figures.interval_plot(cells, summaries, measures)
    figure.draw_without_rendering()
    for axes in figure.axes:
        if axes.get_visible():
            low, high = sorted(axes.get_xlim())
            ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
            boxes = [label.get_window_extent() for x, label in ticks if low <= x <= high]
            for left, right in itertools.pairwise(boxes):
                assert left.x1 < right.x0


def test_timeline_rows_of_the_journal(journal):
    rows = timeline_rows(journal, 9 * SECOND, 25 * SECOND)
    assert [(r["kind"], r["start_s"], r["end_s"], r["label"]) for r in rows] == [
        ("fault", 10.0, 20.0, "hang"),
        ("unserved", 10.0, 15.65, "p1"),
        ("suspect", 11.9, 12.5, ""),
        ("failed", 12.5, 25.0, ""),
        ("fencing", 12.5, 14.5, ""),
        ("transferring", 14.5, 14.8, "b"),
        ("rolling-back", 14.8, 15.0, "b"),
        ("transferring", 15.0, 15.4, "c"),
        ("promoting", 15.4, 15.6, "c"),
        ("redirecting", 15.6, 15.7, "c"),
    ]
    assert {r["lane"] for r in rows} == {"a"}


def test_timeline_cuts_to_the_time_asked_for(journal):
    rows = timeline_rows(journal, 13 * SECOND, 14 * SECOND)
    assert {r["kind"] for r in rows} == {"fault", "unserved", "failed", "fencing"}
    assert all((r["start_s"], r["end_s"]) == (13.0, 14.0) for r in rows)


def test_timeline_draws_every_row(journal):
    rows = timeline_rows(journal, 9 * SECOND, 25 * SECOND)
    figure = incident_timeline(rows, origin_s=10.0, title="hang at a")
    (axes,) = figure.axes
    spans = [c.get_paths()[0].get_extents() for c in axes.collections]
    assert len(spans) == len(rows)
    for span, row in zip(spans, rows, strict=True):
        assert span.x0 == pytest.approx(row["start_s"] - 10)
        assert span.x1 == pytest.approx(row["end_s"] - 10)
    tops = {round(s.y0, 6) for s, r in zip(spans, rows, strict=True) if r["kind"] == "fencing"}
    assert not tops & {
        round(s.y0, 6) for s, r in zip(spans, rows, strict=True) if r["kind"] == "fault"
    }
    legend = [t.get_text() for t in figure.legends[0].texts]
    assert set(legend) == {r["kind"] for r in rows}
    assert math.isclose(axes.get_xlim()[0], -0.02 * 15)


def test_reports_load_matplotlib_only_for_figures():
    code = (
        "import sys, hasim.report.explain, hasim.report.figures; "
        "from hasim.report.forms import csv_text, html_text, json_text, markdown, terminal; "
        "sys.exit(any(m in sys.modules for m in ('numpy', 'pandas', 'scipy', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_figure_shows_itself_in_jupyter(cells, summaries):
    png = figures.interval_plot(cells, summaries, ("detection_time.p50",))._repr_png_()
    assert png.startswith(b"\x89PNG")


def test_a_name_is_drawn_as_it_is(tmp_path, summaries):
    """Dollars begin no formula, and a long name or one from right to left is no error."""
    cells = [(0, {"a.b": r"$\frac$ <script>"}), (1, {"a.b": "\u0627\u0644 " * 40})]
    figure = figures.interval_plot(cells, summaries, ("detection_time.p50",))
    figures.save(figure, tmp_path / "x.svg")
    text = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert r"$\frac$ &lt;script&gt;" in text


def test_long_names_leave_room_for_curves_and_title():
    rows = [(1.0, False), (2.0, False)]
    names = [f"{'x' * 70}{k}" for k in range(6)]
    for labels in (["a", "b"], names):
        figure = figures.detection_ecdf(dict.fromkeys(labels, rows))
        figure.draw_without_rendering()
        (axes,), (legend,) = figure.axes, figure.legends
        inner, told = axes.get_window_extent(), legend.get_window_extent()
        assert inner.width > 0.6 * figure.bbox.width
        assert not told.overlaps(inner)
        assert not told.overlaps(figure._suptitle.get_window_extent())


def test_parts_of_a_stack_keep_their_order():
    drawn = phase_bars({"x": {"first": 0.0, "second": 1.0}, "y": {"first": 2.0, "second": 1.0}})
    (axes,) = drawn.axes
    assert axes.get_legend_handles_labels()[1] == ["first", "second"]
    assert [bar.get_x() for bar in axes.patches[2:]] == [0.0, 2.0]


def test_no_text_in_a_saved_figure_acts_instead_of_being_seen(tmp_path):
    """Whoever made it, a file of a figure has escapes in the place of control characters."""
    hostile = "we\x07st\x1b[2J\u202e <b> $x^2$"
    row = {"master": "a", "lane": "fault", "kind": "fault", "start_s": 0, "end_s": 1, "label": ""}
    figure = incident_timeline([row], title=hostile)
    figure.axes[0].set_xlabel(hostile)
    style.save(figure, tmp_path / "figure.svg")
    written = (tmp_path / "figure.svg").read_text("utf-8")
    assert not set("\x07\x1b\u202e") & set(written)
    shown = r"we\x07st\x1b[2J\u202e &lt;b&gt; $x^2$"
    assert written.count(f">{shown}<") == 2


def test_ticks_of_a_share_are_told_apart(cells):
    """Of a narrow uptime they were 95.4 %, 95.4 % and 95.5 %."""
    one = Estimate("uptime", "ratio", 0.9545, 0.9541, 0.9550, 20, "t")
    figure = figures.interval_plot(cells, [{"uptime": one} for _ in cells])
    figure.canvas.draw()
    ticks = panels(figure)["uptime"].get_xticklabels()
    shown = [tick.get_text() for tick in ticks]
    assert len(shown) == len(set(shown)) > 1
