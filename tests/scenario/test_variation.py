"""What is varied beside the grid: zipped settings and points; and sequential replications."""

from __future__ import annotations

import pickle
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.scenario.document import parse_document, parse_value
from hasim.scenario.loader import from_data
from hasim.scenario.points import EMPTY, value_of
from hasim.scenario.replications import Sequential, most
from hasim.scenario.schema import Scenario, json_schema
from hasim.scenario.variation import Variation, plan_of
from hasim.settings import from_plain, plain

from .conftest import GOOD

BASE = {"masters": [{"id": "a"}], "horizon": "1m"}


def varied(loaded) -> list[dict]:
    return [cell.varied for cell in loaded.cells]


def test_zipped_settings_change_together_within_the_grid(loaded) -> None:
    study = loaded(
        GOOD + "vary:\n  grid: {detection.fall: [2, 3]}\n"
        "  zip: {detection.rise: [4, 5], balancing.algorithm: [geo, priority]}\n"
    )
    assert [tuple(cell.values()) for cell in varied(study)] == [
        (2, 4, "geo"), (2, 5, "priority"), (3, 4, "geo"), (3, 5, "priority"),
    ]  # fmt: skip
    worlds = [cell.world for cell in study.cells]
    assert [
        (w.detection.detector.fall, w.detection.detector.rise, w.balancing.algorithm)
        for w in worlds
    ] == [tuple(cell.values()) for cell in varied(study)]
    assert [cell.index for cell in study.cells] == [0, 1, 2, 3]


def test_points_follow_the_grid_and_are_not_crossed_with_it(loaded) -> None:
    study = loaded(
        GOOD + "vary:\n  grid: {detection.fall: [2, 3]}\n"
        "  points:\n    - {detection.fall: 4, detection.rise: 5}\n    - {}\n"
    )
    assert varied(study) == [
        {"detection.fall": 2},
        {"detection.fall": 3},
        {"detection.fall": 4, "detection.rise": 5},
        {},
    ]
    assert study.cells[2].world.detection.detector.rise == 5
    assert study.cells[3].world == study.scenario.world()


def test_points_alone_are_all_the_cells(loaded) -> None:
    study = loaded(GOOD + "vary: {points: {detection.fall: 4}}\n")
    assert varied(study) == [{"detection.fall": 4}]


def test_a_grid_may_be_spelt_out(loaded) -> None:
    short = loaded(GOOD + "vary: {detection.fall: [2, 3], detection.rise: 4}\n")
    long = loaded(GOOD + "vary: {grid: {detection.fall: [2, 3], detection.rise: 4}}\n")
    assert varied(short) == varied(long)
    assert [c.world for c in short.cells] == [c.world for c in long.cells]


@given(
    grid=st.lists(st.integers(1, 3), max_size=3),
    rows=st.integers(0, 3),
    zipped=st.integers(0, 2),
    points=st.integers(0, 3),
)
def test_the_number_of_cells_is_known_beforehand(grid, rows, zipped, points) -> None:
    plan = plan_of(
        {
            "vary": {
                "grid": {f"g{i}": list(range(n)) for i, n in enumerate(grid)},
                "zip": {f"z{i}": list(range(rows)) for i in range(zipped)},
                "points": [{"p": i} for i in range(points)],
            }
        }
    )
    cells = list(plan.cells())
    assert len(cells) == plan.count
    assert len({tuple((p.path, p.value) for p in picks) for picks in cells}) == len(cells)


def test_traces_in_points_are_found_from_anywhere(loaded, tmp_path) -> None:
    (tmp_path / "arrivals.csv").write_text("time\n0\n400\n")
    trace = "{trace: arrivals.csv, column: time, unit: s}"
    study = loaded(GOOD + f"vary:\n  points:\n    - {{traffic.arrivals: {trace}}}\n    - {{}}\n")
    assert study.cells[0].varied["traffic.arrivals"]["trace"] == "arrivals.csv"  # as written
    assert study.cells[0].world.traffic.arrivals.trace == str(tmp_path / "arrivals.csv")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "scenario.yaml").write_text(study.resolved())
    from hasim.scenario.loader import load

    assert [c.world for c in load(elsewhere / "scenario.yaml").cells] == [
        c.world for c in study.cells
    ]


