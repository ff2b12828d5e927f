"""Corroboration by replicas: what orchestrator makes of who has lost a master."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.events import AskOpinion, OpinionGiven, StatusChanged
from hasim.journal import Journal
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.units import SECOND


def journal_of(fault: dict[str, Any], **replication: Any) -> Journal:
    study = from_data(
        {
            "horizon": "60s",
            "masters": [
                {"id": "a"},
                {"id": "b", "like": "a", "standby": True},
                {"id": "c", "like": "a", "standby": True},
            ],
            "network": {"rtt": "2ms"},
            "traffic": {"arrivals": {"law": "poisson", "rate": "2/s"}, "owned": "100%"},
            "replication": {"copies": 2, **replication},
            "detection": {
                **{"evidence": "probe", "interval": "1s", "fast_interval": "1s"},
                **{"timeout": "500ms", "fall": 1, "confirm": "replicas"},
            },
            "faults": [{"target": "a", "at": "20s", "for": "25s", **fault}],
            "failover": {"fencing": "none"},
        }
    )
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=1, replication=0)


def failed_s(journal: Journal) -> list[tuple[str, float]]:
    changes = journal.of(StatusChanged)
    return [(e.master, t_ns / SECOND) for t_ns, e in changes if e.new is Status.FAILED]


def test_a_process_that_dies_closes_its_connections_to_replicas() -> None:
    ((master, when),) = failed_s(journal_of({"kind": "crash"}))
    assert master == "a"
    assert 20 < when < 21.1


@pytest.mark.parametrize("kind", ["power-off", "hang"])
@pytest.mark.parametrize("net_timeout_s", [4, 10])
def test_a_silent_one_is_dead_when_its_replicas_have_waited_long_enough(
    kind: str, net_timeout_s: int
) -> None:
    """Vitess 15555: with a net timeout of a minute replicas go on to say that all is well."""
    journal = journal_of({"kind": kind}, net_timeout=f"{net_timeout_s}s")
    ((master, when),) = failed_s(journal)
    assert master == "a"
    assert 20 + net_timeout_s <= when < 20 + net_timeout_s + 1.1  # asked each second
    before = [item for t, item in journal.of(OpinionGiven) if t < (20 + net_timeout_s) * SECOND]
    assert before
    assert not any(item.down for item in before)


def test_who_alone_has_lost_a_master_does_nothing() -> None:
    """UnreachableMaster: its replicas replicate."""
    journal = journal_of({"kind": "partition", "scope": "monitor"})
    assert not failed_s(journal)
    given = [item for _, item in journal.of(OpinionGiven)]
    assert {item.peer for item in given} == {"b", "c"}
    assert not any(item.down for item in given)


def test_who_has_lost_the_replicas_too_does_nothing() -> None:
    """DeadMasterAndReplicas: nothing is known but that one is cut off oneself."""
    fault = {"kind": "partition", "target": ["a", "b", "c"], "scope": "monitor"}
    journal = journal_of(fault)
    assert list(journal.of(AskOpinion))
    assert not failed_s(journal)


def test_those_that_are_dead_with_it_are_not_asked_for_their_consent() -> None:
    """DeadMasterAndSomeReplicas: c has lost it, and b is dead."""
    journal = journal_of({"kind": "crash", "target": ["a", "b"]})
    assert {master for master, _ in failed_s(journal)} >= {"a"}
