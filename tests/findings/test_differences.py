"""Paired differences: across the cells of a run, or in a list."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import pytest

from hasim.findings.comparison import OfTwoRuns, WithBaseline
from hasim.findings.differences import across, censored, listed, named, parts
from hasim.report.finding import Finding
from hasim.report.sheet import Paper
from hasim.study.comparing.compare import Compared
from hasim.study.estimates.estimate import Estimate
from tests.findings.examples import DIFFERENCES, THREE, OnPaper, of

BASELINE = {"balancing.algorithm": "round-robin"}
COMPARED = [
    Compared(one.cell, dict(THREE)[one.cell], one.measure, one.difference, one.p, one.verdict, 0)
    for one in DIFFERENCES
]


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (of(-1.26, -1.819, -0.7047), ("-1.26 s", "-1.82 to -0.70")),
        (of(0.00078, -0.0561, 0.0577), ("+0.8 ms", "-56.1 to +57.7")),
        (of(0.01, -0.2, 90.0), ("+10.0 ms", "-200 ms to 1 m 30 s")),
        (of(0.0110, 0.0059, 0.0160, "ratio"), ("+1.10 %", "+0.59 to +1.60")),
        (of(0.5, 0.25, 0.75, "per_hour"), ("+0.500 /h", "+0.250 to +0.750")),
        (of(-3.0, -4.0, 0.0, "count"), ("-3.00", "-4.00 to 0")),
        (of(-1.2, -math.inf, math.inf), ("-1.20 s", "no bounds")),
    ],
)
def test_difference_and_bounds_share_their_unit(
    estimate: Estimate, expected: tuple[str, str]
) -> None:
    assert parts(estimate) == expected


def test_across_the_cells_of_a_run() -> None:
    shown = str(OnPaper(Paper([across(THREE, DIFFERENCES, BASELINE)])))
    assert "minus balancing.algorithm = round-robin" in shown
    assert "-1.26 s" in shown
    assert "p < 0.001 better" in shown
    assert "p 0.034 better" in shown
    assert "-0.200 to +0.400" in shown
    assert [line.split()[1] for line in shown.splitlines() if line.startswith(" priority")] == ["="]
    assert "round-robin" not in shown.partition("minus")[2].partition("\n")[2]


def test_one_line_of_a_difference_has_all_of_it() -> None:
    text = OnPaper(Paper([across(THREE, DIFFERENCES, BASELINE)])).render("markdown")
    row = next(line for line in text.splitlines() if line.startswith("| geo |"))
    assert row == (
        "| geo | -1.26 s [-1.82, -0.70], p < 0.001 better | "
        "+1.10 % [+0.60, +1.60], p 0.034 better |"
    )


def test_a_list_for_markdown() -> None:
    sheet = listed(THREE, DIFFERENCES, "minus round-robin")
    lines = OnPaper(Paper([sheet])).render("markdown").splitlines()
    assert lines[0].startswith("| minus round-robin | measure |")
    assert lines[2] == "| geo | detection_time.p50 | -1.26 s | -1.82 to -0.70 | 0.0004 | better |"
    assert len(lines) == 6


@pytest.mark.parametrize(
    "finding",
    [OfTwoRuns(COMPARED), WithBaseline(THREE, COMPARED, BASELINE)],
    ids=lambda finding: type(finding).__name__,
)
def test_programs_get_differences_with_p_and_verdict(finding: Finding) -> None:
    rows = list(csv.DictReader(io.StringIO(finding.render("csv"))))
    assert [(r["cell"], r["balancing.algorithm"], r["verdict"]) for r in rows[:2]] == [
        ("1", "geo", "better")
    ] * 2
    assert (float(rows[0]["value"]), float(rows[0]["p"])) == (-1.26, 0.0004)
    (geo, priority) = json.loads(finding.render("json"))["cells"]
    assert geo["measures"]["detection_time.p50"]["low"] == -1.82
    assert [one["verdict"] for one in priority["verdicts"]] == ["same", "undecided"]


def test_a_terminal_only_counts_what_does_not_differ() -> None:
    finding = OfTwoRuns(COMPARED)
    assert [line.split()[0] for line in str(finding).splitlines() if " 1 " in line] == ["priority"]
    assert "1 of 4 differences are exactly 0 in every replication." in str(finding)
    assert finding.render("markdown").count("| priority |") == 2
    same = OfTwoRuns([one for one in COMPARED if one.verdict == "same"])
    assert str(same) == "1 of 1 differences are exactly 0 in every replication."


def test_what_was_censored_stands_below_the_differences() -> None:
    cells = [(0, {"a.b": 1}), (1, {"a.b": 2})]
    note = "the first 6 s; censored: 3 of 40 and 38 of 40"
    outage = Estimate("outage.mean", "s", 3.0, 2.0, 4.0, 9, "Student t, Hall", note=note)
    one = Compared(1, {"a.b": 2}, "outage.mean", outage, 0.01, "worse", 0)
    other = Compared(1, {"a.b": 2}, "uptime", replace(outage, note=""), 0.01, "worse", 0)
    told = "outage mean, b=2: the first 6 s; censored: 3 of 40 and 38 of 40."
    assert censored(cells, [one, other]) == [told]
    assert told in OfTwoRuns([one, other]).render("markdown")
    assert censored(cells, [other]) == []


def test_a_baseline_in_words() -> None:
    assert named({"detection.evidence": ["probe", "messages"], "detection.fall": 2}) == (
        "detection.evidence = probe+messages, detection.fall = 2"
    )
