"""What operators do at run time, in worlds: equal on both planes, and with the right effect."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hasim.deployed import replay_recorded
from hasim.events import OwnerChanged, StatusChanged
from hasim.journal import Journal
from hasim.measures import measure
from hasim.model import Cause, Status
from hasim.scenario.catalogue import shipped
from hasim.scenario.loader import from_data, load
from hasim.simulation.run import simulate
from hasim.study.estimates.transients import transients
from hasim.truth import LoadSample, MessageRecord, PartitionServed
from hasim.units import SECOND
from tests.simulation.planes import assert_equal, both

MASTERS = [
    {"id": name, "workers": 4, "service": {"law": "exponential", "mean": "20ms"}} for name in "abc"
]


def journal_of(*operations: dict[str, Any], **more: Any) -> Journal:
    """One run of 40 s on both planes, which are equal."""
    data = {
        "horizon": "40s",
        "masters": MASTERS,
        "traffic": {"arrivals": {"law": "poisson", "rate": "60/s"}, "owned": "30%"},
        "operations": list(operations),
        **more,
    }
    loaded = from_data(data)
    return assert_equal(both(loaded.cells[0].world, loaded.recorded_of(loaded.cells[0])))


def sent(journal: Journal, from_s: float, to_s: float, **which: bool) -> Counter[str]:
    """Messages by master that arrived in a span; `owned` only if so asked."""
    return Counter(
        m.master
        for _, m in journal.of(MessageRecord)
        if from_s * SECOND <= m.arrived_ns < to_s * SECOND
        and ("owned" not in which or bool(m.partition) == which["owned"])
    )


def test_a_drained_master_ends_what_it_has_and_gets_what_it_owns() -> None:
    journal = journal_of(
        {"at": "10s", "do": "drain", "master": "b"}, {"at": "30s", "do": "undrain", "master": "b"}
    )
    assert sent(journal, 0, 10, owned=False)["b"] > 100
    assert sent(journal, 10.1, 30, owned=False)["b"] == 0
    assert sent(journal, 10.1, 30, owned=True)["b"] > 80
    assert sent(journal, 30.1, 40, owned=False)["b"] > 100
    assert all(m.outcome in (Cause.OK, "in_flight") for _, m in journal.of(MessageRecord))


def test_an_absent_master_owns_nothing_and_joins_when_its_health_is_proven() -> None:
    spare = {**MASTERS[0], "id": "spare", "absent": True}
    journal = journal_of({"at": "20s", "do": "add", "master": "spare"}, masters=[*MASTERS, spare])
    assert {p.partition for _, p in journal.of(PartitionServed)} == {"p1", "p2", "p3"}
    healthy = next(
        t for t, s in journal.of(StatusChanged) if s.master == "spare" and s.new is Status.HEALTHY
    )
    assert healthy > 20 * SECOND
    assert sent(journal, 0, healthy / SECOND)["spare"] == 0
    assert sent(journal, healthy / SECOND + 1, 40, owned=False)["spare"] > 100


def test_an_added_master_that_is_down_does_not_join() -> None:
    spare = {**MASTERS[0], "id": "spare", "absent": True}
    crash = {"kind": "crash", "target": "spare", "at": "0s", "for": "1m"}
    journal = journal_of(
        {"at": "20s", "do": "add", "master": "spare"}, masters=[*MASTERS, spare], faults=[crash]
    )
    assert sent(journal, 0, 40)["spare"] == 0


def test_a_removed_master_hands_over_what_it_owns() -> None:
    journal = journal_of({"at": "15s", "do": "remove", "master": "a"})
    owners = [(o.partition, o.owner) for _, o in journal.of(OwnerChanged)]
    assert owners == [("p1", "b")]
    assert sent(journal, 20, 40)["a"] == 0
    assert sent(journal, 20, 40)["b"] > 300
    last = max(t for t, p in journal.of(PartitionServed) if p.partition == "p1")
    assert next(p.up for t, p in journal.of(PartitionServed) if t == last)


MAINTENANCE = (
    {"at": "10s", "do": "maintenance", "master": "a"},
    {"at": "20s", "do": "end-maintenance", "master": "a"},
)


def outcomes(journal: Journal) -> Counter[str]:
    """How the messages of p1 ended that arrived while its first owner was in maintenance."""
    return Counter(
        m.outcome
        for _, m in journal.of(MessageRecord)
        if 11 * SECOND < m.arrived_ns < 20 * SECOND and m.partition == "p1"
    )


def test_a_master_hands_its_partition_over_for_its_maintenance() -> None:
    journal = journal_of(*MAINTENANCE)
    assert set(outcomes(journal)) == {Cause.OK}
    assert [(o.partition, o.owner) for _, o in journal.of(OwnerChanged)] == [("p1", "b")]
    assert sent(journal, 21, 40, owned=False)["a"] > 100
    assert sent(journal, 11, 20)["a"] == 0


def test_a_master_in_maintenance_serves_what_nobody_can_take_over() -> None:
    journal = journal_of(*MAINTENANCE, masters=MASTERS[:1])
    assert set(outcomes(journal)) == {Cause.OK}
    assert not list(journal.of(OwnerChanged))
    assert sent(journal, 21, 40, owned=False)["a"] > 100


@pytest.mark.parametrize("algorithm", ["least-loaded", "random", "ring-hash"])
def test_switching_keeps_what_is_in_flight_counted(algorithm: str) -> None:
    journal = journal_of({"at": "20s", "do": "switch-algorithm", "algorithm": algorithm})
    assert all(m.outcome in (Cause.OK, "in_flight") for _, m in journal.of(MessageRecord))


def test_a_journal_with_operations_replays() -> None:
    journal = journal_of(
        {"at": "5s", "do": "drain", "master": "b"},
        {"at": "15s", "do": "remove", "master": "a"},
        {"at": "25s", "do": "switch-algorithm", "algorithm": "geo"},
    )
    assert replay_recorded(journal).difference is None


def test_without_operations_no_samples_are_taken() -> None:
    assert not list(journal_of().of(LoadSample))


def test_the_shipped_scenario_has_the_transients_that_it_tells_of() -> None:
    """Slow start takes its window after an addition; a drain and a switch are there at once."""
    loaded = load(shipped()["operations"])
    cell = loaded.cells[0]
    runs = [
        measure(simulate(cell.world, loaded.recorded_of(cell), seed=1, replication=number))
        for number in range(20)
    ]
    found = {t.do: t for t in transients(runs)}
    added = found["add"]
    assert added.settled_s is not None
    assert added.routed_s is not None
    assert 10 <= added.settled_s - added.routed_s <= 30
    assert found["drain"].settled_s == found["undrain"].settled_s == 0
    assert found["drain"].moved == pytest.approx(0.2, abs=0.02)
    assert found["drain"].lost == 0
    assert found["remove"].lost > 0


@pytest.mark.parametrize(("apart_s", "success"), [(0, 1 - 40 / 360), (50, 1.0)])
def test_a_deploy_of_all_at_once_and_of_one_after_another(apart_s: int, success: float) -> None:
    """Each of three is away for 40 s of six minutes: 88.9 %, or nothing is lost."""
    operations = [
        {"do": do, "master": name, "at": f"{60 + number * apart_s + after_s}s"}
        for number, name in enumerate("abc")
        for do, after_s in (("maintenance", 0), ("end-maintenance", 40))
    ]
    data = {
        "name": "deploy",
        "horizon": "6m",
        "masters": [{"id": "a", "workers": 8}, {"id": "b", "like": "a"}, {"id": "c", "like": "a"}],
        "traffic": {"arrivals": {"law": "poisson", "rate": "30/s"}, "owned": "0%", "timeout": "1s"},
        "detection": {"evidence": ["probe"], "interval": "5s", "timeout": "1s", "rise": 1},
        "operations": operations,
    }
    study = from_data(data)
    (cell,) = study.cells
    journal = simulate(cell.world, study.recorded_of(cell), seed=1, replication=0, messages=True)
    found = [m.outcome == Cause.OK for _, m in journal.of(MessageRecord)]
    # Of 10,800 messages: four standard errors, or those that are under way at the end.
    assert sum(found) / len(found) == pytest.approx(success, abs=0.001 if apart_s else 0.012)
