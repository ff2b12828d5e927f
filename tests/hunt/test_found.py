"""What hunts have found, each as the smallest world that shows it."""

from __future__ import annotations

import pytest

from hasim.hunt.running import run
from hasim.scenario.problems import ScenarioError

RESTING = {
    "horizon": "1m",
    "seed": 488016,
    "replications": 1,
    "data_plane": "reference",
    "masters": [{"id": "m1"}, {"id": "m3"}],
    "traffic": {},
    "operations": [{"at": "10s", "do": "remove", "master": "m3"}],
    "faults": [
        {"kind": "hang", "at": "20s", "for": "10s", "target": "m1"},
        {
            "kind": "observer-hang",
            "for": {"law": "uniform", "low": "0s", "high": "4s"},
            "target": "each",
            "every": {"law": "lognormal", "mean": "22s", "cv": 1.5},
        },
    ],
    "failover": {"max_lag": "3s"},
    "observer": {"witnesses": ["here", "here"]},
    "leadership": {"preset": "etcd"},
}
"""One that no longer leads wakes up, notes what a replica reports, and must not wait to act."""


def test_a_control_plane_that_rests_is_not_woken_for_what_it_would_do() -> None:
    assert run(RESTING).breaches == []


def test_common_causes_of_what_is_no_master_are_refused() -> None:
    fault = {"kind": "observer-hang", "target": "each", "every": "10s", "common": {"region": "5%"}}
    with pytest.raises(ScenarioError, match="this kind strikes observers"):
        run({**RESTING, "faults": [fault]})
