"""What hunts have found, each as the smallest world that shows it."""

from __future__ import annotations

import pytest

from hasim.hunt.running import run
from hasim.scenario.problems import ScenarioError
from hasim.truth import MasterFenced, PartitionServed

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

ALONE = {
    "horizon": "2m",
    "seed": 5,
    "replications": 1,
    "data_plane": "reference",
    "masters": [{"id": "m1"}],
    "traffic": {},
    "faults": [{"kind": "hang", "at": "10s", "for": "8s", "target": "m1"}],
    "detection": {"interval": "1s"},
    "failover": {
        **dict.fromkeys(("demote_timeout", "redirect_timeout", "retry_interval"), "500ms"),
        **dict.fromkeys(("transfer_timeout", "promote_timeout", "verify_timeout"), "3s"),
    },
    "fencing_device": {"restart": "2s"},
}
"""The only master is powered off, and comes back."""


def served_again(rule: str) -> bool:
    """Whether it serves in the end; no invariant is broken either way."""
    found = run({**ALONE, "masters": [{"id": "m1", "promotion_rule": rule}]})
    assert found.breaches == []
    assert found.journal is not None
    fenced = [t_ns for t_ns, _ in found.journal.of(MasterFenced)]
    assert fenced
    return any(one.up and t_ns > fenced[0] for t_ns, one in found.journal.of(PartitionServed))


def test_who_must_not_be_promoted_does_not_come_back_to_serve() -> None:
    assert served_again("neutral")
    assert not served_again("must-not")


def test_a_control_plane_that_rests_is_not_woken_for_what_it_would_do() -> None:
    assert run(RESTING).breaches == []


def test_common_causes_of_what_is_no_master_are_refused() -> None:
    fault = {"kind": "observer-hang", "target": "each", "every": "10s", "common": {"region": "5%"}}
    with pytest.raises(ScenarioError, match="this kind strikes observers"):
        run({**RESTING, "faults": [fault]})
