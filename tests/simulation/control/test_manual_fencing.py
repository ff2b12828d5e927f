"""Fencing by hand: Kubernetes' stateful sets, whose pods nobody replaces without a word."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.events import (
    Demote,
    DemoteResult,
    FailoverChanged,
    Fence,
    InputRefused,
    StatusChanged,
)
from hasim.journal import Journal
from hasim.model import Status
from hasim.oracle import check
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.units import SECOND


def run(kind: str, lasting: str, operations: list[dict[str, Any]], **failover: Any) -> Journal:
    """A pod of a stateful set whose node fails after 100 s; the other node is empty."""
    study = from_data(
        {
            "horizon": "30m",
            "masters": [{"id": "a"}, {"id": "b", "standby": True, "like": "a"}],
            "network": {"rtt": "1ms", "local_rtt": "1ms"},
            "traffic": {"arrivals": {"law": "poisson", "rate": "0.1/s"}},
            "detection": {"preset": "kubernetes-node"},
            "failover": {"preset": "kubernetes"} | failover,
            "faults": [{"kind": kind, "target": "a", "at": "100s", "for": lasting}],
            "operations": operations,
        }
    )
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=5, replication=0)


def steps(journal: Journal) -> list[tuple[float, str]]:
    return [(t_ns / SECOND, step.trigger) for t_ns, step in journal.of(FailoverChanged)]


def not_ready_s(journal: Journal) -> float:
    changes = journal.of(StatusChanged)
    return next(t_ns / SECOND for t_ns, e in changes if e.new is Status.FAILED)


OUT_OF_SERVICE = {"do": "confirm-off", "master": "a", "at": "1000s"}


def test_a_pod_of_a_stateful_set_is_replaced_when_somebody_says_that_its_node_is_off() -> None:
    """NotReady after 30 to 45 s, evicted 300 s later, and then nothing happens until the taint."""
    journal = run("power-off", "29m", [OUT_OF_SERVICE])
    down_s = not_ready_s(journal)
    assert 130 < down_s < 145
    assert steps(journal)[:4] == [
        (down_s, "declare"),
        (down_s, "hold"),
        (down_s + 300, "released"),
        (down_s + 300, "fence"),
    ]
    taken = {trigger: t_s for t_s, trigger in steps(journal)}
    assert taken["fenced"] == 1000
    assert 1000 < taken["promoted"] < 1000.2
    assert not list(journal.of(Fence))
    assert check(journal) == []


def test_without_a_word_it_waits_for_the_node() -> None:
    """It is back after 15 minutes, and so is the pod."""
    journal = run("power-off", "15m", [])
    back_s = 100 + 15 * 60
    (*_, (ended_s, last)) = steps(journal)
    assert last == "owner-recovered"
    assert back_s < ended_s < back_s + 11  # its next heartbeat
    assert check(journal) == []


def test_who_is_back_within_the_toleration_is_not_evicted() -> None:
    journal = run("power-off", "4m", [])
    assert [trigger for _, trigger in steps(journal)] == ["declare", "hold", "owner-recovered"]


def test_a_deployment_is_replaced_without_a_word() -> None:
    journal = run("power-off", "29m", [], fencing="none")
    taken = {trigger: t_s for t_s, trigger in steps(journal)}
    assert taken["promoted"] == pytest.approx(not_ready_s(journal) + 300, abs=0.2)


def test_nobody_is_off_that_is_declared_healthy() -> None:
    early = OUT_OF_SERVICE | {"at": "50s"}
    journal = run("power-off", "4m", [early])
    ((refused_ns, refused),) = journal.of(InputRefused)
    assert (refused_ns, refused.reason) == (50 * SECOND, "a is declared healthy")
    assert [trigger for _, trigger in steps(journal)] == ["declare", "hold", "owner-recovered"]


def test_an_operator_may_speak_for_a_device_that_does_not() -> None:
    """Pacemaker: stonith_admin --confirm, when the power switch has died with the node."""
    dead = {"kind": "confirmed", "timeout": "60s"}
    study = from_data(
        {
            "horizon": "10m",
            "masters": [{"id": "a"}, {"id": "b", "standby": True, "like": "a"}],
            "network": {"rtt": "1ms", "local_rtt": "1ms"},
            "traffic": {"arrivals": {"law": "poisson", "rate": "0.1/s"}},
            "detection": {"preset": "corosync"},
            "failover": {"preset": "pacemaker", "fencing": dead},
            "fencing_device": {"shares_fate": "node"},
            "faults": [{"kind": "power-off", "target": "a", "at": "100s", "for": "9m"}],
            "operations": [OUT_OF_SERVICE | {"at": "200s"}],
        }
    )
    (cell,) = study.cells
    journal = simulate(cell.world, study.recorded_of(cell), seed=5, replication=0)
    taken = {trigger: t_s for t_s, trigger in steps(journal)}
    assert taken["fenced"] == 200
    assert 200 < taken["promoted"] < 200.2
    assert check(journal) == []


def test_who_was_off_by_word_is_told_to_stop_when_it_is_back() -> None:
    """The node comes back after its pod was replaced: the old one is ended at its first sign."""
    journal = run("power-off", "20m", [OUT_OF_SERVICE])
    back_s = 100 + 20 * 60
    ((told_ns, order), *_) = ((t, o) for t, o in journal.of(Demote) if t > back_s * SECOND)
    assert order.target == "a"
    assert told_ns / SECOND < back_s + 10.1  # its next heartbeat
    answers = [t_ns for t_ns, answer in journal.of(DemoteResult) if answer.target == "a"]
    assert back_s < answers[-1] / SECOND < back_s + 10.2
