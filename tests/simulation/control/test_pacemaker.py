"""Pacemaker: STONITH before a promotion, migration-threshold, failure-timeout, stickiness."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from hasim.events import FailoverChanged, Fence, FenceResult
from hasim.journal import Journal
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.units import SECOND


def run(faults: list[dict[str, Any]], **own: Any) -> Journal:
    """Nodes a, b and c; the device takes 2 s, a node that was fenced is back after 5 s."""
    failover = own.pop("failover", {})
    data = {
        "horizon": "5m",
        "masters": [
            {"id": "a", "state": {"size": "1MiB"}},
            {"id": "b", "standby": True, "priority": 3, "like": "a"},
            {"id": "c", "standby": True, "priority": 5, "like": "a"},
        ],
        "network": {"rtt": "1ms", "local_rtt": "1ms"},
        "traffic": {"arrivals": {"law": "poisson", "rate": "0.1/s"}},
        "detection": {"preset": "corosync"},
        "failover": {"preset": "pacemaker"} | failover,
        "fencing_device": {"latency": "2s", "restart": "5s"},
        "faults": faults,
    }
    study = from_data(data | own)
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=3, replication=0)


def crash(master: str, at: str, lasting: str = "10s") -> dict[str, Any]:
    return {"kind": "crash", "target": master, "at": at, "for": lasting}


def promoted(journal: Journal) -> list[tuple[float, str]]:
    """When (seconds), and who."""
    steps = journal.of(FailoverChanged)
    return [(t / SECOND, step.candidate) for t, step in steps if step.trigger == "promoted"]


def test_nothing_is_promoted_before_the_device_has_confirmed() -> None:
    """Token and consensus, 2 s of the device, a promotion of 100 ms; the rest is latency."""
    journal = run([crash("a", "60s", "4m")])
    ((fenced_ns, answer),) = journal.of(FenceResult)
    assert answer.confirmed
    ((when, who),) = promoted(journal)
    assert who == "b"
    assert fenced_ns / SECOND < when < fenced_ns / SECOND + 0.11
    assert 60 + 6.5 + 2 < when < 60 + 6.6 + 2 + 0.12


def test_a_device_that_does_not_answer_is_asked_ten_times_60_s_apart() -> None:
    """And then nobody is promoted: that is what fencing is for."""
    journal = run(
        [crash("a", "60s", "14m") | {"kind": "power-off"}],
        horizon="15m",
        fencing_device={"latency": "2s", "shares_fate": "node"},
        failover={"limit": "1h"},
    )
    asked = [t_ns for t_ns, _ in journal.of(Fence)][:10]
    gaps_ns = [after - before for before, after in itertools.pairwise(asked)]
    assert gaps_ns == [60 * SECOND] * 9
    ended_ns, step = next((t, s) for t, s in journal.of(FailoverChanged) if s.new == "failed")
    assert (ended_ns, step.reason) == (asked[-1] + 60 * SECOND, "10 fencing orders failed")
    assert promoted(journal) == []


def test_resources_go_back_if_the_score_outweighs_what_sticks() -> None:
    """a (1) is ahead of b (3) by two, more than 1 (of clones); from 2 on they stay."""
    (_, first), (_, second) = promoted(run([crash("a", "60s")]))
    assert (first, second) == ("b", "a")
    for stickiness in (2, 1000):
        ((_, only),) = promoted(run([crash("a", "60s")], failover={"stickiness": stickiness}))
        assert only == "b"


def test_who_has_failed_too_often_takes_nothing_over() -> None:
    """Once is enough here; without a threshold, the first node would get it all back."""
    faults = [crash("a", "30s"), crash("b", "90s")]
    stays = {"failback": "manual"}
    assert [who for _, who in promoted(run(faults, failover=stays))] == ["b", "a"]
    journal = run(faults, failover=stays | {"migration_threshold": 1})
    assert [who for _, who in promoted(journal)] == ["b", "c"]
    told = [step.reason for _, step in journal.of(FailoverChanged) if step.trigger == "selected"]
    assert "a (has failed 1 times)" in told[-1]
    two = run(faults, failover=stays | {"migration_threshold": 2})
    assert [who for _, who in promoted(two)] == ["b", "a"]


@pytest.mark.parametrize(("timeout_s", "second"), [(50, "a"), (60, "c"), (0, "c")])
def test_failures_are_forgotten_so_long_after_the_last_one(timeout_s: int, second: str) -> None:
    """b fails 60 s after a: a promotion a little later, when those of a are forgotten or not."""
    faults = [crash("a", "30s"), crash("b", "85s")]
    own = {"failback": "manual", "migration_threshold": 1, "failure_timeout": f"{timeout_s}s"}
    made = promoted(run(faults, failover=own))
    assert [who for _, who in made] == ["b", second]
