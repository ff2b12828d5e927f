"""Noise: a master, its links or the control plane stand still for a moment."""

from __future__ import annotations

import itertools
import math

import pytest

from hasim.events import Heartbeat, ProbeReply, SendProbe, StatusChanged
from hasim.measures import measure
from hasim.model import Cause, Status
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import simulate
from hasim.simulation.settings import NetworkSettings, WorldSettings
from hasim.simulation.settings.faults import (
    Crash,
    LinkStall,
    ObserverStall,
    RepairSettings,
    Stall,
)
from hasim.simulation.settings.recordings import OutageTrace
from hasim.truth import AttemptRollup, FaultCured, FaultStarted, PartitionServed
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.control.test_stretches import assert_alike
from tests.simulation.planes import assert_equal, both
from tests.simulation.worlds import after, lasting, masters, run, traffic, world

PLANES = pytest.mark.parametrize("plane", ["compiled", "reference"])


def stalled(lasting_s: float, **more: object) -> WorldSettings:
    fault = Stall(kind="stall", target="m1", at=after(10), for_=lasting(lasting_s))
    return world(
        30,
        faults=(fault,),
        masters=masters(2, service=Constant(mean_ns=10 * MILLISECOND)),
        traffic=traffic(20, timeout_ns=2 * SECOND),
        **more,
    )


@PLANES
def test_who_waits_through_a_short_stall_is_answered(plane: str) -> None:
    seldom = detection(interval_ns=20 * SECOND, evidence=("probe",), fall=9)
    journal = run(stalled(1.5, data_plane=plane, detection=seldom))
    assert {a.cause for _, a in journal.of(AttemptRollup)} == {Cause.OK}
    assert {p.reason for _, p in journal.of(PartitionServed)} <= {"", "unrouted"}  # at the start


@PLANES
def test_a_stall_longer_than_clients_wait_is_downtime_and_its_declaration_a_mistake(
    plane: str,
) -> None:
    journal = run(stalled(6, data_plane=plane, detection=detection(interval_ns=SECOND, fall=2)))
    down = [(p.owner, p.reason) for t, p in journal.of(PartitionServed) if not p.up and t > SECOND]
    assert down[0] == ("m1", "stall")
    found = measure(journal)
    assert [(m.master, m.fault_kind) for m in found.mistakes] == [("m1", "stall")]
    assert found.incidents == ()


def test_mistakes_come_by_the_law_of_the_stalls() -> None:
    """Checks each T: P(at least two fall into a stall) = e^(-T/m) (1 - e^(-T/m)) m / T."""
    mean_ns, count = SECOND, 4
    fault = Stall(
        kind="stall",
        target="each",
        every=Exponential(mean_ns=20 * SECOND),
        for_=Exponential(mean_ns=mean_ns),
    )
    journal = run(
        world(
            21_000,
            count,
            faults=(fault,),
            traffic=traffic(1e-5),
            detection=detection(
                evidence=("probe",),
                interval_ns=SECOND,
                fast_interval_ns=SECOND,
                timeout_ns=5 * MILLISECOND,
                fall=2,
            ),
            network=NetworkSettings(local_rtt_ns=MILLISECOND),
        )
    )
    stalls = sum(1 for _ in journal.of(FaultStarted))
    expected = stalls * math.exp(-1) * (1 - math.exp(-1))
    declared = sum(e.new is Status.FAILED for _, e in journal.of(StatusChanged))
    assert stalls > 3500
    assert declared == pytest.approx(expected, abs=4 * math.sqrt(expected))


def test_a_link_holds_packets_until_its_stall_is_over() -> None:
    fault = LinkStall(kind="link-stall", target="m1", at=after(10), for_=lasting(3))
    far = NetworkSettings(local_rtt_ns=200 * MILLISECOND)
    checks = detection(interval_ns=SECOND, timeout_ns=5 * SECOND, evidence=("probe", "heartbeat"))
    settings = world(20, 2, faults=(fault,), network=far, traffic=traffic(20), detection=checks)
    journal = assert_equal(both(settings))
    assert_alike(settings)
    beats = [t for t, h in journal.of(Heartbeat) if h.master == "m1"]
    inside = [t for t in beats if 10 * SECOND < t <= 13.1 * SECOND]
    # What was sent before is there in time; the rest comes one crossing after the end.
    assert [t for t in inside if t > 10.1 * SECOND] == [13.1 * SECOND] * 3
    sent = next(t for t, p in journal.of(SendProbe) if p.master == "m1" and t > 10 * SECOND)
    back = next(t for t, p in journal.of(ProbeReply) if p.master == "m1" and t > sent)
    assert sent < 13 * SECOND
    assert back == 13.2 * SECOND


def test_a_control_plane_that_stands_still_hears_all_when_it_goes_on() -> None:
    faults = (
        ObserverStall(kind="observer-stall", at=after(10), for_=lasting(4)),
        Crash(kind="crash", target="m1", at=after(11), for_=lasting(100)),
    )
    settings = world(
        30, faults=faults, traffic=traffic(20), detection=detection(interval_ns=SECOND, fall=2)
    )
    journal = assert_equal(both(settings))
    assert_alike(settings)
    quiet = [r for r in journal.records if 10 * SECOND < r.t_ns < 14 * SECOND]
    assert {r.lane for r in quiet} == {"truth"}
    declared = [t for t, e in journal.of(StatusChanged) if e.new is Status.FAILED]
    assert declared[0] == 14 * SECOND  # messages and checks that failed meanwhile
    started = [fault for _, fault in journal.of(FaultStarted)]
    assert [(f.kind, f.masters, f.others, f.impairing) for f in started] == [
        ("observer-stall", (), ("observer",), False),
        ("crash", ("m1",), (), True),
    ]


def test_stalls_are_replayed_from_a_trace() -> None:
    trace = OutageTrace(trace="pauses.csv")
    fault = Stall(kind="stall", target="m1", schedule=trace)
    pauses = [(n * 10 * SECOND, n * 10 * SECOND + n * 100 * MILLISECOND) for n in range(1, 20)]
    journal = simulate(
        world(60, faults=(fault,)), Recorded(outages={0: [pauses]}), seed=1, replication=0
    )
    started = {f.fault: t for t, f in journal.of(FaultStarted)}
    lengths = [t - started[c.fault] for t, c in journal.of(FaultCured)]
    assert len(lengths) >= 4
    steps = {b - a for a, b in itertools.pairwise(lengths)}
    assert steps == {100 * MILLISECOND}


def test_stalls_keep_no_crew_busy_and_wait_for_none() -> None:
    faults = (
        Crash(kind="crash", target="m1", at=after(5), for_=lasting(10)),
        Stall(kind="stall", target="m2", at=after(6), for_=lasting(1)),
    )
    journal = run(world(30, faults=faults, repair=RepairSettings(crews=1)))
    assert [(t // SECOND, f.fault) for t, f in journal.of(FaultCured)] == [(7, 2), (15, 1)]
