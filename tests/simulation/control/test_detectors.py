"""Every shipped detector in a world: from a scenario file to the journal, frozen, and replayed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hasim.events import FailoverChanged, Heartbeat, ProbeReply, StatusChanged
from hasim.journal import Journal
from hasim.model import Cause, Cluster, Status
from hasim.scenario.loader import Loaded, load
from hasim.scenario.problems import ScenarioError
from hasim.services.control_plane import ControlPlane
from hasim.services.detection.registry import DETECTORS
from hasim.services.frozen import thaw
from hasim.simulation.run import simulate
from hasim.study.replaying import what_if
from hasim.units import SECOND

SCENARIO = """
horizon: 60s
replications: 4
seed: 3
masters: [{id: a, region: eu, priority: 1}, {id: b, like: a, priority: 2}, {id: c, like: a}]
network: {rtt: 10ms, jitter: {law: lognormal, cv: 0.5}}
traffic: {arrivals: {law: poisson, rate: 5/s}}
failover: {fencing: none}
faults:
  - {kind: crash, target: a, at: 10s, for: 10s}
  - {kind: hang, target: b, at: 40s, for: 10s}
"""
BY_SILENCE = {
    "timeout": "down_after: 3s",
    "down-after": "down_after: 3s",
    "lease": "grace: 3s, look_interval: 500ms",
    "nfd-s": "shift: 1s",
    "nfd-e": "margin: 500ms",
    "bertier": "of_spread: 40",
    "2w-fd": "margin: 700ms",
    "phi-accrual": "acceptable_pause: 1s",
    "phi-normal": "acceptable_pause: 1s",
    "phi-exponential": "threshold: 2",
    "vrrp": "priority: 100",
    "ed": "certainty: 99%",
}
NUMBERED = ("nfd-s", "nfd-e", "bertier", "2w-fd")
SAYS = {
    "down-after": "no good answer for ",
    "lease": "the lease was not renewed for {silent_s:.3f} s; its grace is 3.000 s",
    "ed": "nothing heard for {silent_s:.3f} s: 99% of the gaps would have ended by now",
}
CASES = [(name, "heartbeat") for name in BY_SILENCE] + [
    (name, "probe") for name in BY_SILENCE if name not in NUMBERED
]


def loaded(folder: Path, detector: str, evidence: str) -> Loaded:
    rhythm = "interval: 1s" if evidence == "probe" else "heartbeat_interval: 1s"
    own = BY_SILENCE[detector]
    path = folder / "world.yaml"
    path.write_text(
        f"{SCENARIO}detection: {{evidence: {evidence}, {rhythm}, detector: {detector}, {own}}}\n"
    )
    return load(path)


def journal_of(study: Loaded, replication: int = 0) -> Journal:
    cell = study.cells[0]
    return simulate(cell.world, study.recorded_of(cell), seed=3, replication=replication)


def last_heard(journal: Journal, master: str, until_ns: int) -> int:
    return max(
        t_ns
        for t_ns, item in journal.of(ProbeReply, Heartbeat)
        if item.master == master
        and t_ns < until_ns
        and getattr(item, "cause", Cause.OK) is Cause.OK
    )


def test_each_that_ships_is_put_to_the_test() -> None:
    assert {*BY_SILENCE, "threshold", "hearsay"} == set(DETECTORS.shipped)


@pytest.mark.parametrize(("detector", "evidence"), CASES)
def test_both_faults_are_declared_and_taken_back_with_the_first_sign_of_life(
    tmp_path, detector, evidence
):
    journal = journal_of(loaded(tmp_path, detector, evidence))
    changes = [
        (t_ns, event)
        for t_ns, event in journal.of(StatusChanged)
        if Status.FAILED in (event.old, event.new)
    ]
    assert [(e.master, e.new is Status.FAILED) for _, e in changes] == [
        ("a", True), ("a", False), ("b", True), ("b", False),
    ]  # fmt: skip
    for t_ns, event in changes:
        if event.new is Status.FAILED:
            silent_s = (t_ns - last_heard(journal, event.master, t_ns)) / 1e9
            # A check that fails at the very instant comes before silence does.
            usual = "nothing heard for {silent_s:.3f} s; {silent_s:.3f} s are allowed"
            by_silence = SAYS.get(detector, usual).format(silent_s=silent_s)
            assert event.reason.startswith((by_silence, "probe "))
        else:
            assert last_heard(journal, event.master, t_ns + 1) == t_ns


@pytest.mark.parametrize("replication", range(4))
def test_a_fixed_timeout_counts_from_the_last_heartbeat(tmp_path, replication):
    journal = journal_of(loaded(tmp_path, "timeout", "heartbeat"), replication)
    failed = [(t, e.master) for t, e in journal.of(StatusChanged) if e.new is Status.FAILED]
    assert [master for _, master in failed] == ["a", "b"]
    for t_ns, master in failed:
        assert t_ns - last_heard(journal, master, t_ns) == 3 * SECOND


@pytest.mark.parametrize(("detector", "evidence"), CASES)
def test_frozen_between_any_two_inputs_it_goes_on_alike(tmp_path, detector, evidence):
    study = loaded(tmp_path, detector, evidence)
    journal, world = journal_of(study), study.cells[0].world
    cluster = thaw(Cluster, journal.header["cluster"])

    def made() -> ControlPlane:
        return ControlPlane(
            cluster,
            world.detection,
            world.failover,
            world.balancing,
            world.monitor,
            seed=journal.header["observers"]["observer"]["seed"],
        )

    machine = made()
    machine.start(0)
    inputs = [(r.t_ns, r.body) for r in journal.records if r.lane == "input"]
    for number, (t_ns, item) in enumerate(inputs):
        if number % 7:
            machine.step(t_ns, item)
            continue
        frozen = json.loads(json.dumps(machine.freeze()))
        expected, restored = machine.step(t_ns, item), made()
        restored.restore(frozen)
        assert restored.step(t_ns, item) == expected
        assert restored.next_wakeup() == machine.next_wakeup()
        machine = restored


def test_one_journal_goes_through_another_detector(tmp_path):
    journal = journal_of(loaded(tmp_path, "timeout", "heartbeat"))
    steps = (StatusChanged, FailoverChanged)
    assert list(what_if(journal, []).of(*steps)) == list(journal.of(*steps))
    patient = what_if(journal, [("detection.down_after", "20s")])
    assert not [e for _, e in patient.of(StatusChanged) if e.new is Status.FAILED]


@pytest.mark.parametrize("detector", NUMBERED)
def test_what_reckons_with_numbers_wants_heartbeats(tmp_path, detector):
    with pytest.raises(ScenarioError, match=f"{detector} reckons with heartbeats: evidence must"):
        loaded(tmp_path, detector, "probe")
