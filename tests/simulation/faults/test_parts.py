"""Faults of a part of a master: its disk, its workers, its health endpoint; and timed cures."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hasim.events import Heartbeat, StatusChanged
from hasim.measures import measure
from hasim.model import Cause, Status
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.faults import (
    AddedDelay,
    Crash,
    Deadlock,
    DiskStall,
    Hang,
    LyingHealth,
    RepairSettings,
)
from hasim.truth import FaultCured, FaultStarted, MessageRecord, PartitionServed, StatelessServed
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.planes import assert_equal, both
from tests.simulation.worlds import after, lasting, masters, run, traffic, world

PROBES = detection(evidence=("probe",), interval_ns=SECOND, fast_interval_ns=SECOND, fall=2)


def struck(*faults: Any, health: str = "shallow", **more: Any) -> WorldSettings:
    more.setdefault("detection", PROBES)
    return world(
        60,
        2,
        masters=masters(2, service=Constant(mean_ns=10 * MILLISECOND), health=health, workers=4),
        faults=faults,
        traffic=traffic(10, timeout_ns=SECOND, owned=0.5),
        **more,
    )


def declared(journal: Any) -> list[tuple[str, int]]:
    return [(e.master, t // SECOND) for t, e in journal.of(StatusChanged) if e.new is Status.FAILED]


def test_a_disk_stall_stops_writes_and_neither_reads_nor_checks() -> None:
    """Until workers are busy with writes: with one worker, reads wait behind them."""
    fault = DiskStall(kind="disk-stall", target="m1", at=after(20), for_=lasting(3))
    of = struck(fault)
    roomy = dataclasses.replace(of, masters=masters(2, workers=200, service=of.masters[0].service))
    journal = assert_equal(both(roomy))
    assert declared(journal) == []
    down = [p.partition for _, p in journal.of(PartitionServed) if p.reason == "disk-stall"]
    assert set(down) == {"p1"}
    assert all(s.up for t, s in journal.of(StatelessServed) if t > SECOND)
    hit = [
        m
        for _, m in journal.of(MessageRecord)
        if 20 * SECOND < m.arrived_ns < 22 * SECOND and m.partition in ("p1", "")
    ]
    writes = [m.outcome for m in hit if m.partition == "p1"]
    reads = [m.outcome for m in hit if not m.partition]
    assert set(writes) == {Cause.TIMEOUT}
    assert set(reads) == {Cause.OK}
    single = dataclasses.replace(of, masters=masters(2, workers=1, service=of.masters[0].service))
    blocked = assert_equal(both(single))
    assert [m for _, m in blocked.of(MessageRecord) if not m.partition and m.outcome != Cause.OK]
    assert measure(journal).incidents[0].kind == "disk-stall"


@pytest.mark.parametrize(("health", "seen"), [("shallow", False), ("deep", True)])
def test_a_deadlock_is_seen_by_deep_checks_alone(health: str, seen: bool) -> None:
    fault = Deadlock(kind="deadlock", target="m1", at=after(20), for_=lasting(20))
    journal = assert_equal(both(struck(fault, health=health)))
    assert bool(declared(journal)) == seen
    assert [i.kind for i in measure(journal).incidents] == ["deadlock"]
    assert {p.reason for t, p in journal.of(PartitionServed) if t == 20 * SECOND} == {"deadlock"}


def test_heartbeats_go_on_through_a_deadlock() -> None:
    fault = Deadlock(kind="deadlock", target="m1", at=after(20), for_=lasting(20))
    beats = detection(evidence=("heartbeat",), interval_ns=SECOND)
    journal = run(struck(fault, detection=beats))
    assert declared(journal) == []
    assert sum(h.master == "m1" for t, h in journal.of(Heartbeat) if 20 < t / SECOND < 40) == 20


@pytest.mark.parametrize("health", ["shallow", "deep"])
@pytest.mark.parametrize("kind", [Hang, Crash, Deadlock])
def test_a_lying_health_endpoint_hides_what_is_wrong(kind: Any, health: str) -> None:
    name = {Hang: "hang", Crash: "crash", Deadlock: "deadlock"}[kind]
    lies = LyingHealth(kind="lying-health", target="m1", at=after(10), for_=lasting(45))
    fault = kind(kind=name, target="m1", at=after(20), for_=lasting(15))
    journal = assert_equal(both(struck(lies, fault, health=health)))
    assert declared(journal) == []
    assert [i.outcome for i in measure(journal).incidents] == ["censored"]


def test_a_delay_impairs_whom_it_makes_half_as_fast() -> None:
    for extra_ns, impairing in ((9 * MILLISECOND, False), (10 * MILLISECOND, True)):
        fault = AddedDelay(kind="added-delay", target="m1", at=after(20), extra_ns=extra_ns)
        (started,) = [f for _, f in run(struck(fault)).of(FaultStarted)]
        assert (started.impairing, started.detail) == (impairing, f"extra {extra_ns}")


def test_a_cure_that_is_timed_from_the_declaration() -> None:
    fault = Crash(kind="crash", target="m1", at=after(20), for_=lasting(10), from_="declaration")
    journal = assert_equal(both(struck(fault)))
    first = next(t for t, e in journal.of(StatusChanged) if e.new is Status.FAILED)
    assert [t for t, _ in journal.of(FaultCured)] == [first + 10 * SECOND]


def test_what_nobody_declares_lasts() -> None:
    fault = Deadlock(
        kind="deadlock", target="m1", at=after(20), for_=lasting(1), from_="declaration"
    )
    assert list(run(struck(fault)).of(FaultCured)) == []


def test_a_fault_of_a_declared_master_is_under_repair_at_once() -> None:
    faults = (
        Crash(kind="crash", target="m1", at=after(20), for_=lasting(30)),
        Hang(kind="hang", target="m1", at=after(30), for_=lasting(5), from_="declaration"),
    )
    cured = [t for t, _ in run(struck(*faults)).of(FaultCured)]
    assert cured == [35 * SECOND, 50 * SECOND]


def test_a_renewal_process_goes_on_from_a_cure_that_waited() -> None:
    fault = Crash(
        kind="crash",
        target="m1",
        every=Exponential(mean_ns=5 * SECOND),
        for_=Constant(mean_ns=4 * SECOND),
        from_="declaration",
    )
    journal = run(struck(fault, repair=RepairSettings(crews=1)))
    started = [t for t, _ in journal.of(FaultStarted)]
    cured = [t for t, _ in journal.of(FaultCured)]
    assert len(cured) > 2
    assert cured[0] - started[0] > 4.5 * SECOND
    assert all(c - s >= 4 * SECOND for s, c in zip(started, cured, strict=False))
    assert all(n > c for n, c in zip(started[1:], cured, strict=False))
