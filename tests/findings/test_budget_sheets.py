"""The budget on paper and for programs: the numbers are those of the budget."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.findings.budget_sheets import MINUTES, by_cause, by_fault, nines, remarks, rows
from hasim.report.sheet import Field
from hasim.study.estimates.statistics import Interval
from hasim.study.rare.estimate import ALL, OVERLAP, TOTAL, Run, estimate
from tests.findings.examples import CLASSES, YEAR_S, budget_cell, budget_run, budgets


def test_rows_hold_every_fault_and_cause_and_add_up() -> None:
    found = list(rows([budget_cell()]))
    assert len(found) == (2 + 4) * 10
    whole = next(r for r in found if (r["fault"], r["cause"]) == (TOTAL, ALL))
    # 24 crashes of 6 s and 6 hangs of 12 s a year, less what the faults themselves last.
    assert whole["minutes_per_year"] == pytest.approx((24 * 6 + 6 * 12) / 60, rel=1e-3)
    assert whole["share"] == 1
    crash = next(r for r in found if (r["fault"], r["cause"]) == ("crash", "fencing"))
    assert crash["minutes_per_year"] == pytest.approx(24 * 2 / 60, rel=1e-3)
    assert crash["share"] == pytest.approx(48 / 216, rel=1e-3)
    assert crash["unavailability"] * MINUTES == pytest.approx(crash["minutes_per_year"])


def test_nines_are_those_of_the_bounds() -> None:
    found = nines(Interval(1e-5, 1e-6, 1e-4, 3, "x"))
    assert (found.value, found.low, found.high) == pytest.approx((5, 4, 6))
    assert nines(Interval(0.0, -1e-9, 1e-4, 3, "x")).value == math.inf


def test_json_is_json_and_says_what_is_unbounded() -> None:
    data = json.loads(budgets(budget_cell(quiet=True)).render("json"), parse_constant=pytest.fail)
    assert (data["scenario"], data["year_s"]) == ("x", YEAR_S)
    (found,) = data["cells"]
    assert found["varied"] == {"detection.fall": 2}
    rates = {one["fault"]: one for one in found["faults"]}
    assert rates["hang"]["per_year"]["value"] == pytest.approx(6)
    assert rates["hang"]["per_year"]["high"] == pytest.approx(9)
    assert rates["crash"]["processes"] == 2
    assert rates["crash"]["down_s"]["value"] == 6
    assert found["quiet_s"] == 7200
    assert found["not_excluded"] == pytest.approx(3.6889 / 7200 * 2, rel=1e-4)
    down_s = 24 / (1 + 12 / YEAR_S * 600) * 6 + 6 / (1 + 6 / YEAR_S * 600) * 12
    assert found["uptime"]["value"] == pytest.approx(1 - down_s / YEAR_S, abs=1e-12)


def test_csv_has_a_row_for_each_part() -> None:
    found = list(csv.DictReader(io.StringIO(budgets(budget_cell()).render("csv"))))
    assert [(r["fault"], r["cause"]) for r in found[:2]] == [
        ("crash", "undetected"), ("crash", "deciding"),
    ]  # fmt: skip
    assert {r["detection.fall"] for r in found} == {"2"}
    total = [r for r in found if (r["fault"], r["cause"]) == (TOTAL, ALL)]
    assert float(total[0]["minutes_per_year"]) == pytest.approx(3.6, rel=1e-3)


def test_sheets_by_fault_and_by_cause() -> None:
    by_fault, by_cause = budgets(budget_cell()).paper().sheets
    rows = [[field.text for field in row] for row in by_fault.fields()]
    assert [row[0] for row in rows] == [
        "crash", "hang", "overlap", "all faults", "no fault", "total",
    ]  # fmt: skip
    assert rows[0][1:4] == ["12.0", "master", "10 m 00 s"]
    assert rows[1][1] == "6.00 [4.00, 9.00]"
    assert rows[0][-2].startswith("2.399 [")
    assert rows[0][-1] == "66.7 %"
    assert [row[0].text for row in by_cause.fields()] == ["detection", "fencing", "all"]


def test_markdown_is_two_tables_and_what_they_rest_on() -> None:
    text = budgets(budget_cell()).render("markdown")
    assert text.count("| --- |") == 2
    assert "| crash | 12.0 | master |" in text
    assert "365.25 days" in text


def test_the_text_of_a_pipe_has_no_colours() -> None:
    text = budgets(budget_cell()).render("table")
    assert "\x1b" not in text
    assert "5.16 [" in text  # nines: -log10(216 / 31557600)
    with pytest.raises(ValueError, match="unknown form 'xml'"):
        budgets(budget_cell()).render("xml")


def test_what_is_no_downtime_is_not_called_so() -> None:
    cell = budget_cell()
    both = (cell, dataclasses.replace(cell, index=1, varied={"detection.fall": 3}))
    for measure, share, minutes in (
        ("success", "success", "minutes' worth of messages"),
        ("user_uptime", "user_uptime", "minutes of users' time"),
        ("uptime.mean", "uptime", "minutes"),
    ):
        for cells in (both[:1], both):
            told = dataclasses.replace(budgets(*cells), measure=measure)
            assert all(set(one) & {"uptime", "success", "user_uptime"} == {share}
                       for one in told.plain()["cells"])  # fmt: skip
            for said in (told.render("table"), html.unescape(told.page())):
                assert f"{minutes} a year by fault" in said
                is_down = share == "uptime"
                assert ("minutes down a year" in said or "down per fault" in said) == is_down
                assert ("lost per fault" in said) != is_down


def test_runs_whose_fence_fails_are_told() -> None:
    said = " ".join(remarks("uptime", dataclasses.replace(budget_cell(), fence_fails=0.05), []))
    assert "first order to the fencing device fail; they count 5" in said
    assert "fencing device" not in " ".join(remarks("uptime", budget_cell(), []))


def test_remarks_on_what_is_not_known() -> None:
    said = " ".join(remarks("uptime", budget_cell(quiet=True), []))
    assert "No false failover in 2.00 h" in said
    assert "--quiet" in said
    assert "two or more faults at a time" in said
    assert "not rare" not in said
    assert "Rates: 8 times between outages in x.csv." in said
    crowded = dataclasses.replace(budget_cell().budget, crowd=0.5)
    often = dataclasses.replace(budget_cell(), budget=crowded)
    assert "Faults are not rare here" in " ".join(remarks("uptime", often, []))
    plain = Interval(8e-6, 7e-6, 9e-6, 20, "Student t")
    said = " ".join(remarks("uptime", budget_cell(plain=plain), []))
    assert "Crude: 4.21 [3.68, 4.73] minutes a year" in said


def test_no_fault_costs_less_than_nothing() -> None:
    cell = budget_cell()
    below = Interval(-1e-7, -3e-7, 1e-7, 9, "x")
    parts = {**cell.budget.parts, ("crash", "fencing"): below, (OVERLAP, "fencing"): below}
    changed = dataclasses.replace(cell, budget=dataclasses.replace(cell.budget, parts=parts))
    fencing = next(row for row in by_cause(changed.budget, "").rows if row[0] == "fencing")
    crash, overlap = fencing[1], fencing[3]
    assert isinstance(crash, Field)
    assert isinstance(overlap, Field)
    assert float(crash.text) == 0.0
    assert float(overlap.text) < 0.0  # what two faults share is counted once


DOWN_S = st.integers(0, 300_000).map(lambda ms: ms / 1000) | st.just(0.0)
FEW = st.lists(st.tuples(DOWN_S, DOWN_S, DOWN_S), min_size=2, max_size=4)


@settings(deadline=None, max_examples=30)
@given(FEW, FEW, st.lists(DOWN_S, min_size=2, max_size=4))
def test_no_line_but_overlap_costs_less_than_nothing(crashes, hangs, quiet_s) -> None:
    """However few and unlike the runs, and however much is down without a fault."""
    singles = {
        one.name: [budget_run(*seconds) for seconds in found]
        for one, found in zip(CLASSES, (crashes, hangs), strict=True)
    }
    quiet = [Run((*[0.0] * 8, down_s), 3600.0) for down_s in quiet_s]
    found = estimate([one.kind for one in CLASSES], singles, (), quiet)
    cell = dataclasses.replace(budget_cell(), budget=found)
    for row in rows([cell]):
        if row["fault"] != OVERLAP:
            assert min(row["minutes_per_year"], row["minutes_low"], row["minutes_high"]) >= 0
            assert min(row["unavailability"], row["low"], row["high"]) >= 0
    for sheet in (by_fault(cell, ""), by_cause(cell.budget, "")):
        for line in sheet.rows:
            if line[0] != OVERLAP:
                said = " ".join(str(getattr(value, "text", value)) for value in line[1:])
                assert not re.search(r"(^|[^\w)])-[\d.]", said), line
