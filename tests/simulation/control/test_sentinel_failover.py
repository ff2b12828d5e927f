"""The presets of Redis Sentinel, from the fault to the rejoin, against what was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

from hasim.events import Demote, FailoverChanged, LeaderElected, ReplicaReport, StatusChanged
from hasim.journal import Journal
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import FaultCured
from hasim.units import SECOND
from tests.study.standins import script

truth = script("truth_sentinel")


def run(changes: dict[str, Any], replication: int = 0) -> Journal:
    study = from_data(truth.scenario("kill") | changes)
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=5, replication=replication)


@pytest.mark.parametrize(("fault", "write_within_s"), [("kill", 0.1), ("stop", 0.15)])
def test_every_moment_is_as_it_was_measured(fault: str, write_within_s: float) -> None:
    """Killed 86 times, stopped 85 times; nothing is fitted."""
    real = truth.measured(fault)
    made, lost = truth.predicted(fault, 60)
    within_s = np.array([0.1, 0.1, 0.1, 0.1, write_within_s, write_within_s])
    assert (np.abs(made.mean(axis=0) - real.mean(axis=0)) < within_s).all()
    ratio = made.std(axis=0) / real.std(axis=0)
    assert (np.maximum(ratio, 1 / ratio) < 1.5).all()
    if fault == "stop":
        assert ks_2samp(made[:, -1], real[:, -1]).statistic < 0.3
    assert lost == 0


@pytest.mark.parametrize(
    ("faults", "masters", "expected"),
    [
        ([], [], "redis-2"),  # alike: the smallest run id
        ([{"target": "redis-2", "extra": "5s"}], [], "redis-3"),  # the offset
        ([{"target": "redis-2", "extra": "5s"}], [{"id": "redis-3", "priority": 2}], "redis-2"),
    ],
)
def test_a_replica_is_chosen_by_priority_then_offset_then_run_id(
    faults: list[dict[str, Any]], masters: list[dict[str, Any]], expected: str
) -> None:
    """sentinelSelectSlave, compareSlavesForPromotion: what it knows is not older than 5 s."""
    base = truth.scenario("kill")
    own = {one["id"]: one for one in masters}
    world = [master | own.get(master["id"], {}) for master in base["masters"]]
    kinds = [{"kind": "replication-lag", "at": "1s", "for": "30s"} | fault for fault in faults]
    kill = {"kind": "crash", "target": "redis-1", "at": "21s"}
    journal = run({"masters": world, "faults": [kill, *kinds]})
    (step,) = (step for _, step in journal.of(FailoverChanged) if step.trigger == "promoted")
    assert step.candidate == expected
    (elected_ns,) = (t_ns for t_ns, _ in journal.of(LeaderElected))
    heard = [t_ns for t_ns, report in journal.of(ReplicaReport) if report.master == expected]
    assert any(elected_ns - 1.1 * SECOND < t_ns < elected_ns for t_ns in heard)


def test_an_old_master_is_made_a_replica_at_the_second_info_after_its_return() -> None:
    """8 s of grace: it is asked at its return and 10 s later, at a tick of the timer."""
    fault = {"kind": "crash", "target": "redis-1", "at": "21s", "for": "8s"}
    for replication in range(10):
        journal = run({"horizon": "60s", "faults": [fault]}, replication)
        (cured_ns,) = (t_ns for t_ns, _ in journal.of(FaultCured))
        ((_, elected),) = journal.of(LeaderElected)
        seen_ns = next(
            record.t_ns
            for record in journal.records
            if isinstance(record.body, StatusChanged)
            and record.observer == elected.leader
            and (record.body.master, record.body.new) == ("redis-1", Status.HEALTHY)
            and record.t_ns > cured_ns
        )
        (told_ns,) = (t_ns for t_ns, _ in journal.of(Demote))
        assert 0 < seen_ns - cured_ns < 1.1 * SECOND
        assert 10 * SECOND <= told_ns - seen_ns < 10.1 * SECOND


def test_a_failover_that_fails_is_tried_again_after_twice_the_failover_timeout() -> None:
    """The replica that was chosen dies when it is told; no other one is tried."""
    dies = {"kind": "backup-dies", "target": "redis-2", "at": "20s", "for": "8s"}
    kill = {"kind": "crash", "target": "redis-1", "at": "21s"}
    for replication in range(5):
        journal = run({"horizon": "60s", "faults": [kill, dies]}, replication)
        first, second = (t_ns for t_ns, _ in journal.of(LeaderElected))
        ends = [(step.trigger, step.new) for _, step in journal.of(FailoverChanged)]
        assert ("give-up", "failed") in ends
        (promoted,) = (t for t, step in journal.of(FailoverChanged) if step.trigger == "promoted")
        # Up to a second of desynchronisation, and the ticks at which votes are counted.
        assert 19.9 * SECOND < second - first < 21.1 * SECOND
        assert second < promoted < second + 1.3 * SECOND
