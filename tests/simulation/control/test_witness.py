"""Witnesses that say when they last saw a master: what begins by that, and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hasim.events import OpinionGiven, ProbeReply, StatusChanged
from hasim.journal import Journal
from hasim.model import Cause, Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import FaultStarted
from hasim.units import SECOND

WITNESS = {"kind": "witness", "seen_within": "6s"}


def run(confirm: Any, faults: list[dict[str, Any]], replication: int = 0) -> Journal:
    """Two observers ask a master each 4 s, each 3 s when in doubt; two that fail convict."""
    study = from_data(
        {
            "horizon": "110s",
            "masters": [
                {"id": "a", "region": "two"},
                {"id": "b", "region": "one", "standby": True, "like": "a"},
            ],
            "network": {"rtt": "2ms", "local_rtt": "2ms"},
            "traffic": {"arrivals": {"law": "poisson", "rate": "1/s"}},
            "observer": {"region": "one", "witnesses": ["two"]},
            "detection": {
                **{"evidence": "probe", "interval": "4s", "fast_interval": "3s"},
                **{"timeout": "300ms", "fall": 2, "confirm": confirm},
            },
            "faults": faults,
            "failover": {"fencing": "none"},
        }
    )
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=6, replication=replication)


def crash(**own: Any) -> dict[str, Any]:
    when = {"law": "uniform", "low": "30s", "high": "34s"}
    return {"kind": "crash", "target": "a", "at": when, "for": "70s"} | own


def failed_ns(journal: Journal) -> list[int]:
    """When the first observer, which acts, has declared the master failed."""
    return [
        record.t_ns
        for record in journal.records
        if isinstance(record.body, StatusChanged)
        and (record.observer, record.body.new) == ("observer", Status.FAILED)
    ]


def sights_ns(journal: Journal, observer: str) -> list[int]:
    """When an observer has heard a good answer of the master."""
    return [
        record.t_ns
        for record in journal.records
        if isinstance(record.body, ProbeReply)
        and record.observer == observer
        and (record.body.master, record.body.cause) == ("a", Cause.OK)
    ]


def suspected_ns(journal: Journal, start_ns: int) -> int:
    """When two checks of the acting observer had failed."""
    failed = [
        record.t_ns
        for record in journal.records
        if isinstance(record.body, ProbeReply)
        and record.observer == "observer"
        and record.t_ns > start_ns
        and (record.body.master, record.body.cause) == ("a", Cause.REFUSED)
    ]
    return failed[1]


def test_a_failover_begins_by_when_the_witness_saw_the_master_last() -> None:
    """6 s after its last sight, asked each second; or at once, if that is over by then."""
    at_once = later = 0
    for replication in range(16):
        journal = run(WITNESS, [crash()], replication)
        (start_ns,) = (t_ns for t_ns, _ in journal.of(FaultStarted))
        (declared_ns,) = failed_ns(journal)
        seen_ns = max(t_ns for t_ns in sights_ns(journal, "observer-2") if t_ns < declared_ns)
        convicted_ns = suspected_ns(journal, start_ns)
        due_ns = max(convicted_ns, seen_ns + 6 * SECOND)
        assert due_ns <= declared_ns < due_ns + 1.01 * SECOND
        at_once += declared_ns < convicted_ns + SECOND // 100
        later += declared_ns > convicted_ns + SECOND // 2
        # What it said is what it saw, less the way of the answer.
        *_, (heard_ns, said) = (
            (t, item) for t, item in journal.of(OpinionGiven) if t <= declared_ns
        )
        assert said.seen_ns == pytest.approx(heard_ns - seen_ns, abs=SECOND // 500)
    assert at_once
    assert later


def test_it_need_not_wait_until_the_witness_convicts_too() -> None:
    """As a quorum of both must: the same faults, seed by seed."""
    by_sight, by_quorum = [], []
    for replication in range(16):
        for confirm, found in ((WITNESS, by_sight), ("quorum", by_quorum)):
            journal = run(confirm, [crash()], replication)
            (start_ns,) = (t_ns for t_ns, _ in journal.of(FaultStarted))
            found.append((failed_ns(journal)[0] - start_ns) / SECOND)
    assert np.mean(by_sight) < np.mean(by_quorum)
    assert any(one < other - 0.5 for one, other in zip(by_sight, by_quorum, strict=True))


def test_nothing_begins_while_the_witness_sees_the_master() -> None:
    """The acting observer alone is cut off from it, for a minute."""
    cut = {"kind": "link", "target": "a", "other": "region:one", "at": "30s", "for": "1m"}
    for confirm, declared in ((WITNESS, 0), ("alone", 1)):
        assert len(failed_ns(run(confirm, [cut]))) == declared


@pytest.mark.parametrize(("unheard", "declared"), [("wait", 0), ("declare", 1)])
def test_without_a_witness_in_reach_it_waits_or_goes_on_as_it_is_told(
    unheard: str, declared: int
) -> None:
    dead = {"kind": "observer-crash", "target": "observer-2", "at": "20s", "for": "89s"}
    confirm = WITNESS | {"unheard": unheard}
    journal = run(confirm, [dead, crash()])
    found = failed_ns(journal)
    assert len(found) == declared
    if found:
        (start_ns,) = (t for t, fault in journal.of(FaultStarted) if fault.kind == "crash")
        convicted_ns = suspected_ns(journal, start_ns)
        assert 3 * SECOND <= found[0] - convicted_ns < 4.01 * SECOND
