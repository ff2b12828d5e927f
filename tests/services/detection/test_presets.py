"""Presets of detection: what they are is documented, and one's own settings override them."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.scenario.schema import json_schema
from hasim.services.detection import DetectionSettings
from hasim.services.detection.detectors.timeout import TimeoutSettings
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.registry import PRESETS
from hasim.settings import from_plain, plain
from hasim.settings.presets import Preset
from hasim.study.reference import described
from hasim.units import SECOND


def probes(made: DetectionSettings) -> ProbeSettings:
    (found,) = (own for own in made.evidence if isinstance(own, ProbeSettings))
    return found


@pytest.mark.parametrize("name", PRESETS.shipped)
def test_each_is_a_value_of_the_settings_and_says_where_it_is_from(name: str) -> None:
    made = DetectionSettings.of_preset(name)
    assert not list(made.problems())
    assert from_plain(DetectionSettings, plain(made)) == made
    preset: Preset = PRESETS.known[name]
    assert "https://" in preset.source
    row = next(row for row in described() if row.path == "detection.preset")
    about = row.about[row.choices.index(name)]
    assert preset.about in about
    assert preset.source in about
    assert all(f"{key}: " in about for key in preset.settings)
    entry = json_schema()["$defs"]["DetectionSettings"]["properties"]["preset"]
    assert name in entry["enum"]


def test_what_stands_beside_it_overrides_it() -> None:
    made = DetectionSettings.of_preset("haproxy", interval="5s", fall=4)
    assert made.detector.convicting_checks == 4
    assert made.detector.acquitting_checks == 2
    # What HAProxy takes from inter follows it.
    own = probes(made)
    assert (own.interval_ns, own.fast_ns, own.down_ns, own.patience_ns) == (5 * SECOND,) * 4


def test_also_within_a_part_and_with_other_parts() -> None:
    own = probes(
        DetectionSettings.of_preset("haproxy", evidence=[{"kind": "probe", "interval": "1s"}])
    )
    assert (own.interval_ns, own.timeout_ns) == (SECOND, None)
    observing = DetectionSettings.of_preset("haproxy", evidence=["probe", "messages"])
    (messages,) = (own for own in observing.evidence if isinstance(own, MessageSettings))
    assert messages.error_limit == 10
    silent = DetectionSettings.of_preset("kubernetes", detector="timeout", down_after="40s")
    assert silent.detector == TimeoutSettings(down_after_ns=40 * SECOND)
    assert probes(silent).rhythm == "clock"


def scenario(**detection: Any) -> dict[str, Any]:
    return {"horizon": "1m", "masters": [{"id": "a"}], "detection": detection}


def test_in_a_scenario_it_can_be_set_and_varied() -> None:
    study = from_data(
        {
            **scenario(preset="haproxy", rise=1),
            "observer": {"witnesses": ["there"]},  # for sentinel's quorum
            "vary": {"detection.preset": list(PRESETS.shipped)},
        },
    )
    falls = {cell.varied["detection.preset"]: cell.world.detection for cell in study.cells}
    assert falls["aws-alb"].detector.convicting_checks == 2
    assert falls["kubernetes"].detector.convicting_checks == 3
    assert falls["aws-alb"].detector.acquitting_checks == 1
    study = from_data(scenario(fall=7), [("detection.preset", "envoy")])
    assert study.cells[0].world.detection.detector.convicting_checks == 7


@pytest.mark.parametrize(
    ("detection", "message"),
    [
        ({"preset": "haproksy"}, "unknown value 'haproksy'; did you mean haproxy?"),
        ({"preset": 3}, "unknown value 3; possible: haproxy, "),
        ({"preset": "haproxy", "fal": 3}, "unknown key; did you mean fall?"),
        ({"preset": "haproxy", "interval": "2"}, "expected a duration such as"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(detection: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        from_data(scenario(**detection))
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.field == f"detection.{list(detection)[-1]}"


def test_a_preset_of_ones_own_is_registered() -> None:
    own = Preset(about="Ours.", source="https://example.org", settings={"interval": "7s"})
    PRESETS.register("ours", own)
    try:
        assert probes(DetectionSettings.of_preset("ours")).interval_ns == 7 * SECOND
    finally:
        PRESETS.forget("ours")
