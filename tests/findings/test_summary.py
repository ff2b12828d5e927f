"""The estimates of a run on paper, and as tables that are read back."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest

from hasim.findings.summary import (
    ESTIMATE_COLUMNS,
    basis,
    plain_cells,
    plain_verdict,
    summary_sheet,
    tidy_estimates,
    verdict_sheet,
)
from hasim.report.forms.csv_text import csv_text
from hasim.report.forms.json_text import json_text
from hasim.report.forms.terminal import InTerminal, to_text
from hasim.report.sheet import Paper
from hasim.study.estimates.estimate import Estimate
from tests.findings.examples import CELLS, SUMMARIES, VERDICTS, OnPaper

TEN = {
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
TWO = [(0, {"b.algorithm": "round-robin"}), (1, {"b.algorithm": "least-loaded"})]


def text_at(width):
    return to_text(InTerminal(Paper([summary_sheet(TWO, [TEN, TEN])])), width=width)


def test_a_wide_terminal_has_one_table():
    text = text_at(160)
    assert text.count("round-robin") == 1
    head = " ".join(text.splitlines()[:3]).split()
    assert {"detection", "failover", "outage", "uptime", "success", "p50", "p95"} <= set(head)


def test_retries_that_a_budget_cut_are_said():
    cut = [
        {**TEN, "retries_cut": Estimate("retries_cut", "count", n, n, n, 9, "")} for n in (0, 38.2)
    ]
    said = "A budget of retries cut 0 to 38.2 of them in a run (measure retries_cut)."
    assert basis(TWO, cut, seed=1, replications=9)[-1] == said
    assert not any("retries" in line for line in basis(TWO, cut[:1], seed=1, replications=9))


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_narrow_terminal_has_blocks(width):
    lines = [line.strip() for line in text_at(width).splitlines()]
    blocks = ("detection", "failover", "service")
    assert [line for line in lines if line in blocks] == list(blocks)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 200])
def test_nothing_is_cut_at_any_width(width):
    text = text_at(width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert text.count("12.3 s") == 12
    assert text.count("11.1-13.5") == 12
    assert text.count("76.5 %") == 2
    assert text.count("68.9-84.2") == 2


def test_dashes_and_open_ends_are_shown_and_explained():
    text = str(OnPaper(Paper([summary_sheet(CELLS, SUMMARIES)])))
    assert "120 of 368" in text
    assert "4.10-inf" in text
    assert "> 1 m 02 s" in text
    assert basis(CELLS, SUMMARIES, seed=7, replications=50) == [
        "Seed 7, 50 replications of 2 cells, 120 incidents in each.",
        "Each estimate with its 95 % confidence interval (detection p50, detection p95, "
        "failover p95: order; detected: Clopper-Pearson; uptime: Student t).",
        "-: too few observations; how many there are, and how many it takes.",
        "> x: too many were never over in time; with 95 % confidence it exceeds x.",
        "inf: the data give no bound (too few, or some never over in time).",
    ]


def test_only_marks_that_are_there_are_explained():
    lines = basis(TWO, [TEN, TEN], seed=1, replications=(1, 3))
    assert lines[0] == "Seed 1, 1 to 3 replications of 2 cells, 120 incidents in each."
    assert len(lines) == 2


def test_json_has_every_number_in_full_precision():
    rows = json.loads(json_text(plain_cells(CELLS, SUMMARIES)), parse_constant=pytest.fail)
    for (index, varied), summary, row in zip(CELLS, SUMMARIES, rows, strict=True):
        assert (row["cell"], row["varied"]) == (index, varied)
        assert list(row["measures"]) == list(summary)
        for name, estimate in summary.items():
            plain = row["measures"][name]
            infinite = False
            for key in ("value", "low", "high"):
                number = getattr(estimate, key)
                if number is not None and math.isinf(number):
                    infinite, number = True, None
                assert plain[key] == number
            assert plain.get("unbounded", False) is infinite
            assert (plain["n"], plain["needed"]) == (estimate.n, estimate.needed)
    assert rows[1]["measures"]["detection_time.p50"]["value"] == 2.31 + (0.1 + 0.2)


def test_plain_verdicts_stand_with_their_cells():
    judged = [[plain_verdict(one) for one in cell] for cell in VERDICTS]
    first, second = plain_cells(CELLS, SUMMARIES, judged)
    assert first["verdicts"] == [
        {
            "measure": "uptime",
            "limit": ">= 99.99%",
            "verdict": "fail",
            "by_how_much": "0.002 points beyond",
        }
    ]
    assert [one["verdict"] for one in second["verdicts"]] == ["undecided", "pass"]


def test_csv_reads_back_the_same_numbers():
    text = csv_text(tidy_estimates(CELLS, SUMMARIES))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(rows[0]) == ["cell", "balancing.algorithm", "detection.evidence", *ESTIMATE_COLUMNS]
    assert [r["detection.evidence"] for r in rows[::7]] == ["probe", "probe+messages"]
    wanted = [estimate for summary in SUMMARIES for estimate in summary.values()]
    assert len(rows) == len(wanted)
    for row, estimate in zip(rows, wanted, strict=True):
        assert row["measure"] == estimate.measure
        for key in ("value", "low", "high"):
            number = getattr(estimate, key)
            if number is None or math.isinf(number):
                assert row[key] == ""
            else:
                assert float(row[key]) == number
        infinite = any(
            x is not None and math.isinf(x) for x in (estimate.value, estimate.low, estimate.high)
        )
        assert row["unbounded"] == ("true" if infinite else "")


def test_markdown_is_one_table():
    lines = OnPaper(Paper([summary_sheet(CELLS, SUMMARIES)])).render("markdown").splitlines()
    assert len(lines) == 4
    assert all(line == line.strip() and line[0] == line[-1] == "|" for line in lines)
    fields = [[field.strip() for field in line.strip("|").split("|")] for line in lines]
    assert len({len(row) for row in fields}) == 1
    assert fields[0] == [
        "evidence",
        "detection p50",
        "detection p95",
        "detection p99",
        "detected",
        "failover p95",
        "uptime",
    ]
    assert fields[2] == [
        "probe",
        "2.31 s [2.20, 2.45]",
        "4.50 s [4.10, inf]",
        "- (needs 368, has 120)",
        "97.5 % [92.9, 99.5]",
        "> 1 m 02 s",
        "99.984 % [99.980, 99.988]",
    ]


def test_the_verdicts_of_several_cells_are_named_and_those_of_one_are_not():
    lines = OnPaper(Paper([verdict_sheet(TWO, VERDICTS)])).render("markdown").splitlines()
    assert lines[0] == "**expectations**"
    assert lines[2] == "| algorithm | measure | limit | estimate | verdict | by how much |"
    assert lines[4].startswith("| round-robin | uptime | >= 99.99% | 99.984 % [99.980, 99.988] |")
    assert lines[5] == "| least-loaded | detected | >= 1% |  | undecided | needs more |"
    one = OnPaper(Paper([verdict_sheet(TWO[:1], VERDICTS[:1])])).render("markdown").splitlines()
    assert one[2] == "| measure | limit | estimate | verdict | by how much |"


def test_one_summary_per_cell():
    for builder in (summary_sheet, tidy_estimates, plain_cells):
        with pytest.raises(ValueError, match="zip"):
            builder(CELLS, SUMMARIES[:1])