def test_points_may_stand_in_a_csv_file(loaded, tmp_path) -> None:
    (tmp_path / "points.csv").write_text(
        "detection.interval, detection.evidence,detection.fall\n"
        '2s,"[probe, messages]",2\n'
        "500ms,,3\n"
        ",,\n"
    )
    study = loaded(GOOD + "vary: {grid: {detection.rise: [2, 3]}, points: {file: points.csv}}\n")
    assert varied(study) == [
        {"detection.rise": 2},
        {"detection.rise": 3},
        {
            "detection.interval": "2s",
            "detection.evidence": ["probe", "messages"],
            "detection.fall": 2,
        },
        {"detection.interval": "500ms", "detection.fall": 3},
        {},
    ]
    assert study.cells[3].world.detection.period_ns == 500_000_000
    listed = [cell.varied for cell in study.cells][2:]
    same = loaded(GOOD + f"vary: {{grid: {{detection.rise: [2, 3]}}, points: {listed}}}\n")
    assert same.cells == study.cells
    assert from_data(study.data).cells == study.cells  # as from the scenario of a run folder
    assert pickle.loads(pickle.dumps(study)).cells == study.cells


def test_traces_in_a_file_of_points_are_found_from_anywhere(loaded, tmp_path) -> None:
    (tmp_path / "arrivals.csv").write_text("time\n0\n400\n")
    trace = '"{trace: arrivals.csv, column: time, unit: s}"'
    (tmp_path / "points.csv").write_text(f"traffic.arrivals,detection.fall\n{trace},\n,4\n")
    study = loaded(GOOD + "vary: {points: {file: points.csv}}\n")
    assert study.cells[0].varied["traffic.arrivals"]["trace"] == "arrivals.csv"  # as written
    assert study.cells[0].world.traffic.arrivals.trace == str(tmp_path / "arrivals.csv")
    assert study.traces() == [str(tmp_path / name) for name in ("points.csv", "arrivals.csv")]


@pytest.mark.parametrize(
    ("text", "line", "field", "message"),
    [
        ("detection.fall,detektion.rise\n2,3\n", 1, "detektion.rise",
         "is no setting that can be varied; did you mean detection?"),
        ("vary\n2\n", 1, "vary", "is no setting that can be varied; possible: "),
        ("detection.fall\n2\ntwo\n", 3, "detection.fall",
         "expected a whole number such as 3, got 'two'"),
        ("detection.fall,detection.rise\n2,3\n2\n", 3, "", "has 1 value, the header has 2"),
        ("detection.evidence\n[probe\n", 2, "detection.evidence", "expected a value as it is"),
        ("detection.fall\n2\n\n2\n", 4, "vary.points.1.detection.fall",
         "the same cell is there already: detection.fall=2"),
        ("detection.fall\n", 1, "", "has no rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_of_points_is_told_with_its_line(
    problems_of, tmp_path, text, line, field, message
) -> None:
    (tmp_path / "points.csv").write_text(text)
    [found] = problems_of(GOOD + "vary: {points: {file: points.csv}}\n")
    assert (found.file, found.line, found.field) == (str(tmp_path / "points.csv"), line, field)
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "no such file: "), ("", "points.csv is empty"), ("a,a\n1,2\n", "more than one column")],
)
def test_a_file_of_points_that_cannot_be_used(problems_of, tmp_path, text, message) -> None:
    if text is not None:
        (tmp_path / "points.csv").write_text(text)
    [found] = problems_of(GOOD + "vary:\n  points: {file: points.csv}\n")
    assert (found.line, found.field) == (11, "vary.points.file")
    assert message in found.message


@given(
    text=st.one_of(
        st.text("0123456789.-+eExXob_:%/ms ", max_size=8),
        st.text("nulltrueNOyesoffinfa~.-", max_size=8),
        st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{1,3})?(%|ms|s|e3|MiB)?", fullmatch=True),
    )
)
def test_values_of_points_are_those_of_yaml(text) -> None:
    def read(reader: Any) -> Any:
        try:
            return reader(text.strip())
        except ValueError:
            return "an error"

    found = read(value_of)
    assert repr(found) == repr(read(parse_value)) or (found is EMPTY and not text.strip())


@pytest.mark.parametrize("text", ["-_", "+_"])
def test_a_number_of_signs_alone_is_bad_input(problems_of, text) -> None:
    for reader in (value_of, parse_value):
        with pytest.raises(ValueError, match=r"is not valid YAML"):
            reader(text)
    [found] = problems_of(GOOD + f"seed: {text}\n")
    assert found.message == "not valid YAML: a number without a digit (write it in quotes)"


