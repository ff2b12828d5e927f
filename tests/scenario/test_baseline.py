"""``baseline:`` and ``warm_up:`` in a scenario file."""

import pytest

from hasim.scenario.baseline import partner
from hasim.scenario.schema import json_schema
from hasim.settings import plain
from hasim.simulation.settings import WorldSettings
from hasim.units import SECOND

from .conftest import GOOD

VARIED = GOOD + "vary: {detection.fall: [2, 3], detection.evidence: [[probe], [probe, messages]]}\n"


def test_a_baseline_is_read_as_written(loaded):
    found = loaded(VARIED + "baseline: {detection.fall: 2, detection.evidence: [probe]}\n")
    assert found.scenario.baseline == {"detection.fall": 2, "detection.evidence": ["probe"]}
    found = loaded(VARIED, ("baseline.detection.fall", "3"))
    assert found.scenario.baseline == {"detection.fall": 3}
    assert loaded(VARIED).scenario.baseline == {}


@pytest.mark.parametrize(
    ("baseline", "field", "message"),
    [
        ("{detection.fal: 2}", "baseline.detection.fal",
         "is not varied; did you mean detection.fall?"),
        ("{detection.fall: 4}", "baseline.detection.fall", "no cell has 4; there are 2, 3"),
        ("{detection.evidence: probe}", "baseline.detection.evidence",
         "no cell has probe; there are [probe], [probe, messages]"),
        ("round-robin", "baseline", "expected a mapping (key: value), got 'round-robin'"),
    ],
)  # fmt: skip
def test_a_baseline_that_no_cell_has(problems_of, baseline, field, message):
    (problem,) = problems_of(VARIED + f"baseline: {baseline}\n")
    assert (problem.line, problem.field, problem.message) == (11, field, message)


def test_a_baseline_of_points_that_never_meet(problems_of):
    points = "vary: {points: [{detection.fall: 2}, {detection.rise: 3}]}\n"
    (problem,) = problems_of(GOOD + points + "baseline: {detection.fall: 2, detection.rise: 3}\n")
    assert (problem.field, problem.message) == ("baseline", "no cell has all of these")


def test_nothing_is_varied(problems_of):
    (problem,) = problems_of(GOOD + "baseline: {detection.fall: 2}\n")
    assert problem.message == "is not varied; nothing is"


def test_partners():
    cells = [(0, {"a": 1, "b": 1}), (1, {"a": 1, "b": 2}), (2, {"a": 2, "b": 1}), (3, {"c": 9})]
    assert [partner(varied, {"a": 1}, cells) for _, varied in cells] == [None, None, 0, None]
    both = {"a": 1, "b": 2}
    assert [partner(varied, both, cells) for _, varied in cells] == [1, None, 1, 1]


@pytest.mark.parametrize(
    ("written", "value"), [("mser-5", "mser-5"), ("none", "none"), ("30s", 30 * SECOND)]
)
def test_a_warm_up_is_read_and_written(loaded, written, value):
    found = loaded(GOOD + f"warm_up: {written}\n")
    assert found.scenario.warm_up == value
    assert found.cells[0].world.warm_up == value
    assert plain(found.scenario.world())["warm_up"] == written
    assert isinstance(found.cells[0].world, WorldSettings)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("mser5", "got 'mser5' (or mser-5, or none)"),
        ("0s", "must be greater than 0s, got 0s (or mser-5, or none)"),
        ("10", "expected a duration such as 30s, got 10 (or mser-5, or none)"),
        ("5m", "leaves nothing of the horizon, 5m"),
    ],
)
def test_a_bad_warm_up(problems_of, written, message):
    (problem,) = problems_of(GOOD + f"warm_up: {written}\n")
    assert (problem.line, problem.field) == (10, "warm_up")
    assert problem.message.endswith(message)


def test_both_are_in_the_schema():
    properties = json_schema()["properties"]
    assert properties["warm_up"]["default"] == "none"
    assert properties["warm_up"]["anyOf"][0] == {"enum": ["mser-5", "none"]}
    assert properties["baseline"]["type"] == "object"
