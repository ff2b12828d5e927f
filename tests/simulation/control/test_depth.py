"""What health checks ask for: a connection, an answer, work, a write; and who waits for a cure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hasim.events import ProbeReply, SendProbe, StatusChanged
from hasim.journal import Journal
from hasim.model import Cause, Status
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.simulation.laws import Constant, Lognormal
from hasim.simulation.settings import FixedRtt, NetworkSettings
from hasim.simulation.settings.faults import Crash, DiskStall, Fault, Hang, Slow
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.worlds import after, lasting, masters, run, traffic, world

EACH_4_S = detection(
    evidence=["probe"], interval_ns=4 * SECOND, fast_interval=None, timeout=None, fall=1, rise=1
)
HANG = Hang(kind="hang", target="m1", at=after(20), for_=lasting(10))


def journal_of(*faults: Fault, horizon_s: float = 60, replication: int = 0, **more: Any) -> Journal:
    health = {name: more.pop(name) for name in ("health", "health_work") if name in more}
    more.setdefault("detection", EACH_4_S)
    more.setdefault("failover", FailoverSettings(fencing=NoFencingSettings()))
    more.setdefault("masters", masters(2, service=Constant(mean_ns=20 * MILLISECOND), **health))
    network = NetworkSettings(rtt=FixedRtt(rtt_ns=MILLISECOND))
    made = world(horizon_s, network=network, traffic=traffic(0.01), faults=faults, **more)
    return run(made, replication=replication)


def failed_s(journal: Journal) -> list[float]:
    changes = journal.of(StatusChanged)
    return [t_ns / SECOND for t_ns, event in changes if event.new is Status.FAILED]


@pytest.mark.parametrize("fault", [HANG, Slow(kind="slow", at=after(20), speed=0.0001)])
def test_a_connection_is_accepted_whatever_the_process_does(fault: Fault) -> None:
    """The kernel accepts for a frozen process: such a check never fails."""
    assert not failed_s(journal_of(fault, health="tcp"))
    crash = Crash(kind="crash", target="m1", at=after(20), for_=lasting(10))
    (declared,) = failed_s(journal_of(crash, health="tcp"))
    assert 20 < declared < 24.1


@pytest.mark.parametrize("health", ["shallow", "deep"])
def test_a_probe_under_way_is_answered_when_a_hang_is_cured(health: str) -> None:
    """As messages are: the master is not declared failed after its cure."""
    short = Hang(kind="hang", target="m1", at=after(20), for_=lasting(2))
    answered = 0
    for probes in ("single", "stretches"):
        journal = journal_of(short, health=health, probes=probes)
        assert not failed_s(journal)
        soon = [
            t_ns
            for t_ns, item in journal.of(ProbeReply)
            if item.master == "m1" and 22 * SECOND <= t_ns < 22 * SECOND + 100 * MILLISECOND
        ]
        answered += len(soon)
    assert answered in (0, 2)  # alike both ways


def test_of_those_a_stuck_process_answers_the_one_that_is_waited_for() -> None:
    """A long hang: failed meanwhile; with the cure the check that waits passes at once."""
    recovered = []
    for replication in range(30):
        journal = journal_of(HANG, replication=replication)
        (back,) = (
            t_ns / SECOND - 30
            for t_ns, event in journal.of(StatusChanged)
            if event.new is Status.HEALTHY and t_ns > 20 * SECOND
        )
        recovered.append(back)
    at_once = [back for back in recovered if back < 0.01]
    # A check waits for 4 s, and 4 s pass until the next: half of the cures meet one that waits.
    assert 8 <= len(at_once) <= 22
    assert max(recovered) < 4.01


@pytest.mark.parametrize(("health", "seen"), [("deep", False), ("write", True)])
def test_only_a_check_that_writes_sees_a_disk_that_stands_still(health: str, seen: bool) -> None:
    stall = DiskStall(kind="disk-stall", target="m1", at=after(20), for_=lasting(20))
    assert bool(failed_s(journal_of(stall, health=health))) is seen


def test_a_crash_ends_the_wait_for_a_stuck_process() -> None:
    crash = Crash(kind="crash", target="m1", at=after(21), for_=lasting(9))
    causes = set()
    for replication in range(20):
        journal = journal_of(HANG, crash, replication=replication)
        replies = journal.of(ProbeReply)
        causes |= {item.cause for t_ns, item in replies if 21 <= t_ns / SECOND < 21.1}
    assert Cause.RESET in causes


def test_a_deep_check_is_as_much_work_as_a_message_unless_it_is_said() -> None:
    """900 ms of service and a timeout of 800 ms: every check fails."""
    checks = detection(
        evidence=["probe"], interval_ns=5 * SECOND, timeout_ns=800 * MILLISECOND, fall=1
    )
    slow = {"health": "deep", "service": Constant(mean_ns=900 * MILLISECOND)}
    journal = journal_of(masters=masters(2, **slow), detection=checks)
    assert failed_s(journal) == [0.8, 0.8]
    assert not list(journal.of(ProbeReply)) or all(
        item.cause is Cause.OK for _, item in journal.of(ProbeReply)
    )
    light = masters(2, **slow, health_work=Constant(mean_ns=MILLISECOND))
    assert not failed_s(journal_of(masters=light, detection=checks))


def test_the_work_of_a_check_follows_its_law() -> None:
    law = Lognormal(mean_ns=100 * MILLISECOND, cv=1.0)
    journal = journal_of(health="deep", health_work=law, horizon_s=20_000)
    assert np.mean(took_ns(journal)) / MILLISECOND == pytest.approx(101, rel=0.05)


def took_ns(journal: Journal) -> list[int]:
    """How long after they were sent probes were answered."""
    sent: dict[tuple[str, int], int] = {}
    found = []
    for record in journal.records:
        body = record.body
        if isinstance(body, SendProbe):
            sent[body.master, body.probe] = record.t_ns
        elif isinstance(body, ProbeReply):
            found.append(record.t_ns - sent[body.master, body.probe])
    return found