@pytest.mark.parametrize("key", ["[x, {b: 1}]", "{[x, {b: 1}]}", "{a: {? [{b: 1}] : c}}"])
def test_a_key_that_holds_a_mapping_is_bad_input(problems_of, key) -> None:
    [found] = problems_of(f"{GOOD}monitor:\n  {{? {key} : 1}}\n")
    assert found.line == GOOD.count("\n") + 2
    assert found.message == "expected text as a key, not a list or a mapping; write it in quotes"
    with pytest.raises(ValueError, match="is not valid YAML"):
        parse_value(f"{{? {key} : 1}}")


def test_a_large_list_is_no_bomb_of_aliases() -> None:
    rows = ", ".join(f"[{n}, {n + 1}]" for n in range(40_000))  # 120,001 values
    assert len(parse_document(f"points: [{rows}]", "x").data["points"]) == 40_000


def test_overrides_reach_every_form(loaded) -> None:
    study = loaded(
        GOOD + "vary: {zip: {detection.fall: [2, 3]}, points: [{detection.rise: 4}]}\n",
        ("vary.zip.detection.rise", "[5, 6]"),
        ("vary.points.0.detection.rise", "7"),
        ("vary.grid.balancing.algorithm", "[geo]"),
    )
    assert varied(study) == [
        {"balancing.algorithm": "geo", "detection.fall": 2, "detection.rise": 5},
        {"balancing.algorithm": "geo", "detection.fall": 3, "detection.rise": 6},
        {"detection.rise": 7},
    ]


