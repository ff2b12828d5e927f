"""What a good file becomes: cells, overrides, copies, the resolved text."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.measures.catalogue import MEASURES
from hasim.scenario.document import parse_document
from hasim.scenario.expectations import Expectation
from hasim.scenario.loader import from_data, load
from hasim.scenario.problems import Problem, ScenarioError
from hasim.scenario.schema import Scenario
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.failover import NoFencingSettings
from hasim.settings import from_plain, plain
from hasim.simulation.laws import Constant
from hasim.simulation.settings import MasterSettings
from hasim.units import DAY, MINUTE, SECOND

from .conftest import GOOD


def test_a_small_scenario(loaded) -> None:
    study = loaded()
    scenario = study.scenario
    assert (scenario.name, scenario.seed, scenario.horizon_ns) == ("small", 1, 5 * MINUTE)
    assert scenario.masters[1] == MasterSettings(id="iad-1", region="east")
    [cell] = study.cells
    assert (cell.index, cell.varied) == (0, {})
    assert cell.world == scenario.world()
    assert plain(cell.world.detection)["interval"] == "5s"


def test_the_file_gives_its_name(loaded) -> None:
    assert loaded(GOOD.replace("name: small\n", "")).scenario.name == "file"


def test_the_grid_turns_the_last_setting_fastest(loaded) -> None:
    vary = (
        "vary:\n  balancing.algorithm: [geo, priority]\n"
        "  detection.evidence: [[probe], [probe, messages]]\n  masters.iad-1.workers: 3\n"
    )
    cells = loaded(GOOD + vary).cells
    assert [c.index for c in cells] == [0, 1, 2, 3]
    assert [list(c.varied.values()) for c in cells] == [
        ["geo", ["probe"], 3],
        ["geo", ["probe", "messages"], 3],
        ["priority", ["probe"], 3],
        ["priority", ["probe", "messages"], 3],
    ]
    assert list(cells[0].varied)[2] == "masters.iad-1.workers"
    for cell in cells:
        assert cell.world.balancing.algorithm == cell.varied["balancing.algorithm"]
        assert plain(cell.world.detection)["evidence"] == cell.varied["detection.evidence"]
        assert [m.workers for m in cell.world.masters] == [8, 3]


def test_a_varied_kind_of_fault(loaded) -> None:
    cells = loaded(GOOD + "vary: {faults.0.kind: [crash, slow]}\n").cells
    assert [type(c.world.faults[0]).__name__ for c in cells] == ["Crash", "Slow"]
    assert {c.world.faults[0].target for c in cells} == {"ams-1"}


def test_like_copies_and_replaces(loaded) -> None:
    text = GOOD.replace(
        "{id: iad-1, region: east}",
        "{id: iad-1, like: ams-1, region: east, workers: 2}\n  - {id: c, like: iad-1, queue: 5}",
    ).replace("region: west}", "region: west, queue: 7, service: 30ms}")
    first, second, third = loaded(text).scenario.masters
    service = Constant(mean_ns=30_000_000)
    assert first == MasterSettings(id="ams-1", region="west", queue=7, service=service)
    assert second == MasterSettings(id="iad-1", region="east", queue=7, workers=2, service=service)
    assert third == MasterSettings(id="c", region="east", queue=5, workers=2, service=service)


def test_what_is_varied_reaches_the_copies(loaded) -> None:
    text = GOOD.replace("region: east}", "like: ams-1}")
    cells = loaded(text + "vary: {masters.ams-1.workers: [1, 2]}\n").cells
    assert [[m.workers for m in c.world.masters] for c in cells] == [[1, 1], [2, 2]]


def test_overrides_are_yaml(loaded) -> None:
    study = loaded(
        GOOD,
        ("detection.fall", "3"),
        ("detection.evidence", "[probe]"),
        ("failover.fencing", "none"),
        ("masters.iad-1.region", "north"),
        ("masters.0.workers", "4"),
        ("faults.0.for", "{law: exponential, mean: 1m}"),
        ("expect.detection_time.p99", "< 5s"),
        ("vary.balancing.algorithm", "[geo, priority]"),
        ("replications", 7),
    )
    world = study.cells[1].world
    assert world.detection.detector.fall == 3
    assert world.detection.evidence == (ProbeSettings(interval_ns=5 * SECOND),)
    assert world.failover.fencing == NoFencingSettings()
    assert [m.region for m in world.masters] == ["west", "north"]
    assert world.masters[0].workers == 4
    assert world.faults[0].for_.law == "exponential"
    assert world.balancing.algorithm == "priority"
    assert study.scenario.expect == (Expectation("detection_time.p99", "<", 5.0, "< 5s"),)
    assert study.scenario.replications == 7


def test_the_last_override_wins(loaded) -> None:
    study = loaded(GOOD, ("detection.fall", "3"), ("detection.fall", "4"))
    assert study.scenario.detection.detector.fall == 4


def test_yaml_1_2(write) -> None:
    text = "no: no\non: 1e3\nat: 12:30:00\nhex: 0x10\noct: 010\nempty:\ndate: 2020-01-01\n"
    assert parse_document(text, "x").data == {
        "no": "no", "on": 1000.0, "at": "12:30:00", "hex": 16, "oct": 10, "empty": None,
        "date": "2020-01-01",
    }  # fmt: skip


def test_anchors_and_merge_keys(loaded) -> None:
    text = GOOD.replace("- {id: ams-1, region: west}", "- &m {id: ams-1, region: west, workers: 3}")
    text = text.replace("- {id: iad-1, region: east}", "- {<<: *m, id: iad-1}")
    assert [(m.id, m.workers) for m in loaded(text).scenario.masters] == [
        ("ams-1", 3),
        ("iad-1", 3),
    ]


def test_a_scenario_as_data(tmp_path: Path) -> None:
    data = {"masters": [{"id": "a"}], "horizon": "1m"}
    study = from_data(data, [("detection.fall", 4)], source=tmp_path / "mine")
    assert study.scenario.name == "mine"
    assert study.scenario.detection.detector.fall == 4
    assert data == {"masters": [{"id": "a"}], "horizon": "1m"}  # untouched
    with pytest.raises(ScenarioError, match=r"scenario: horizn: unknown key; did you mean horizon"):
        from_data({**data, "horizn": "1m"})


# -- the resolved text -------------------------------------------------------


def test_the_resolved_text_loads_to_the_same_from_elsewhere(loaded, tmp_path: Path) -> None:
    (tmp_path / "arrivals.csv").write_text("time\n0\n400\n")
    text = GOOD.replace(
        "detection:",
        "description: 'yes: a text'\n"
        "traffic: {arrivals: {trace: arrivals.csv, column: time, unit: s}}\n"
        "vary:\n  traffic.arrivals.trace: [arrivals.csv]\n  faults.0.kind: [crash, slow]\n"
        'expect: {uptime: ">= 99.99%", detection_time.p99: < 5s}\n'
        "projection: {mtbf: 30d}\ndetection:",
    )
    study = loaded(text, ("masters.iad-1.workers", "3"))
    elsewhere = tmp_path / "runs" / "scenario.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(study.resolved())
    again = load(elsewhere)
    assert again.scenario == study.scenario
    assert [c.world for c in again.cells] == [c.world for c in study.cells]
    assert study.cells[0].varied["traffic.arrivals.trace"] == "arrivals.csv"  # as written
    assert again.resolved() == study.resolved()


def test_a_loaded_scenario_can_be_pickled(loaded) -> None:
    study = loaded(GOOD + "vary: {detection.fall: [1, 2]}\n")
    again = pickle.loads(pickle.dumps(study))
    assert again == study
    assert again.recorded_of(again.cells[0]).rtt_ns == {}


def test_an_error_can_be_pickled() -> None:
    error = ScenarioError([Problem("f", 1, "a.b", "is bad"), Problem("f", 1, "a.b", "is bad")])
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == "f:1: a.b: is bad"
    assert again.problems == error.problems


# -- expectations ------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "text", "op", "bound"),
    [
        ("detection_time.p99", "< 5s", "<", 5.0),
        ("latency.p99.9", "<=250ms", "<=", 0.25),
        ("uptime", ">= 99.99%", ">=", 0.9999),
        ("jain", "> 0.9", ">", 0.9),
        ("mistakes", "<= 0.1/h", "<=", 0.1),
        ("mistakes", "< 12/d", "<", 0.5),
        ("rpo.writes", "<= 0", "<=", 0.0),
        ("dual_primary", "<= 0s", "<=", 0.0),
    ],
)
def test_limits_in_the_unit_of_the_measure(measure, text, op, bound) -> None:
    found = Expectation.parse(measure, text)
    assert (found.measure, found.op, found.text) == (measure, op, text.strip())
    assert found.bound == pytest.approx(bound, rel=1e-15)


@pytest.mark.parametrize(
    ("measure", "text"),
    [
        ("detection_time.p99", "5s"),
        ("detection_time.p99", "< 5"),
        ("detection_time.p99", "== 5s"),
        ("uptime", ">= 101%"),
        ("uptime", ">= 5s"),
        ("uptime", 0.99),
        ("mistakes", "< 1"),
        ("attempts", "< -1"),
        ("attempts", "< nan"),
    ],
)
def test_no_limit(measure, text) -> None:
    with pytest.raises(ValueError, match="expected a limit such as"):
        Expectation.parse(measure, text)


@given(st.sampled_from(sorted(MEASURES)))
def test_every_measure_can_be_expected(measure: str) -> None:
    text = {
        "s": "< 1m30s",
        "ratio": "> 12.5%",
        "per_hour": "<= 3/h",
        "per_year": "< 1/y",
        "count": ">= 2",
    }
    data = {
        "masters": {"id": "a"},
        "horizon": "1m",
        "projection": {"mtbf": "30d"},
        "expect": {measure: text[MEASURES[measure].unit]},
    }
    scenario = from_plain(Scenario, data)
    assert [e.measure for e in scenario.expect] == [measure]
    assert scenario.projection is not None
    assert scenario.projection.period_ns == 30 * DAY
    assert from_plain(Scenario, plain(scenario)) == scenario


def test_a_setting_of_a_part_that_no_cell_has_is_remarked_upon(loaded) -> None:
    study = loaded(GOOD, ("detection.evidence", "[probe]"), ("detection.error_limit", "5"))
    text = "detection.error_limit has no effect: it is a setting of messages, which is not chosen."
    assert study.remarks() == [text]
    both = loaded(
        GOOD + "vary: {detection.evidence: [[probe], [probe, messages]]}\n",
        ("detection.error_limit", "5"),
    )
    assert both.remarks() == []
