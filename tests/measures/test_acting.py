"""Where several control planes act in turn, measures are of whoever acted."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.events import FailoverChanged, LeaderElected, StatusChanged, TermBegun
from hasim.measures.acting import as_acted
from hasim.measures.facts import facts_of
from hasim.measures.measuring import measure
from hasim.model import Status
from hasim.oracle import check
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate


def scenario(**leadership: Any) -> dict[str, Any]:
    return {
        "horizon": "5m",
        "masters": [
            {"id": "redis-1"},
            {"id": "redis-2", "like": "redis-1", "standby": True},
            {"id": "redis-3", "like": "redis-1", "standby": True},
        ],
        "traffic": {"arrivals": {"law": "poisson", "rate": "2/s"}},
        "faults": [{"kind": "crash", "target": "owner-of:p1", "at": ["20s", "150s"], "for": "30s"}],
        "observer": {"witnesses": ["default", "default"]},
        "detection": {"preset": "sentinel", "down_after": "2s"},
        "failover": {"fencing": "none"},
        "leadership": leadership,
    }


@pytest.fixture(scope="module")
def journal() -> Any:
    study = from_data(scenario(preset="sentinel", failover_timeout="10s"))
    (cell,) = study.cells
    for replication in range(20):  # one in which two observers act, one after the other
        made = simulate(cell.world, study.recorded_of(cell), seed=3, replication=replication)
        leaders = {event.leader for _, event in made.of(LeaderElected)}
        if len(leaders) == 2 and "observer" not in leaders:
            return made
    raise AssertionError


def test_a_failover_is_traced_to_the_declaration_of_whoever_led_it(journal: Any) -> None:
    facts = facts_of(journal)
    assert len(facts.courses) == 2
    for course in facts.courses:
        declaration = facts.declaration_of[course.failover]
        (leader,) = {
            record.observer
            for record in journal.records
            if isinstance(record.body, FailoverChanged) and record.body.failover == course.failover
        }
        own = [
            record.t_ns
            for record in journal.seen_by(leader).records
            if isinstance(record.body, StatusChanged)
            and (record.body.master, record.body.new) == (course.master, Status.FAILED)
        ]
        assert declaration.t_ns in own
        assert 0 < course.declared_ns - declaration.t_ns < 500_000_000  # three ticks, and answers
    measured = measure(journal)
    assert [f.outcome for f in measured.failovers] == ["completed", "completed"]
    assert measured.mistakes == ()
    assert check(journal) == []


def test_verdicts_are_told_without_gap_or_repetition(journal: Any) -> None:
    status = dict.fromkeys(("redis-1", "redis-2", "redis-3"), Status.UNKNOWN)
    times = []
    for t_ns, change in as_acted(journal).of(StatusChanged):
        assert (change.old, change.old is change.new) == (status[change.master], False)
        status[change.master] = change.new
        times.append(t_ns)
    assert times == sorted(times)
    assert set(status.values()) == {Status.HEALTHY}
    assert len(list(journal.of(TermBegun))) == 2


def test_where_one_alone_may_act_the_journal_is_what_it_was() -> None:
    study = from_data(scenario() | {"horizon": "1m", "faults": []})
    (cell,) = study.cells
    made = simulate(cell.world, study.recorded_of(cell), seed=3, replication=0)
    assert as_acted(made) is made
