"""Control planes are killed, cut off, and slow to hear, in the middle of what they do."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hasim.deployed import replay_recorded
from hasim.events import (
    FailoverChanged,
    Fence,
    InputRefused,
    Promote,
    Restart,
    ServiceFailed,
    StatusChanged,
    TakeSnapshot,
    TermBegun,
)
from hasim.journal import Journal
from hasim.model import Status
from hasim.oracle import check, difference
from hasim.services.accession import AccessionSettings
from hasim.services.failover import ConfirmedSettings, FailoverSettings
from hasim.simulation import run as run_module
from hasim.simulation.run import begin, conclude
from hasim.simulation.settings import FencingDeviceSettings, WorldSettings
from hasim.simulation.settings.faults import (
    BackupDies,
    Crash,
    ObserverCrash,
    ObserverPartition,
    ObserverSlow,
)
from hasim.simulation.settings.tiers import ObserverSettings
from hasim.singles import singly
from hasim.truth import FaultStarted, PartitionServed, Writers
from hasim.units import SECOND
from tests.services.bench import detection
from tests.simulation.planes import assert_equal, both
from tests.simulation.worlds import after, build, lasting, masters, run, traffic, world

STATES = ("fencing", "transferring", "promoting", "rolling-back", "redirecting", "waiting")


def settings(*faults: Any, remembers: str = "everything", count: int = 3, **more: Any) -> Any:
    """m1 crashes for good after 20 s."""
    crash = Crash(kind="crash", target="m1", at=after(20), for_=lasting(1000))
    made = world(
        150,
        masters=masters(count),
        traffic=traffic(10, owned=0.5),
        detection=detection(interval="2s"),
        failover=FailoverSettings(fencing=ConfirmedSettings()),
        fencing_device=FencingDeviceSettings(latency=lasting(0.5)),
        observer=ObserverSettings(remembers=remembers, snapshot_interval_ns=7 * SECOND),
        faults=(crash, *faults),
    )
    return dataclasses.replace(made, **more)


def killed_when(state: str, made: WorldSettings) -> Journal:
    """One run in which the control plane is killed for 3 s when a failover comes to a state."""
    built = build(made)
    (driver,) = built.drivers.values()
    killed: list[bool] = []

    def listen(event: Any) -> None:
        if isinstance(event, FailoverChanged) and event.new == state and not killed:
            killed.append(True)
            built.env.process(dies())

    def dies() -> Any:
        yield built.env.timeout(0)
        driver.kill()
        yield built.env.timeout(3 * SECOND)
        driver.revive()

    driver.listener = listen
    built.journal.header = run_module.header_of(built, "", {})
    begin(built)
    built.messages.run(made.horizon_ns)
    built.settle()
    conclude(built, messages=False)
    assert killed, f"no failover was ever {state}"
    return built.give_journal()


def served_at_last(journal: Journal) -> dict[str, bool]:
    return {s.partition: s.up for _, s in journal.of(PartitionServed)}


@pytest.mark.parametrize("remembers", ["everything", "snapshots", "nothing"])
@pytest.mark.parametrize("state", STATES)
def test_killed_in_any_state_it_comes_back_and_ends_what_it_began(
    state: str, remembers: str
) -> None:
    made = settings(remembers=remembers)
    if state == "rolling-back":
        dies = BackupDies(kind="backup-dies", target="m2", at=after(1), for_=lasting(100))
        made = settings(dies, remembers=remembers)
    if state == "waiting":  # the only backup is out for a while
        out = Crash(kind="crash", target="m2", at=after(15), for_=lasting(30))
        made = settings(out, remembers=remembers, count=2)
    journal = killed_when(state, made)
    assert check(journal) == []
    assert list(journal.of(ServiceFailed)) == []
    assert all(served_at_last(journal).values())
    assert max(len(writers.masters) for _, writers in journal.of(Writers)) == 1
    (begun,) = [begun for _, begun in journal.of(TermBegun)]
    assert begun.term == 2
    (restart,) = [restart for _, restart in journal.of(Restart)]
    assert restart.from_snapshot == (remembers != "nothing")


@pytest.mark.parametrize("state", ["fencing", "transferring", "promoting"])
def test_what_was_under_way_is_ordered_anew_at_once_and_not_after_its_timeout(state: str) -> None:
    """It dies with the order on its way, and is back after 3 s; a transfer may take 30 s.

    So the failover takes those 3 s longer, and the round trip in which it asks what has become of
    everybody; it once took the 30 s (31.8 s where 4.7 s are right).
    """

    def promoted_ns(journal: Journal) -> int:
        steps = journal.of(FailoverChanged)
        return next(t_ns for t_ns, step in steps if step.trigger == "promoted")

    made = settings()
    killed = killed_when(state, made)
    asked_ns = next(t_ns for t_ns, _ in killed.of(Restart))
    begun_ns = next(t_ns for t_ns, _ in killed.of(TermBegun))
    assert begun_ns - asked_ns < SECOND // 100
    late_ns = promoted_ns(killed) - promoted_ns(run(made))
    assert late_ns == 3 * SECOND + (begun_ns - asked_ns)


def test_a_failover_that_was_under_way_is_over_sooner_if_it_is_remembered() -> None:
    ended = {}
    for remembers in ("everything", "nothing"):
        journal = killed_when("transferring", settings(remembers=remembers))
        ended[remembers] = max(t for t, s in journal.of(PartitionServed) if s.up)
    assert ended["everything"] <= ended["nothing"]


@pytest.mark.parametrize("remembers", ["everything", "snapshots", "nothing"])
def test_both_planes_and_stretches_and_replays_agree_on_it(remembers: str) -> None:
    dies = ObserverCrash(kind="observer-crash", every=lasting(13), for_=lasting(4))
    made = settings(dies, remembers=remembers)
    journal = assert_equal(both(made))
    single = run(dataclasses.replace(made, probes="single"))
    assert difference(single, singly(run(made))) is None
    assert len(list(journal.of(Restart))) > 5
    assert (remembers == "nothing") == (not list(journal.of(TakeSnapshot)))
    terms = [begun.term for _, begun in journal.of(TermBegun)]
    assert terms == sorted(set(terms))
    assert check(journal) == []
    assert replay_recorded(journal).difference is None
    fault = next(f for _, f in journal.of(FaultStarted) if f.kind == "observer-crash")
    assert (fault.masters, fault.others) == ((), ("observer",))


def test_one_that_is_cut_off_declares_everybody_failed_and_promotes_nobody() -> None:
    cut = ObserverPartition(kind="observer-partition", at=after(5), for_=lasting(60))
    journal = run(dataclasses.replace(settings(cut), faults=(cut,)))
    declared = {s.master for _, s in journal.of(StatusChanged) if s.new is Status.FAILED}
    assert declared == {"m1", "m2", "m3"}
    assert [t for t, _ in journal.of(Promote) if 5 * SECOND < t < 60 * SECOND] == []
    assert check(journal) == []


def test_one_that_is_slow_to_hear_takes_answers_for_missing() -> None:
    slow = ObserverSlow(kind="observer-slow", at=after(5), for_=lasting(30), by_ns=600_000_000)
    journal = run(dataclasses.replace(settings(slow), faults=(slow,)))
    assert {s.master for _, s in journal.of(StatusChanged) if s.new is Status.FAILED}
    quick = dataclasses.replace(slow, by_ns=100_000_000)
    calm = run(dataclasses.replace(settings(quick), faults=(quick,)))
    assert [s for _, s in calm.of(StatusChanged) if s.new is Status.FAILED] == []


def test_answers_to_one_that_died_are_refused_by_the_next() -> None:
    """The fence was ordered by the first; its confirmation comes to the second."""
    made = settings(remembers="nothing")
    device = FencingDeviceSettings(latency=lasting(4))
    made = dataclasses.replace(
        made, fencing_device=device, accession=AccessionSettings(patience_ns=SECOND // 5)
    )
    journal = killed_when("fencing", made)
    refused = [r for _, r in journal.of(InputRefused) if r.input == "FenceResult"]
    assert [r.reason for r in refused] == ["foreign: of term 1, the present one is 2"]
    assert len(list(journal.of(Fence))) >= 1
    assert all(served_at_last(journal).values())
