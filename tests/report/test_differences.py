from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from hasim.report.differences import as_markdown, difference_table, named, parts, plain
from hasim.report.terminal import to_text
from hasim.study.estimates.estimate import Estimate


@dataclass(frozen=True)
class One:
    cell: int
    measure: str
    difference: Estimate
    p: float
    verdict: str
    baseline: int | None = 0


def of(value: float, low: float, high: float, unit: str = "s") -> Estimate:
    return Estimate("detection_time.p50", unit, value, low, high, 20, "paired t")


CELLS = [
    (0, {"balancing.algorithm": "round-robin"}),
    (1, {"balancing.algorithm": "geo"}),
    (2, {"balancing.algorithm": "priority"}),
]
ALL = [
    One(1, "detection_time.p50", of(-1.26, -1.82, -0.7), 0.0004, "better"),
    One(1, "uptime", of(0.011, 0.006, 0.016, "ratio"), 0.034, "better"),
    One(2, "detection_time.p50", of(0.0, 0.0, 0.0), 1.0, "same"),
    One(2, "uptime", of(0.001, -0.002, 0.004, "ratio"), 1.0, "undecided"),
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


def test_the_table() -> None:
    shown = to_text(difference_table(CELLS, ALL, {"balancing.algorithm": "round-robin"}))
    assert "minus balancing.algorithm = round-robin" in shown
    assert "-1.26 s" in shown
    assert "p < 0.001 better" in shown
    assert "p 0.034 better" in shown
    assert "-0.200 to +0.400" in shown
    assert [line.split()[1] for line in shown.splitlines() if line.startswith(" priority")] == ["="]
    assert "round-robin" not in shown.partition("minus")[2].partition("\n")[2]


def test_markdown_and_plain_data() -> None:
    lines = as_markdown(CELLS, ALL, "minus round-robin").splitlines()
    assert lines[0].startswith("| minus round-robin | measure |")
    assert lines[2] == "| geo | detection_time.p50 | -1.26 s | -1.82 to -0.70 | 0.0004 | better |"
    assert len(lines) == 6
    first = plain(ALL)[0]
    assert (first["cell"], first["baseline"], first["measure"]) == (1, 0, "detection_time.p50")
    assert (first["value"], first["p"], first["verdict"]) == (-1.26, 0.0004, "better")


def test_a_baseline_in_words() -> None:
    assert named({"detection.evidence": ["probe", "messages"], "detection.fall": 2}) == (
        "detection.evidence = probe+messages, detection.fall = 2"
    )
