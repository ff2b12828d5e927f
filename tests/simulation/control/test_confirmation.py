"""Confirmations in a world: observers at sites of their own, frozen, replayed, cut off."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hasim.events import StatusChanged
from hasim.model import Cluster, Status
from hasim.scenario.loader import Loaded, from_data
from hasim.scenario.problems import ScenarioError
from hasim.services.control_plane import ControlPlane
from hasim.services.detection.registry import CONFIRMATIONS
from hasim.services.frozen import thaw
from hasim.simulation.clock import FAULT, Call
from hasim.simulation.network import LinkFault, master_endpoint
from hasim.simulation.run import begin, simulate
from hasim.simulation.world import World
from hasim.study.replaying import what_if
from hasim.units import SECOND

SHIPPED = {
    "alone": "alone",
    "quorum": "quorum",
    "share": {"kind": "share", "healthy_share": "40%"},
    "objective": "objective",
    "replicas": "replicas",
    "witness": {"kind": "witness", "seen_within": "2s"},
}


def study_of(confirm: Any, faults: tuple[dict[str, Any], ...] = ()) -> Loaded:
    return from_data(
        {
            "name": "observers",
            "horizon": "60s",
            "masters": [
                {"id": "a", "region": "one"},
                {"id": "b", "region": "two", "like": "a"},
                {"id": "c", "region": "three", "like": "a"},
            ],
            "network": {"rtt": {"rtt": "20ms"}, "loss": "5%"},
            "traffic": {"arrivals": {"law": "poisson", "rate": "2/s"}},
            "observer": {"region": "one", "witnesses": ["two", "three"]},
            "detection": {
                "evidence": "probe",
                "interval": "1s",
                "fast_interval": "500ms",
                "timeout": "300ms",
                "confirm": confirm,
            },
            "faults": list(faults),
            "failover": {"fencing": "none"},
        }
    )


CRASH = {"kind": "crash", "target": "a", "at": "20s", "for": "15s"}
NAMES = ("observer", "observer-2", "observer-3")


def test_each_that_ships_is_put_to_the_test() -> None:
    assert set(SHIPPED) == set(CONFIRMATIONS.shipped)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_crash_is_declared_by_all_of_them(name: str) -> None:
    study = study_of(SHIPPED[name], (CRASH,))
    (cell,) = study.cells
    journal = simulate(cell.world, study.recorded_of(cell), seed=1, replication=0)
    for observer in NAMES:
        failed = [
            r.t_ns
            for r in journal.records
            if isinstance(r.body, StatusChanged)
            and r.observer == observer
            and (r.body.master, r.body.new) == ("a", Status.FAILED)
            and 20 * SECOND <= r.t_ns < 35 * SECOND
        ]
        assert failed
        assert failed[0] < 24 * SECOND


@pytest.mark.parametrize("name", SHIPPED)
def test_who_alone_cannot_reach_a_master_declares_it_alone_only(name: str) -> None:
    study = study_of(SHIPPED[name])
    (cell,) = study.cells
    world = World(cell.world, study.recorded_of(cell), seed=1, replication=0)
    begin(world)
    cut = LinkFault(master_endpoint("b"), frozenset({"observer"}), drops=True)
    Call(world.env, 20 * SECOND, FAULT, lambda _: world.network.begin(cut))
    world.messages.run(40 * SECOND)
    world.settle()
    failed = {
        (r.observer, r.body.master)
        for r in world.journal.records
        if isinstance(r.body, StatusChanged)
        and r.body.new is Status.FAILED
        and r.t_ns > 20 * SECOND
    }
    assert (("observer", "b") in failed) is (name == "alone")


@pytest.mark.parametrize("observer", ["observer", "observer-3"])
@pytest.mark.parametrize("name", SHIPPED)
def test_frozen_between_any_two_inputs_it_goes_on_alike(name: str, observer: str) -> None:
    study = study_of(SHIPPED[name], (CRASH,))
    (cell,) = study.cells
    world = cell.world
    journal = simulate(world, study.recorded_of(cell), seed=1, replication=0)
    told = journal.header["observers"][observer]

    def made() -> ControlPlane:
        return ControlPlane(
            thaw(Cluster, journal.header["cluster"]),
            world.detection,
            world.failover,
            world.balancing,
            world.monitor,
            observer=observer,
            seed=told["seed"],
            acts=told["acts"],
        )

    machine = made()
    machine.start(0)
    inputs = [(r.t_ns, r.body) for r in journal.seen_by(observer).records if r.lane == "input"]
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


@pytest.mark.parametrize("name", SHIPPED)
def test_the_journal_of_one_observer_gives_the_same_again(name: str) -> None:
    study = study_of(SHIPPED[name], (CRASH,))
    (cell,) = study.cells
    journal = simulate(cell.world, study.recorded_of(cell), seed=1, replication=0)
    again = what_if(journal, [])
    own = [r for r in journal.seen_by("observer").records if isinstance(r.body, StatusChanged)]
    assert [r.body for r in own] == [e for _, e in again.of(StatusChanged)]


def test_a_quorum_that_cannot_be_is_refused() -> None:
    with pytest.raises(ScenarioError, match="needs 4 observers, and there are 3"):
        study_of({"kind": "objective", "quorum": 4})
    with pytest.raises(ScenarioError, match="needs 5 observers, and there are 3"):
        study_of({"kind": "quorum", "observers": 5})
