"""Tables in terminals of several widths."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest

from hasim.report.terminal import console, footer, summary_table, to_text, verdict_table
from hasim.study.estimates.estimate import Estimate

TWELVE = {
    name: Estimate(name, unit, value, value * 0.9, value * 1.1, 120, "order statistics")
    for name, unit, value in [
        ("detection_time.p50", "s", 12.3),
        ("detection_time.p95", "s", 12.3),
        ("detection_time.p99", "s", 12.3),
        ("detected", "ratio", 0.5),
        ("failover_time.p50", "s", 12.3),
        ("failover_time.p95", "s", 12.3),
        ("failover_time.p99", "s", 12.3),
        ("outage.mean", "s", 45.6),
        ("uptime", "ratio", 0.7654),
        ("success", "ratio", 0.8765),
    ]
}
CELLS = [(0, {"b.algorithm": "round-robin"}), (1, {"b.algorithm": "least-loaded"})]


def text_at(width):
    return to_text(summary_table(CELLS, [TWELVE, TWELVE]), width=width)


def test_wide_terminal_has_one_table(cells, summaries):
    text = text_at(160)
    assert text.count("round-robin") == 1
    head = " ".join(text.splitlines()[:3]).split()
    assert {"detection", "failover", "outage", "uptime", "success", "p50", "p95"} <= set(head)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_narrow_terminal_has_blocks(width):
    lines = text_at(width).splitlines()
    assert [
        line.strip() for line in lines if line.strip() in ("detection", "failover", "service")
    ] == [
        "detection",
        "failover",
        "service",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 200])
def test_nothing_is_cut_at_any_width(width):
    text = text_at(width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert text.count("12.3 s") == 12
    assert text.count("11.1-13.5") == 12
    assert text.count("76.5 %") == 2
    assert text.count("68.9-84.2") == 2


def test_dashes_and_open_ends_are_shown_and_explained(cells, summaries):
    text = to_text(summary_table(cells, summaries))
    assert "120 of 368" in text
    assert "4.10-inf" in text
    assert "> 1 m 02 s" in text
    told = to_text(footer(cells, summaries, seed=7, replications=50), width=400)
    assert told.splitlines() == [
        "Seed 7, 50 replications of 2 cells, 120 incidents in each.",
        "Below each estimate its 95 % confidence interval (detection p50, detection p95, "
        "failover p95: order; detected: Clopper-Pearson; uptime: Student t).",
        "-: too few observations; below it, how many there are of how many it takes.",
        "> x: too many were never over in time; with 95 % confidence it exceeds x.",
        "inf: the data give no bound (too few, or some never over in time).",
    ]


def test_footer_explains_only_what_is_there():
    told = to_text(
        footer(CELLS, [TWELVE, TWELVE], seed=1, replications=1, note="A note."), width=400
    )
    lines = told.splitlines()
    assert lines[0] == "Seed 1, 1 replication of 2 cells, 120 incidents in each."
    assert lines[2:] == ["A note."]


@dataclass
class Verdict:
    measure: str
    text: str
    verdict: str
    estimate: Estimate | None
    by_how_much: str


def test_verdicts():
    verdicts = [
        [Verdict("uptime", ">= 99.99%", "fail", TWELVE["uptime"], "short by 23 %")],
        [Verdict("detected", ">= 1%", "undecided", None, "needs more")],
    ]
    lines = [line.split() for line in to_text(verdict_table(CELLS, verdicts)).splitlines()]
    assert lines[4][:4] == ["round-robin", "uptime", ">=", "99.99%"]
    assert "fail" in lines[4]
    assert lines[4][-4:] == ["short", "by", "23", "%"]
    assert lines[5] == ["least-loaded", "detected", ">=", "1%", "undecided", "needs", "more"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def _plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.usefixtures("_plain_environment")
class TestColour:
    def printed(self, file):
        rows = [[Verdict("uptime", "> 1%", "fail", None, "x")]]
        console(file).print(verdict_table(CELLS[:1], rows))
        return file.getvalue()

    def test_on_a_terminal(self):
        assert "\x1b[1;31mfail" in self.printed(Terminal())

    def test_not_with_no_color(self, monkeypatch):
        monkeypatch.setenv("NO_COLOR", "1")
        assert "31m" not in self.printed(Terminal())

    def test_not_in_a_pipe(self):
        assert "\x1b" not in self.printed(io.StringIO())

    def test_width_of_a_pipe(self, monkeypatch):
        assert console(io.StringIO()).width == 160
        monkeypatch.setenv("COLUMNS", "90")
        assert console(io.StringIO()).width == 90

    def test_a_terminal_without_unicode(self):
        raw = io.BytesIO()
        file = io.TextIOWrapper(raw, encoding="ascii")
        console(file).print(summary_table(CELLS, [TWELVE, TWELVE]))
        file.flush()
        assert b"12.3 s" in raw.getvalue()
