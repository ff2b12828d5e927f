"""Pages without a browser: what stands in them, what cannot act, how large they are."""

from __future__ import annotations

import itertools
import json
import re
import sys

import pytest

from hasim.report.html import charts, library
from hasim.report.html.dots import dots
from hasim.report.html.page import Chart, Explorer, Page, Section, embedded, html_page
from hasim.report.sheet import Column, Paper, Sheet
from hasim.report.survival import detected_by
from tests.commands.test_cli import SCENARIO, cli
from tests.findings.examples import OnPaper

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def test_data_cannot_end_their_script():
    text = embedded({"a": ["</script><!--", "&", "\u202e", float("nan"), 1.5]})
    assert not set("<>&\u202e") & set(text)
    assert json.loads(text) == {"a": ["</script><!--", "&", "\\u202e", None, 1.5]}


def test_any_finding_has_a_page(tmp_path):
    sheet = Sheet([Column("who"), Column("how many", align="right")], [["<a>", 3], ["b", 1.5]])
    path = OnPaper(Paper([sheet], said=["So <it> is."])).report(tmp_path / "a.html")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "So &lt;it&gt; is." in text
    assert "&lt;a&gt;" in text
    assert 'data-value="3"' in text
    assert "vegaEmbed=" not in text  # nothing is drawn, so no library comes along
    assert len(text) < 40_000


def test_a_curve_is_thinned_but_true():
    rows = [(k / 100, k % 7 == 0) for k in range(1, 5001)]
    chart = charts.survival("d", "D", {"a": rows}, done="done", pending="open", since="time since")
    times, shares = detected_by(rows)
    exact = dict(zip(times, shares, strict=True))
    drawn = list(zip(*(chart.columns[n] for n in ("seconds", "share", "censored")), strict=True))
    corners = [(t, share) for t, share, censored in drawn if not censored]
    assert len(corners) < 600
    assert all(exact[t] == share for t, share in corners)
    assert corners[-1] == (times[-1], shares[-1])
    lags = [b - a for (_, a), (_, b) in itertools.pairwise(corners)]
    assert max(lags) < 2.5 / charts.STEPS


def test_a_curve_says_how_many_it_is_of():
    def about(*cells):
        observed = {f"c{k}": rows for k, rows in enumerate(cells)}
        words = {"done": "done", "pending": "open", "since": "time since"}
        return charts.survival("d", "D", observed, **words).about

    two = [(1.0, False), (2.0, True)]
    assert "Of each: c0: 2, 1 open; c1: 1, 0 open." in about(two, two[:1])
    assert "Of each 1 to 2, of which 0 to 1 open." in about(two, two, two, two[:1])
    assert "Of each 2, of which 1 open." in about(two, two, two, two)


def test_shares_of_a_stack_are_those_given():
    chart = charts.stacked(
        "s", "S", "", {"x": {"a": 1.0, "b": 0.0}, "y": {"a": 0.5}}, axis="time", unit="s"
    )
    assert chart.columns["part"] == ["a", "a"]  # what nobody has is no part
    assert chart.columns["value"] == [1.0, 0.5]


def test_ten_thousand_incidents_are_under_five_megabytes():
    count = 10_000
    from hasim.findings.page_incidents import WORDS

    columns = {
        name: [1234567.8912 + k if name.endswith("_s") else k for k in range(count)]
        for name in WORDS
    }
    columns |= {name: ["least-loaded, probe+messages"] * count for name in ("cell", "outcome")}
    columns |= {name: ["amsterdam-west-1"] * count for name in ("master", "kind")}
    explorer = Explorer(columns, WORDS, {}, "hasim explain RUN --incident {}")
    page = Page("p", None, [], [Section("Incidents", [explorer])])
    (data,) = DATA.findall(html_page(page))
    assert len(json.loads(data)["incidents"]["columns"]["incident"]) == count
    assert len(data.encode()) < 5e6


def test_it_says_what_is_missing(monkeypatch, hostile, tmp_path):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    library.script.cache_clear()
    chart = Chart("a", "A", "", {}, {"x": [1]})
    with pytest.raises(library.NoLibraryError, match=r"pip install 'hasim\[report\]'"):
        html_page(Page("p", None, [], [Section("s", [chart])]))
    library.script.cache_clear()