@pytest.mark.parametrize(
    ("vary", "line", "field", "message"),
    [
        ("zip:\n    detection.fall: [2, 3]\n    detection.rise: [2]", 13, "vary.zip.detection.rise",
         "has 1 values where detection.fall has 2"),
        ("zip: {detection.fall: []}", 11, "vary.zip.detection.fall", "needs at least one value"),
        ("grid: {detection.fall: [2]}\n  zip: {detection.fall: [3]}", 12, "vary.zip.detection.fall",
         "is in the grid as well"),
        ("grid: {detection.fall: [2, 2]}", 11, "vary.grid.detection.fall.1", "2 is given twice"),
        ("zip: {detection.fall: [2, 3, 2], detection.rise: [2, 3, 2]}", 11,
         "vary.zip.detection.rise.2",
         "the same cell is there already: detection.fall=2, detection.rise=2"),
        ("grid: {detection.fall: [2]}\n  points:\n    - {detection.rise: 2}\n"
         "    - {detection.fall: 2}", 14, "vary.points.1.detection.fall",
         "the same cell is there already: detection.fall=2"),
        ("points: [{}, {}]", 11, "vary.points", "the same cell is there already: nothing varied"),
        ("points:\n    - {detection.fall: 2}\n    - {detection.fall: two}", 13, "detection.fall",
         "expected a whole number such as 3, got 'two'"),
        ("points: [{seed: 2}]", 11, "vary.points.0.seed", "cannot be varied"),
        ("zip: {detektion.fall: [2]}", 11, "vary.zip.detektion.fall",
         "unknown key; did you mean detection?"),
        ("points: [{faults.1.kind: hang}]", 11, "faults.1.kind",
         "faults has no item 1; it has 1, counted from 0"),
        ("grid: {detection.fall: [2]}\n  detection.rise: [2, 3]", 12, "vary.detection.rise",
         "put it under grid: (every combination), or zip: (settings that change together)"),
        ("gridd: {detection.fall: [2]}\n  zip: {detection.rise: [2]}", 11, "vary.gridd",
         "unknown key; did you mean grid?"),
        ("points: []", 11, "vary.points",
         "needs at least one point; {} is the scenario as it stands"),
        ("points: [3]", 11, "vary.points.0", "expected a mapping (key: value), got 3"),
        ("zip: 3", 11, "vary.zip", "expected a mapping (key: value), got 3"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_vary_is_told_with_its_line(
    problems_of, vary, line, field, message
) -> None:
    found = problems_of(f"{GOOD}vary:\n  {vary}\n")
    assert [(p.line, p.field, p.message) for p in found] == [(line, field, message)]


def test_too_many_zipped_rows_are_refused(problems_of) -> None:
    rows, grid = (", ".join(map(str, range(1, n + 1))) for n in (1001, 1000))
    vary = f"vary: {{zip: {{detection.fall: [{rows}]}}, grid: {{detection.rise: [{grid}]}}}}\n"
    [problem] = problems_of(GOOD + vary)
    assert (problem.line, problem.message) == (
        10,
        "makes 1,001,000 cells (every combination is one); the most is 1,000,000",
    )


# -- replications ------------------------------------------------------------------


def test_replications_until_a_precision(loaded) -> None:
    text = "replications: {at_least: 15, until: {outage.p95: 5%, uptime: 0.1%}, at_most: 400}\n"
    rule = loaded(GOOD + text).scenario.replications
    assert rule == Sequential(
        until={"outage.p95": 0.05, "uptime": 0.001}, at_least=15, at_most=400, events=10
    )
    assert (most(rule), most(7)) == (400, 7)


def test_a_number_replaces_the_rule_and_parts_of_it_can_be_set(loaded) -> None:
    text = GOOD + "replications: {until: {outage.p95: 5%}}\n"
    assert loaded(text, ("replications", 7)).scenario.replications == 7
    rule = loaded(
        text, ("replications.until.uptime", "1%"), ("replications.at_most", "50")
    ).scenario.replications
    assert rule == Sequential(until={"outage.p95": 0.05, "uptime": 0.01}, at_most=50)


@pytest.mark.parametrize(
    ("rule", "field", "message"),
    [
        ("{at_least: 3}", "replications.until", "is required and missing"),
        ("{until: {}}", "replications.until",
         "needs at least one measure, such as {outage.p95: 5%}"),
        ("{until: {outag.p95: 5%}}", "replications.until.outag.p95",
         "unknown key; did you mean outage.p95?"),
        ("{until: {uptime: 0%}}", "replications.until.uptime", "must be greater than 0%, got 0%"),
        ("{until: {uptime: 0.1}}", "replications.until.uptime",
         "expected a percentage such as 99.9%, got 0.1"),
        ("{until: {uptime: 1%}, at_least: 1}", "replications.at_least",
         "must be at least 2, got 1"),
        ("{until: {uptime: 1%}, at_most: 10}", "replications.at_most",
         "is less than at_least, 20"),
        ("{until: {uptime: 1%}, atleast: 10}", "replications.atleast",
         "unknown key; did you mean at_least?"),
        ("{until: {uptime.renewal_reward: 1%}}", "replications.until.uptime.renewal_reward",
         "needs a projection, such as {mtbf: 30d, period: 30d}"),
        ("many", "replications", "expected a whole number such as 3, got 'many'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_replications(problems_of, rule, field, message) -> None:
    [problem] = problems_of(GOOD + f"replications: {rule}\n")
    assert (problem.line, problem.field, problem.message) == (10, field, message)


# -- derived -----------------------------------------------------------------------

FORMS = [
    ({"vary": {"detection.fall": [2, 3]}}, True),
    ({"vary": {"grid": {"detection.fall": [2, 3]}, "points": [{}]}}, True),
    ({"vary": {"zip": {"detection.fall": [2]}}, "replications": 3}, True),
    ({"replications": {"until": {"outage.p95": "5%"}, "at_most": 40}}, True),
    ({"replications": {"until": {"outage.p95": "5"}}}, False),
    ({"replications": {"at_most": 40}}, False),
    ({"replications": "many"}, False),
    ({"vary": {"points": [3]}}, False),
    ({"vary": {"points": {"detection.fall": 3}}}, True),
    ({"vary": {"points": {"file": 3}}}, False),
    ({"vary": {"grid": {}, "detection.fall": [3]}}, False),
]


@pytest.mark.parametrize(("settings", "good"), FORMS)
def test_the_schema_agrees_with_the_loader(settings, good) -> None:
    data = {**BASE, **settings}
    valid = jsonschema.Draft202012Validator(json_schema()).is_valid(data)
    assert valid == good
    if good:
        from_data(data)
    else:
        with pytest.raises(ValueError, match="scenario: "):
            from_data(data)


@pytest.mark.parametrize("settings", [settings for settings, good in FORMS if good])
def test_scenarios_are_written_as_they_are_read(settings) -> None:
    scenario = from_plain(Scenario, {**BASE, **settings})
    assert from_plain(Scenario, plain(scenario)) == scenario
    assert isinstance(scenario.vary, Variation)
    if "vary" in settings and "detection.fall" in settings["vary"]:
        assert plain(scenario)["vary"] == settings["vary"]
