"""The pages of a gate, a budget and a capacity: verdict first, and figures of the same numbers."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import hasim
from hasim.findings.budget_words import CAUSES
from hasim.findings.capacity_page import capacity_page
from hasim.findings.gate_sheets import headline
from hasim.findings.page_alerts import alerts_sheet
from hasim.measures import causes
from hasim.report.html import charts
from hasim.report.sheet import Field, Paper, Sheet
from hasim.study.rare.estimate import ALL, TOTAL
from tests.findings.examples import EMPTY, REPORT, budget_cell, budgets, comparison

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)
HOSTILE = "</script><script>document.title='taken'</script>\"'\u202e"


def figures(page: str) -> dict[str, Any]:
    (data,) = DATA.findall(page)
    return json.loads(data)["figures"]


def test_a_gate_shows_what_differs_in_its_margins():
    page = REPORT.page()
    assert page.index(headline(REPORT).text) < page.index("<h2>What got worse or better")
    columns = figures(page)["margins"]["columns"]
    assert columns["measure"] == [
        "b: failover_time.mean", "a: detection_time.mean", "b: outage.mean", "b: uptime",
    ]  # fmt: skip
    assert columns["margins"] == pytest.approx([12, 3, 1, -10])
    assert columns["low"][:2] == pytest.approx([11, 2.5])
    assert columns["high"][3] == pytest.approx(-5)
    # Of the third nothing is known but its value: its line goes from edge to edge.
    assert (columns["low"][2], columns["high"][2]) == pytest.approx((-20, 13))
    assert "1 of 5 measures are identical to the baseline." in page
    assert re.search(r">detection.fall</t[dh]><td[^>]*>3</td><td[^>]*>4</td>", page)


def test_a_gate_that_compared_nothing_has_a_page_too():
    page = EMPTY.page()
    assert "no such file" in page
    assert figures(page) == {}
    assert "vegaEmbed=" not in page


def test_what_has_no_margin_is_counted_and_not_drawn():
    same = comparison("a", "probes", "pass", 0.0, 0.0, 0.0, unit="count", current=5.0)
    lost = comparison("a", "rpo.writes", "regression", 3.0, 1.0, 5.0, margin=0.0)
    page = replace(REPORT, comparisons=(same, lost)).page()
    assert figures(page) == {}
    assert "1 more stand in the table of all measures" in page


def test_a_budget_draws_the_minutes_of_its_tables():
    cell = budget_cell()
    page = budgets(cell).page()
    columns = figures(page)["budget-0"]["columns"]
    told = {
        (fault, cause): value
        for fault, cause, value in zip(
            *(columns[n] for n in ("cell", "part", "value")), strict=True
        )
    }
    assert told["crash", "detection"] == pytest.approx(24 * 4 / 60, rel=1e-3)
    assert told["hang", "fencing"] == pytest.approx(6 * 2 / 60, rel=1e-3)
    whole = (cell.budget.parts[TOTAL, ALL].value or 0.0) * 365.25 * 24 * 60
    assert math.fsum(told.values()) == pytest.approx(whole)
    first = page.index('class="headline"')
    assert "5.16 [4.75, inf] nines, 3.60 [0, 9.31] minutes down a year" in page[first : first + 200]
    assert "66.7 % by fault: crash; 72.2 % by cause: detection" in page[first : first + 200]


def test_cells_of_a_budget_stand_beside_each_other():
    other = replace(budget_cell(), index=1, varied={"detection.fall": 3})
    page = budgets(budget_cell(), other).page()
    drawn = figures(page)
    assert set(drawn) == {"faults", "causes", "nines", "budget-0", "budget-1"}
    assert "Fewest minutes a year: fall=2: 3.60 [0, 9.31]; not told apart from it: fall=3." in page
    for name in ("faults", "causes"):
        values = drawn[name]["columns"]["value"]
        assert math.fsum(values) == pytest.approx(2 * 3.6, rel=1e-3)


def test_names_do_not_act():
    bad = replace(REPORT, suite=HOSTILE, missing={HOSTILE: HOSTILE})
    other = replace(budget_cell(), index=1, varied={"masters.a.region": HOSTILE})
    for page in (bad.page(), budgets(budget_cell(), other).page()):
        assert "<script>document.title" not in page
        assert "\u202e" not in page


def test_a_capacity_draws_the_border_of_each_row():
    def row(label: str, below: float | None, above: float | None) -> Any:
        down, border = SimpleNamespace(label=label), SimpleNamespace(below=below, above=above)
        return SimpleNamespace(down=down, border=border)

    rows = [row("none", 90.0, 92.0), row("1", 60.0, None), row("2", None, 5.0)]
    loads = SimpleNamespace(recorded=False, today=50.0)
    found: Any = SimpleNamespace(carried=rows, loads=loads)
    paper = Paper([Sheet([], [], caption="What is carried")], headline=Field("Fine."))
    page = capacity_page(found, paper)
    chart = page.sections[0].blocks[0]
    assert chart.columns == {
        "cell": ["none down", "1 down", "today's load"],
        "value": [90.0, 60.0, 50.0],
        "low": [90.0, 60.0, 50.0],
        "high": [92.0, 60.0, 50.0],
    }


def test_an_alert_belongs_to_the_last_incident_there():
    incidents = pd.DataFrame(
        [
            (0, 0, "a", 10.0, 20.0, 25.0, 1),
            (0, 0, "b", 12.0, 14.0, None, 2),
            (0, 0, "a", 40.0, 50.0, None, 3),  # begins while an alert may still tell of the first
            (0, 1, "a", 10.0, None, None, 4),  # never over
            (1, 0, "a", 10.0, 20.0, 25.0, 5),
        ],
        columns=["cell", "replication", "master", "started_at_s", "cured_at_s", "restored_at_s",
                 "incident"],
    )  # fmt: skip
    alerts = pd.DataFrame(
        [
            (0, 0, "master:a", 12.0),
            (0, 0, "master:a", 13.0),  # the same incident once more: the sooner one counts
            (0, 0, "master:a", 44.0),
            (0, 0, "master:b", 75.0),  # more than a minute after its end
            (0, 0, "master:c", 12.0),  # nothing was wrong there
            (0, 0, "partition:a", 12.0),  # about no master
            (0, 1, "master:a", 500.0),
        ],
        columns=["cell", "replication", "subject", "raised_at_s"],
    )
    result: Any = SimpleNamespace(incidents=incidents, alerts=alerts)
    rows = [[f.text for f in row] for row in alerts_sheet(result, {0: "x", 1: "y"}).fields()]
    assert rows == [["x", "4", "3", "4.00 s", "6", "2"], ["y", "1", "0", "-", "0", "0"]]


def test_a_part_of_an_outage_has_one_colour_everywhere():
    known = [name.replace("_", " ") for name in causes.CAUSES]
    colours = charts.parts_colours(known)
    assert len(set(colours)) == len(known)
    assert charts.parts_colours([CAUSES[name] for name in causes.CAUSES]) == colours
    # The parts of an outage that no cause has take colours that are free.
    mixed = charts.parts_colours(["until suspected", "selecting", "fencing", "catching up"])
    assert (mixed[0], mixed[2]) == (colours[0], colours[known.index("fencing")])
    assert len(set(mixed)) == 4


def test_what_a_run_says_to_set_can_be_pasted():
    """A list is no ``probe+messages``, as cells are called."""
    scenario = {
        "horizon": "3m",
        "masters": [{"id": "a"}, {"id": "b"}],
        "traffic": {"arrivals": {"law": "poisson", "rate": "10/s"}, "owned": "50%"},
        "faults": [{"kind": "hang", "target": "a", "at": "1m", "for": "1m"}],
        "detection": {"interval": "10s", "fast_interval": "10s"},
        "vary": {"detection.evidence": [["probe"], ["probe", "messages"]]},
    }
    page = hasim.run(scenario, replications=8, jobs=1, progress=None).page([])
    assert re.search(r"detection.evidence</code></t[dh]><td[^>]*><code>\[probe, messages\]", page)
