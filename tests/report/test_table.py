"""The machine-readable tables are read back."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest

from hasim.report.table import ESTIMATE_COLUMNS, render


def test_json_has_every_number_in_full_precision(cells, summaries):
    text = render("json", cells, summaries, header={"scenario": "x", "seed": 7})
    data = json.loads(text, parse_constant=pytest.fail)
    assert list(data) == ["scenario", "seed", "cells"]
    for (index, varied), summary, row in zip(cells, summaries, data["cells"], strict=True):
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
    assert data["cells"][1]["measures"]["detection_time.p50"]["value"] == 2.31 + (0.1 + 0.2)


def test_json_verdicts_and_measures(cells, summaries):
    verdicts = [[{"measure": "uptime", "bound": math.inf}], []]
    text = render("json", cells, summaries, measures=["uptime", "detected"], verdicts=verdicts)
    first = json.loads(text)["cells"][0]
    assert first["verdicts"] == [{"measure": "uptime", "bound": None}]
    assert list(first["measures"]) == ["uptime", "detected"]


def test_csv_reads_back_the_same_numbers(cells, summaries):
    rows = list(csv.DictReader(io.StringIO(render("csv", cells, summaries), newline="")))
    assert list(rows[0]) == ["cell", "balancing.algorithm", "detection.evidence", *ESTIMATE_COLUMNS]
    assert [r["detection.evidence"] for r in rows[::7]] == ["probe", "probe+messages"]
    wanted = [estimate for summary in summaries for estimate in summary.values()]
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


def test_markdown_is_one_table(cells, summaries):
    text = render("markdown", cells, summaries)
    lines = text.splitlines()
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


def test_markdown_adds_the_verdicts(cells, summaries):
    one = {"measure": "uptime", "limit": ">= 99%", "verdict": "fail", "by_how_much": "1 % short"}
    text = render("markdown", cells, summaries, verdicts=[[one], []])
    first, second = text.split("\n\n")
    assert first + "\n" == render("markdown", cells, summaries)
    assert second.splitlines()[0] == "| evidence | measure | limit | verdict | by how much |"
    assert second.splitlines()[2:] == ["| probe | uptime | >= 99% | fail | 1 % short |"]


def test_markdown_escapes_bars(summaries):
    text = render("markdown", [(0, {"a.b": "x|y"})], summaries[:1])
    assert "| x\\|y |" in text


@pytest.mark.parametrize("format", ["json", "csv", "markdown"])
def test_same_bytes_again_and_one_line_feed_at_the_end(format, cells, summaries):
    text = render(format, cells, summaries)
    assert text == render(format, list(cells), [dict(s) for s in summaries])
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\r" not in text


def test_unknown_format_names_the_known(cells, summaries):
    with pytest.raises(ValueError, match="json, csv, markdown"):
        render("xml", cells, summaries)


def test_one_summary_per_cell(cells, summaries):
    with pytest.raises(ValueError, match="zip"):
        render("json", cells, summaries[:1])