def test_the_verdict_stands_first(hostile):
    text = hostile.page()
    assert text.index("expectations") < text.index("Estimates with their")
    assert re.search(r"Of 8 expectations \d hold, \d do not, \d are undecided", text)
    with pytest.raises(LookupError, match="no incident 99"):
        hostile.page([99])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.yaml").write_text(SCENARIO)
    few = ("--jobs", 1, "--replications", 2)
    assert cli("run", folder / "tiny.yaml", *few, "--out", folder / "out").exit_code == 0
    return folder / "out"


def test_report_writes_the_page(run, tmp_path):
    done = cli("report", run, "-o", tmp_path / "p.html", "--incident", 2)
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'p.html'}\n")
    (data,) = DATA.findall((tmp_path / "p.html").read_text(encoding="utf-8"))
    assert list(json.loads(data)["incidents"]["details"]) == ["2"]
    done = cli("report", str(run), "--incident", "77")
    assert (done.exit_code, "no incident 77; the run has 4" in done.stderr) == (2, True)
    done = cli("report", str(run), "-o", str(tmp_path / "no" / "p.html"))
    assert (done.exit_code, "cannot write there" in done.stderr) == (2, True)


@pytest.mark.parametrize("figure", ["intervals", "failover", "phases", "causes", "timeline"])
def test_plot_draws_a_figure(run, tmp_path, figure):
    file = tmp_path / "x.svg"
    for _ in range(2):
        done = cli("plot", str(run), "--figure", figure, "-o", str(file))
        assert (done.exit_code, done.stdout) == (0, f"{file}\n")
        text = file.read_text(encoding="utf-8")
        assert "<svg" in text
    done = cli("plot", str(run), "--figure", "timelin", "-o", str(file))
    assert (done.exit_code, "Did you mean timeline?" in done.stderr) == (2, True)
    done = cli("plot", str(run), "--figure", figure, "-o", "x.gif")
    assert (done.exit_code, ".svg, .png, .pdf" in done.stderr) == (2, True)


def test_of_many_curves_the_first_the_best_and_the_worst_have_colours():
    observed = {f"cell {n}": [(float(n + 1), False)] for n in range(36)}
    words = {"done": "detected", "pending": "undetected", "since": "time since then"}
    chart = charts.survival("d", "D", observed, **words)
    colour = chart.spec["encoding"]["color"]
    assert colour["legend"]["values"] == ["cell 0", "cell 35"]
    assert colour["scale"]["range"].count("var(--p8)") == 34
    assert list(dict.fromkeys(chart.columns["cell"]))[-2:] == ["cell 0", "cell 35"]  # above
    assert "cell 0 (the first, best p50); cell 35 (worst p50)" in chart.about
    few = charts.survival("d", "D", dict(list(observed.items())[:3]), **words)
    assert "var(--p8)" not in few.spec["encoding"]["color"]["scale"]["range"]
    assert "grey" not in few.about


def test_a_line_without_an_end_goes_to_the_edge():
    """The nines of what never failed are unbounded; CSV has what is known, and no edge."""
    rows = [("a", 5.0, 4.0, float("inf")), ("b", 5.2, None, 5.5)]
    chart = dots("n", "Nines", rows, "count")
    assert (chart.columns["low"], chart.columns["high"]) == ([4.0, None], [None, 5.5])
    shapes = [layer["mark"].get("shape") for layer in chart.spec["layer"]]
    assert shapes == [None, None, "triangle-left", "triangle-right"]
    edges = [step["calculate"].rpartition(": ")[2] for step in chart.spec["transform"]]
    assert float(edges[0]) < 4.0
    assert float(edges[1]) > 5.5
    whole = dots("n", "Nines", [("a", 5.0, 4.0, 6.0)], "count")
    assert len(whole.spec["layer"]) == 2


def test_bars_of_nothing_have_a_size():
    """A chart without a row made a page of 33 million pixels."""
    nothing = {"a": {"first": 0.0, "second": 0.0}}
    chart = charts.stacked("c", "C", "about", nothing, axis="share of time", unit="share")
    assert chart.columns["part"] == ["first"]
