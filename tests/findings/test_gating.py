"""The gate's report in every form, from a report that is written by hand."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from hasim.findings.gate_sheets import headline
from hasim.findings.junit import as_junit
from tests.findings.examples import EMPTY, REPORT, comparison


def test_verdict_and_headline():
    assert REPORT.verdict == "regression"
    assert headline(REPORT).text == (
        "regression: 2 regressions, 1 inconclusive, 1 scenario not compared, 2 passed"
    )
    assert EMPTY.verdict == "inconclusive"


def test_terminal_shows_the_worst_first_and_leaves_out_what_is_identical():
    text = REPORT.render("table")
    order = ["failover_time.mean", "detection_time.mean", "outage.mean", "uptime"]
    places = [text.index(f" {name} ") for name in order]
    assert places == sorted(places)
    assert " probes " not in text.partition("identical")[0]
    assert "1 of 5 measures are identical." in text
    assert "+1.20 s [1.10, 1.30]" in text
    assert "pass (better)" in text
    assert "a: behaviour changed in 2 of 20 replications (probes 100 -> 110)." in text
    assert "a: detection.fall was 3, is 4." in text
    assert "a: takes 2.00 times as long [1.80, 2.20] (advisory)." in text
    assert "numpy was 2.0 when the baseline was made, is 2.4." in text
    assert "In the baseline, but not in the suite: old." in text
    assert text.rstrip().endswith(headline(REPORT).text)


def test_markdown_is_one_table_with_every_measure_worst_first():
    text = REPORT.render("markdown")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[f.strip() for f in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert {len(row) for row in cells} == {9}
    assert [row[-1] for row in cells[:1] + cells[2:3]] == ["r", "0.90"]
    assert [row[1] for row in cells[2:]] == [
        "failover_time.mean", "detection_time.mean", "outage.mean", "probes", "uptime",
    ]  # fmt: skip
    assert cells[2][4] == "+1.20 s [1.10, 1.30]"
    assert text.startswith("## hasim bench: mine\n\n**regression: ")
    assert len(text) < 65_536  # of a comment; a step summary takes sixteen times as much


def test_csv_has_a_row_for_each_measure_and_no_infinity():
    rows = list(csv.DictReader(io.StringIO(REPORT.render("csv"))))
    assert [row["measure"] for row in rows][:2] == ["failover_time.mean", "detection_time.mean"]
    assert float(rows[0]["difference"]) == 1.2
    assert (rows[2]["lower"], rows[2]["upper"]) == ("", "")


def test_json_holds_everything_and_no_infinity():
    def refuse(name):
        raise AssertionError(name)

    plain = json.loads(REPORT.render("json"), parse_constant=refuse)
    assert plain["verdict"] == "regression"
    assert [one["measure"] for one in plain["comparisons"]][:2] == [
        "failover_time.mean", "detection_time.mean",
    ]  # fmt: skip
    assert plain["comparisons"][2]["upper"] is None
    assert plain["changes"][0]["counters"] == {"probes": [100, 110]}
    assert [one["slower"] for one in plain["speeds"]] == [True, False]
    assert plain["missing"] == {"c": "not in the baseline"}


def test_benchmark_action_gets_names_units_and_values_of_which_less_is_better():
    rows = json.loads(REPORT.render("benchmark-action"))
    assert all({"name", "unit", "value"} <= row.keys() for row in rows)
    assert all(isinstance(row["value"], float) for row in rows)
    by_name = {row["name"]: row for row in rows}
    assert len(by_name) == len(rows) == 5
    assert by_name["a: detection_time.mean"]["value"] == pytest.approx(5.3)
    assert by_name["a: detection_time.mean"]["unit"] == "s"
    assert by_name["b: 1 - uptime"]["value"] == pytest.approx(0.01)


def test_benchmark_action_gets_the_reciprocal_of_a_rate_of_which_more_is_better():
    rate = {"unit": "count", "more_is_better": True, "margin": 1.0}
    some = comparison("a", "goodput", "pass", 0.0, -1.0, 1.0, **{**rate, "current": 80.0})
    none = comparison("b", "goodput", "pass", 0.0, -1.0, 1.0, **{**rate, "current": 0.0})
    report = replace(REPORT, comparisons=(some, none))
    (row,) = json.loads(report.render("benchmark-action"))
    assert (row["name"], row["unit"]) == ("a: 1 / goodput", "1/count")
    assert row["value"] == pytest.approx(1 / 80)


# What pytest's own writer (junitxml.py) puts where.
SUITE_KEYS = {
    "name", "errors", "failures", "skipped", "tests", "time", "timestamp", "hostname",
}  # fmt: skip
CHILDREN = {"properties", "failure", "skipped", "error", "system-out", "system-err"}


@pytest.mark.parametrize("report", [REPORT, EMPTY])
def test_junit_has_the_shape_that_pytest_writes(report):
    whole = ET.fromstring(as_junit(report).encode())
    assert whole.tag == "testsuites"
    (suite,) = whole
    assert suite.tag == "testsuite"
    assert set(suite.attrib) == SUITE_KEYS
    cases = suite.findall("testcase")
    assert [child.tag for child in suite] == ["properties"] + ["testcase"] * len(cases)
    for case in cases:
        assert set(case.attrib) == {"classname", "name", "time"}
        assert {child.tag for child in case} <= CHILDREN
    assert int(suite.get("tests")) == len(cases)
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))
    assert all(case.get("message") for case in suite.iter("failure"))


def test_junit_is_like_a_file_that_pytest_wrote(pytester_junit):
    ours = ET.fromstring(as_junit(REPORT).encode())
    theirs = pytester_junit
    assert set(ours.attrib) <= set(theirs.attrib)
    assert set(ours[0].attrib) == set(theirs[0].attrib)
    of_theirs = {key for case in theirs.iter("testcase") for key in case.attrib}
    assert {key for case in ours.iter("testcase") for key in case.attrib} == of_theirs
    (failure,) = theirs.iter("failure")
    assert all(set(one.attrib) == set(failure.attrib) for one in ours.iter("failure"))
    (skipped,) = theirs.iter("skipped")
    assert all(set(one.attrib) == set(skipped.attrib) for one in ours.iter("skipped"))


@pytest.fixture
def pytester_junit(tmp_path):
    """The XML that pytest itself writes for a pass, a failure and a skip."""
    import subprocess
    import sys

    (tmp_path / "test_three.py").write_text(
        "import pytest\n"
        "def test_pass(): pass\n"
        "def test_fail(): assert 0\n"
        "def test_skip(): pytest.skip('why')\n"
    )
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=out.xml"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return ET.parse(tmp_path / "out.xml").getroot()


def test_junit_fails_regressions_and_skips_what_is_open():
    suite = ET.fromstring(as_junit(REPORT).encode())[0]

    def names(child):
        return {c.get("name") for c in suite.findall("testcase") if c.find(child) is not None}

    assert names("failure") == {"detection_time.mean", "failover_time.mean"}
    assert names("skipped") == {"outage.mean", "comparison"}
    assert names("system-out") == {"behaviour", "speed"}
    (first, *_) = suite.iter("failure")
    assert "because | <of> & this: worse by 1.20 s [1.10 s, 1.30 s], margin 100 ms" in first.get(
        "message"
    )


def test_junit_fails_changes_and_slowness_if_they_count():
    import dataclasses

    strict = dataclasses.replace(REPORT, exact=True, speed=True)
    suite = ET.fromstring(as_junit(strict).encode())[0]
    failed = {
        (c.get("classname"), c.get("name"))
        for c in suite.findall("testcase")
        if c.find("failure") is not None
    }
    assert {("mine.a", "behaviour"), ("mine.a", "speed")} <= failed
    assert ("mine.b", "behaviour") not in failed


def test_an_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(
        ValueError, match="table, json, csv, markdown, html, page, junit, benchmark-action"
    ):
        REPORT.render("yaml")


def test_junit_and_terminal_print_rounded_numbers():
    """Of thirds, which never end: six significant digits at most, wherever a number stands."""
    thirds = {"baseline": 5 / 3, "current": 20 / 3, "p": 1 / 3}
    some = comparison("a", "outage.mean", "regression", 5.0, 14 / 3, 16 / 3, **thirds)
    report = replace(REPORT, comparisons=(some,), wall_s=100 / 3)
    whole = ET.fromstring(as_junit(report).encode())
    texts = [
        value
        for one in whole.iter()
        for value in (one.text or "", *(v for k, v in one.attrib.items() if k != "timestamp"))
    ]
    numbers = [n for text in [*texts, report.render("table")] for n in re.findall(r"[\d.]+", text)]
    assert "6.66667" in numbers
    assert "33.333" in numbers
    digits = [n.replace(".", "").lstrip("0") for n in numbers]
    assert max(map(len, digits)) <= 6
