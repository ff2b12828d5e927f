"""One record makes a measure: everything else that knows of measures follows from it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hasim.findings.lists import Measures
from hasim.findings.summary import summary_sheet, tidy_estimates
from hasim.measures.catalogue import MEASURES, Mean, Measure, find, listed, register
from hasim.report import figures, titles
from hasim.report.forms.csv_text import csv_text
from hasim.scenario.schema import Scenario, json_schema
from hasim.settings import plain
from hasim.settings.validation import SettingsError, from_plain
from hasim.study.comparing import compare
from hasim.study.estimates.expectations import judge
from hasim.study.estimates.summary import summarise, values
from hasim.study.gate import quantities
from hasim.study.gate.judge import judge as gate
from hasim.study.gate.judge import pair
from hasim.study.gate.suite import suite_from_data
from hasim.study.planning import stopping
from tests.study.runs import run

TOY = Measure(
    name="toy.cured_alone",
    title="cured alone",
    unit="count",
    meaning="Incidents that ended before anybody noticed.",
    estimator=Mean(lambda one: sum(row.outcome == "censored" for row in one.incidents)),
    block="detection",
    better="less",
    rests_on="mistakes",
    views=frozenset({"table", "comparison", "figure"}),
)
SMALL = {"masters": {"id": "a"}, "horizon": "1m"}


@pytest.fixture
def toy() -> Iterator[str]:
    register(TOY)
    yield TOY.name
    del listed._LISTED[TOY.name]


def test_a_scenario_can_expect_a_new_measure(toy: str) -> None:
    until = {"until": {toy: "5%"}}
    data = {**SMALL, "expect": {toy: "<= 1"}, "replications": until}
    scenario = from_plain(Scenario, data)
    assert [(one.measure, one.bound) for one in scenario.expect] == [(toy, 1)]
    assert from_plain(Scenario, plain(scenario)) == scenario
    with pytest.raises(SettingsError, match=r"expect.toy.cured_alone: expected a limit such as"):
        from_plain(Scenario, {**SMALL, "expect": {toy: "one"}})
    with pytest.raises(SettingsError, match=rf"did you mean {toy}\?"):
        from_plain(Scenario, {**SMALL, "expect": {"toy.cured_alon": "<= 1"}})
    schema = json_schema()
    assert schema["properties"]["expect"]["properties"][toy]["description"] == TOY.meaning
    assert toy in schema["$defs"]["Sequential"]["properties"]["until"]["properties"]


def test_without_its_record_it_is_unknown() -> None:
    with pytest.raises(SettingsError, match=r"expect.toy.cured_alone: unknown key"):
        from_plain(Scenario, {**SMALL, "expect": {TOY.name: "<= 1"}})
    with pytest.raises(LookupError, match=r"no measure 'outage\.p96'; did you mean outage\.p9"):
        find("outage.p96")


def test_a_new_measure_is_estimated_judged_and_shown(toy: str) -> None:
    runs = [run(n, [2.0, None] if n % 2 else [None, None]) for n in range(20)]
    assert [one[toy] for one in values(runs)] == [2, 1] * 10
    found = summarise(runs)[toy]
    assert (found.value, found.unit, found.n) == (1.5, "count", 20)
    (verdict,) = judge(from_plain(Scenario, {**SMALL, "expect": {toy: "< 2"}}).expect, runs)
    assert verdict.verdict == "pass"
    _, shown = summary_sheet([(0, {})], [{toy: found}]).columns
    assert shown.heading == "cured alone"
    assert f"0,{toy},count,1.5," in csv_text(tidy_estimates([(0, {})], [{toy: found}]))
    assert titles.title(toy) == "cured alone"
    assert titles.blocks([toy, "outage.mean"]) == {"detection": [toy], "failover": ["outage.mean"]}
    assert toy in titles.DEFAULT
    assert toy in figures.INTERVAL_MEASURES


def test_a_new_measure_is_compared(toy: str) -> None:
    before = {n: run(n, [2.0, None] if n % 2 else [None, None]) for n in range(20)}
    after = {n: run(n, [2.0, 3.0] if n % 2 else [3.0, None]) for n in range(20)}
    worse = compare.compare([(0, {}, after)], [(0, {}, before)], [toy, "detected"])
    better = compare.compare([(0, {}, before)], [(0, {}, after)], [toy, "detected"])
    assert [(one.difference.value, one.verdict) for one in worse] == [(1, "worse"), (-0.5, "worse")]
    assert [one.verdict for one in better] == ["better", "better"]
    assert toy in compare.MEASURES


def test_a_new_measure_is_gated(toy: str) -> None:
    data = {"measures": [toy], "margins": {toy: {"absolute": 0.5}}, "scenario": SMALL}
    (cell,) = suite_from_data({"scenarios": {"small": data}}).cells
    assert cell.margins[toy].absolute == 0.5
    runs = [run(n, [2.0 + n / 100, None]) for n in range(20)]
    worse = [run(n, [None, None]) for n in range(20)]
    seen = [[quantities.values_of(one, (toy,))[toy] for one in side] for side in (runs, worse)]
    verdicts = []
    for before, after in (seen, seen[::-1], (seen[0], seen[0])):
        one = pair("small", toy, 0.5, before, after)
        verdicts += gate([one], looks=1, at_cap=[True], changed=[True])
    assert [one.verdict for one in verdicts] == ["regression", "pass", "pass"]
    assert [one.difference for one in verdicts] == [1, -1, 0]


def test_a_study_runs_until_a_new_measure_is_known(toy: str) -> None:
    runs = [run(n, [2.0, None], mistakes=n % 2) for n in range(8)]
    assert stopping.events(toy, runs, faults=True) == 4
    rule = from_plain(Scenario, {**SMALL, "replications": {"until": {toy: "5%"}}}).replications
    look = stopping.look_at(runs, None, faults=True)
    assert list(stopping.missing(rule, 8, look)) == [f"{toy}: 4 of 10 events seen"]


def test_a_new_measure_is_listed(toy: str) -> None:
    listed = Measures(list(MEASURES))
    line = f"| `{toy}` | number | less | {TOY.meaning} |"
    assert line in listed.render("markdown").splitlines()
    assert f"  {toy}: number, better less" in listed.render("table").splitlines()


def test_measures_are_found_by_words() -> None:
    assert Measures(list(MEASURES)).about(["RTO"]).names == [
        "outage.mean", "outage.p50", "outage.p95", "outage.p99",
    ]  # fmt: skip
    assert Measures(list(MEASURES)).about(["outage", "no such word"]).names == []
