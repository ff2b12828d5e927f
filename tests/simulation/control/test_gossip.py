"""Gossip in a world: masters watch each other, and the observer is one of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hasim.events import StatusChanged
from hasim.journal import Journal
from hasim.model import Cluster, Status
from hasim.scenario.loader import Loaded, from_data
from hasim.scenario.problems import ScenarioError
from hasim.services.control_plane import ControlPlane
from hasim.services.frozen import thaw
from hasim.simulation.run import simulate
from hasim.study.replaying import what_if
from hasim.units import SECOND

FAULTS = (
    {"kind": "crash", "target": "a", "at": "30s", "for": "60s"},
    {"kind": "hang", "target": "b", "at": "150s", "for": "40s"},
    {"kind": "power-off", "target": "c", "at": "230s", "for": "30s"},
)


def study_of(**detection: Any) -> Loaded:
    return from_data(
        {
            "name": "gossip",
            "horizon": "5m",
            "masters": [
                {"id": "a", "region": "eu"},
                *({"id": name, "like": "a"} for name in ("b", "c", "d")),
            ],
            "network": {"rtt": "2ms"},
            "traffic": {"arrivals": {"law": "poisson", "rate": "1/s"}},
            "faults": list(FAULTS),
            "detection": {"preset": "consul-lan"} | detection,
            "failover": {"fencing": "none"},
        }
    )


def journal_of(study: Loaded, replication: int = 0) -> Journal:
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=1, replication=replication)


@pytest.mark.parametrize("replication", range(4))
def test_a_death_comes_four_seconds_after_the_suspicion_and_life_when_it_is_back(
    replication: int,
) -> None:
    """Five members confirm each other: 4 s at least, and hardly more; a probe and its interval."""
    changes = [
        (t_ns / SECOND, e)
        for t_ns, e in journal_of(study_of(), replication).of(StatusChanged)
        if t_ns
    ]
    told = [(e.master, e.new) for _, e in changes]
    each = (Status.SUSPECT, Status.FAILED, Status.HEALTHY)
    assert told == [(master, status) for master in "abc" for status in each]
    for place, (start_s, end_s) in enumerate(((30, 90), (150, 190), (230, 260))):
        (suspected, _), (dead, _), (back, _) = changes[3 * place : 3 * place + 3]
        assert 0.5 < suspected - start_s < 4
        # Its own suspicion may have begun later than the one that ran out first.
        assert 2 < dead - suspected < 4.5
        assert dead - start_s >= 4.5
        assert 0 < back - end_s < 3


@pytest.mark.parametrize("replication", range(4))
def test_over_a_wan_a_suspicion_lasts_thirty_seconds(replication: int) -> None:
    """6 x 5 s; five members are too few to confirm (four would have to)."""
    study = study_of(preset="consul-wan")
    study.data["faults"] = [{"kind": "power-off", "target": "a", "at": "60s", "for": "3m"}]
    changes = journal_of(from_data(study.data), replication).of(StatusChanged)
    suspected, dead, *_ = (t_ns / SECOND for t_ns, e in changes if t_ns and e.master == "a")
    assert 25 < dead - suspected <= 30
    assert dead - 60 >= 35


def test_a_pause_below_the_suspicion_is_refuted() -> None:
    study = study_of()
    study.data["faults"] = [{"kind": "hang", "target": "b", "at": "60s", "for": "3s"}]
    study = from_data(study.data)
    for replication in range(4):
        changes = journal_of(study, replication).of(StatusChanged)
        assert not [e for _, e in changes if e.new is Status.FAILED]


def test_frozen_between_any_two_inputs_it_goes_on_alike() -> None:
    study = study_of()
    journal, world = journal_of(study), study.cells[0].world
    told = journal.header["observers"]["observer"]

    def made() -> ControlPlane:
        return ControlPlane(
            thaw(Cluster, journal.header["cluster"]),
            world.detection,
            world.failover,
            world.balancing,
            world.monitor,
            observer="observer",
            seed=told["seed"],
        )

    machine = made()
    machine.start(0)
    for number, record in enumerate(r for r in journal.records if r.lane == "input"):
        t_ns, item = record.t_ns, record.body
        if number % 7:
            machine.step(t_ns, item)
            continue
        frozen = json.loads(json.dumps(machine.freeze()))
        expected, restored = machine.step(t_ns, item), made()
        restored.restore(frozen)
        assert restored.step(t_ns, item) == expected
        assert restored.next_wakeup() == machine.next_wakeup()
        machine = restored


def test_its_journal_gives_the_same_again() -> None:
    journal = journal_of(study_of())
    again = what_if(journal, [])
    assert list(again.of(StatusChanged)) == list(journal.of(StatusChanged))


def test_a_detector_that_waits_for_silence_is_refused() -> None:
    with pytest.raises(ScenarioError, match="gossip tells of changes, not of silence"):
        study_of(detector="timeout")
