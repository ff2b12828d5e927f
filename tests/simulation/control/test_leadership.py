"""Control planes that elect a leader, in the simulated world: killed, stopped, in a minority."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.events import FailoverChanged, LeaderElected, Promote, TermBegun
from hasim.journal import Journal
from hasim.measures.measuring import measure
from hasim.oracle import check
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import Writers
from hasim.units import SECOND


def run(faults: list[dict[str, Any]], replication: int = 0, **own: Any) -> Journal:
    study = from_data(
        {
            "horizon": "70s",
            "masters": [{"id": "a"}, {"id": "b", "like": "a", "standby": True}],
            "network": {"rtt": "1ms", "local_rtt": "1ms"},
            "traffic": {"arrivals": {"law": "poisson", "rate": "1/s"}},
            "observer": {"witnesses": ["default", "default"]},
            "detection": {"interval": "1s", "timeout": "500ms", "fall": 2},
            "failover": {"fencing": "none"},
            "leadership": {"preset": "etcd"},
            "faults": faults,
        }
        | own
    )
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=6, replication=replication)


@pytest.mark.parametrize("kind", ["observer-crash", "observer-hang"])
def test_another_leads_within_two_election_timeouts(kind: str) -> None:
    """And an owner that dies later is failed over by it; the old one only follows."""
    leader = {"kind": kind, "target": "observer", "at": "20s", "for": "25s"}
    owner = {"kind": "crash", "target": "a", "at": "30s", "for": "10m"}
    for replication in range(4):
        journal = run([leader, owner], replication)
        ((elected_ns, elected),) = journal.of(LeaderElected)
        assert elected.leader in ("observer-2", "observer-3")
        assert 0.8 * SECOND < elected_ns - 20 * SECOND < 2.1 * SECOND
        ((begun_ns, begun),) = journal.of(TermBegun)
        assert begun.term >= elected.ballot
        assert 0 < begun_ns - elected_ns < 10_000_000  # masters and gateways answer
        by = {r.observer for r in journal.records if isinstance(r.body, FailoverChanged)}
        assert by == {elected.leader}
        (failover,) = measure(journal).failovers
        assert failover.outcome == "completed"
        assert check(journal) == []


def test_a_minority_does_nothing_until_it_is_none() -> None:
    dead = {"kind": "observer-crash", "target": ["observer", "observer-3"], "at": "20s"}
    owner = {"kind": "crash", "target": "a", "at": "20.1s", "for": "10m"}
    journal = run([{**dead, "for": "30s"}, owner])
    first_ns = next(t_ns for t_ns, _ in journal.of(FailoverChanged))
    (elected_ns, _), *_ = journal.of(LeaderElected)
    assert 50 * SECOND < elected_ns < first_ns
    assert elected_ns < 52.2 * SECOND


def test_a_leader_that_is_cut_off_gives_no_orders_and_another_one_does() -> None:
    """It has stopped leading (two election timeouts) before it takes all masters for dead."""
    cut = {"kind": "observer-partition", "target": "observer", "at": "20s", "for": "30s"}
    slow = {"interval": "1s", "timeout": "500ms", "fall": 5}
    journal = run([cut], failover={"fencing": "confirmed"}, detection=slow)
    assert not list(journal.of(FailoverChanged))
    assert len(list(journal.of(LeaderElected))) == 1
    assert check(journal) == []


def test_a_promotion_of_a_term_that_is_over_ends_without_effect() -> None:
    """Its master has told the successor that it accepts nothing; that orders a new one."""
    owner = {"kind": "crash", "target": "a", "at": "20s", "for": "10m"}
    leader = {"kind": "observer-crash", "target": "observer", "at": "24s", "for": "10m"}
    slow = {"failover": {"fencing": "none", "promote_timeout": "15s"}}
    journal = run([owner, leader], promotion={"duration": "10s"}, **slow)
    (first_ns, _), (again_ns, again) = journal.of(Promote)
    assert first_ns < 24 * SECOND < again_ns < first_ns + 10 * SECOND
    accepts_ns = [t for t, seen in journal.of(Writers) if seen.masters == (again.target,)]
    assert again_ns + 10 * SECOND < accepts_ns[0] < again_ns + 10.1 * SECOND
    assert check(journal) == []
