"""What faults do to masters, messages and state, each against what must follow."""

from __future__ import annotations

import itertools

import pytest

from hasim.events import (
    FailoverChanged,
    OwnerChanged,
    Promote,
    PromoteResult,
    StatusChanged,
    TransferState,
)
from hasim.model import Cause, Status
from hasim.oracle import check
from hasim.services.failover import ConfirmedSettings, FailoverSettings, NoFencingSettings
from hasim.simulation.laws import Constant
from hasim.simulation.masters.state import NO_COPY
from hasim.simulation.settings import (
    FencingDeviceSettings,
    MasterSettings,
    NetworkSettings,
    PromotionSettings,
    ReplicationSettings,
    RetrySettings,
)
from hasim.simulation.settings.faults import (
    BackupDies,
    Crash,
    ErrorRate,
    Hang,
    LatencySpike,
    NetworkPartition,
    PowerOff,
    RegionOutage,
    Slow,
    TransferFailure,
)
from hasim.truth import (
    AttemptRollup,
    FaultStarted,
    MasterFenced,
    MessageRecord,
    PartitionServed,
    TrafficRollup,
    Writers,
    WritesHeld,
    WritesLost,
)
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.worlds import after, build, lasting, masters, order, run, traffic, world


def states(journal) -> list[str]:
    return [e.new for _, e in journal.of(FailoverChanged)]


def outages(journal, partition: str) -> list[tuple[float, bool, str]]:
    return [
        (round(t / SECOND, 3), e.up, e.reason)
        for t, e in journal.of(PartitionServed)
        if e.partition == partition
    ]


def crash(target: str = "m1", at: float = 20, for_: float = 1000) -> Crash:
    return Crash(kind="crash", target=target, at=after(at), for_=lasting(for_))


def test_a_crash_is_failed_over_once_and_writes_stop_at_the_fence() -> None:
    journal = run(world(60, traffic=traffic(30, owned=1.0), faults=(crash(),)))
    assert states(journal)[-1] == "completed"
    (moved,) = [e for _, e in journal.of(OwnerChanged)]
    assert (moved.partition, moved.owner) == ("p1", "m2")
    up = [entry for entry in outages(journal, "p1") if entry[1]]
    assert len(up) == 2  # at the start, and after the failover


def test_a_crashed_master_finishes_nothing_afterwards() -> None:
    """What was queued and in service is lost, and counted as reset."""
    slow_service = Constant(mean_ns=400 * MILLISECOND)
    settings = world(
        40,
        masters=masters(3, service=slow_service, workers=1),
        traffic=traffic(6, owned=1.0),
        faults=(crash(at=20.0001),),
    )
    resets = []
    for replication in range(5):
        journal = run(settings, replication=replication, messages=True)
        ended_at_m1 = [
            m.ended_ns
            for _, m in journal.of(MessageRecord)
            if m.master == "m1" and m.outcome == Cause.OK
        ]
        # An answer that left before the crash may still be on the wire for half a round trip.
        assert max(ended_at_m1) <= 20.0001 * SECOND + MILLISECOND
        resets += [a for _, a in journal.of(AttemptRollup) if a.cause is Cause.RESET]
    assert {a.master for a in resets} == {"m1"}
    assert sum(a.attempts for a in resets) > 0


def test_every_message_is_accounted_for() -> None:
    settings = world(
        60,
        traffic=traffic(40, owned=0.5, retry=RetrySettings(attempts=3)),
        faults=(crash(for_=10), Hang(kind="hang", target="m2", at=after(25), for_=lasting(9))),
    )
    journal = run(settings, messages=True)
    offered = sum(1 for _ in journal.of(MessageRecord))
    assert offered == sum(row.messages for _, row in journal.of(TrafficRollup)) > 2000


def test_a_short_hang_keeps_its_work_and_answers_late() -> None:
    """A hang accepts and never answers; after the cure the frozen work goes on."""
    settings = world(
        40,
        masters=masters(1, service=Constant(mean_ns=100 * MILLISECOND)),
        traffic=traffic(10, owned=0.0, timeout_ns=20 * SECOND, deadline_ns=20 * SECOND),
        detection=detection(timeout_ns=20 * SECOND),
        faults=(Hang(kind="hang", target="m1", at=after(10), for_=lasting(5)),),
    )
    journal = run(settings, messages=True)
    records = [m for _, m in journal.of(MessageRecord)]
    assert all(m.outcome == Cause.OK for m in records if m.arrived_ns < 15 * SECOND)
    during = [m for m in records if 10 * SECOND < m.arrived_ns < 14.9 * SECOND]
    assert during
    assert all(m.ended_ns > 15 * SECOND for m in during)


def test_power_off_is_silence() -> None:
    fault = PowerOff(kind="power-off", target="m1", at=after(20), for_=lasting(1000))
    journal = run(world(50, traffic=traffic(30), faults=(fault,)))
    causes = {a.cause for _, a in journal.of(AttemptRollup) if a.master == "m1"}
    assert causes == {Cause.OK, Cause.TIMEOUT}
    failed = next(e for _, e in journal.of(StatusChanged) if e.new is Status.FAILED)
    assert failed.diagnosis == "unreachable"


def test_slow_halves_throughput() -> None:
    """One worker of 100 ms at speed 0.5 finishes five messages a second, not ten."""
    settings = world(
        100,
        masters=masters(1, service=Constant(mean_ns=100 * MILLISECOND), workers=1, queue=0),
        traffic=traffic(200, owned=0.0, timeout_ns=5 * SECOND),
        faults=(Slow(kind="slow", target="m1", speed=0.5, at=after(0), for_=lasting(1000)),),
    )
    answered = sum(a.attempts for _, a in run(settings).of(AttemptRollup) if a.cause is Cause.OK)
    assert answered == pytest.approx(100 / 0.2, rel=0.03)  # gaps between jobs are 5 ms at 200/s


def test_error_rate_fails_its_share() -> None:
    settings = world(
        100,
        masters=masters(1),
        traffic=traffic(60, owned=0.0),
        faults=(
            ErrorRate(kind="error-rate", target="m1", rate=0.3, at=after(0), for_=lasting(1000)),
        ),
    )
    counts = {a.cause: a.attempts for _, a in run(settings).of(AttemptRollup)}
    share = counts[Cause.ERROR] / (counts[Cause.ERROR] + counts[Cause.OK])
    assert share == pytest.approx(0.3, abs=4 * (0.21 / 6000) ** 0.5)


@pytest.mark.parametrize(
    ("scope", "direction", "declared", "served"),
    [
        ("all", "both", True, False),
        ("monitor", "both", True, True),
        ("monitor", "from", True, True),
        ("clients", "to", True, False),
    ],
)
def test_partitions(scope, direction, declared: bool, served: bool) -> None:
    fault = NetworkPartition(
        kind="partition",
        target="m1",
        scope=scope,
        direction=direction,
        at=after(20),
        for_=lasting(1000),
    )
    journal = run(world(80, traffic=traffic(60), faults=(fault,)))
    first = [t for t, e in journal.of(StatusChanged) if e.new is Status.FAILED]
    assert bool(first) == declared
    before = [
        e.up for t, e in journal.of(PartitionServed) if e.partition == "p1" and t <= 20 * SECOND
    ]
    assert before[-1] == served
    (started,) = [e for _, e in journal.of(FaultStarted)]
    assert started.impairing == (scope != "monitor")


def test_a_region_outage_takes_all_its_masters_and_only_them() -> None:
    settings = world(
        60,
        masters=(
            MasterSettings(id="a1", region="a", priority=1),
            MasterSettings(id="a2", region="a", priority=2),
            MasterSettings(id="b1", region="b", priority=3),
        ),
        traffic=traffic(40, regions=("a", "b", "c")),
        faults=(
            RegionOutage(kind="region-outage", target="region:a", at=after(20), for_=lasting(1000)),
        ),
    )
    journal = run(settings)
    (started,) = [e for _, e in journal.of(FaultStarted)]
    assert started.masters == ("a1", "a2")
    owners = {e.partition: e.owner for _, e in journal.of(OwnerChanged)}
    assert owners == {"p1": "b1", "p2": "b1"}


def test_a_backup_that_dies_is_fenced_and_the_next_one_takes_over() -> None:
    faults = (
        crash(),
        BackupDies(kind="backup-dies", target="all", at=after(0), for_=lasting(1000)),
    )
    journal = run(world(80, count=4, traffic=traffic(30), faults=faults))
    first = [e for _, e in journal.of(FailoverChanged) if e.failover == 1]
    assert [new for new, _ in itertools.groupby(e.new for e in first)] == [
        "declared",
        "fencing",
        "selecting",
        "transferring",
        "promoting",
        "rolling-back",
        # Asked to step down while it is thought healthy, and powered off once it is not.
        "fencing",  # the demotion is refused: nobody knows whether it was promoted
        "selecting",
        "transferring",
        "promoting",
        "redirecting",
        "verifying",
        "completed",
    ]
    assert first[-1].candidate == "m3"
    assert [e.master for _, e in journal.of(MasterFenced)][:2] == ["m1", "m2"]


def test_a_torn_transfer_is_rolled_back_and_the_next_candidate_gets_it_whole() -> None:
    faults = (
        crash(),
        TransferFailure(kind="transfer-failure", target="m2", at=after(0), for_=lasting(1000)),
    )
    journal = run(world(60, traffic=traffic(30), faults=faults))
    torn = next(e for _, e in journal.of(FailoverChanged) if e.trigger == "torn")
    assert torn.candidate == "m2"
    assert "bytes arrived" in torn.reason
    assert {e.owner for _, e in journal.of(OwnerChanged)} == {"m3"}


@pytest.mark.parametrize("lag_s", [0.02, 3.0])
def test_lost_writes_are_those_of_the_last_lag(lag_s: float) -> None:
    """Asynchronous replication loses what was acknowledged within the lag, and no more."""
    settings = world(
        60,
        masters=masters(3, service=Constant(mean_ns=MILLISECOND)),
        traffic=traffic(300, owned=1.0),
        replication=ReplicationSettings(lag_ns=round(lag_s * SECOND)),
        faults=(crash(),),
    )
    journal = run(settings, messages=True)
    # Acknowledged by m1 for p1 within the lag plus one local crossing before the crash.
    window = 20 * SECOND - round(lag_s * SECOND) - settings.network.local_rtt_ns // 2
    expected = sum(
        1
        for _, m in journal.of(MessageRecord)
        if m.master == "m1"
        and m.outcome == Cause.OK
        and m.ended_ns - settings.network.local_rtt_ns // 2 > window
    )
    lost = sum(e.writes for _, e in journal.of(WritesLost))
    assert lost == expected
    assert (lost > 100) == (lag_s > 1)
    for _, held in journal.of(WritesHeld):
        gone = sum(e.writes for _, e in journal.of(WritesLost) if e.partition == held.partition)
        assert held.acknowledged == held.held + gone


def test_without_fencing_an_isolated_owner_makes_a_split_brain_and_with_it_none() -> None:
    fault = NetworkPartition(
        kind="partition", target="m1", at=after(20), for_=lasting(30), scope="monitor"
    )

    def most_writers(fencing) -> int:
        settings = world(
            90,
            traffic=traffic(30),
            failover=FailoverSettings(fencing=fencing),
            faults=(fault,),
        )
        return max(len(e.masters) for _, e in run(settings).of(Writers))

    assert most_writers(NoFencingSettings()) == 2
    assert most_writers(ConfirmedSettings()) == 1


def test_a_fencing_device_that_always_fails_ends_in_no_promotion() -> None:
    settings = world(
        90,
        traffic=traffic(30),
        fencing_device=FencingDeviceSettings(fails=1.0),
        faults=(crash(),),
    )
    journal = run(settings)
    assert "failed" in states(journal)
    assert not list(journal.of(OwnerChanged))


def test_nobody_left_waits_and_recovers_when_the_faults_stop() -> None:
    """Two of two masters die; when they are back every partition is served again."""
    settings = world(
        200,
        count=2,
        traffic=traffic(30),
        faults=(crash("m1", 20, 60), crash("m2", 20.5, 60)),
    )
    journal = run(settings)
    assert "waiting" in states(journal)
    last = {e.partition: e.up for _, e in journal.of(PartitionServed)}
    assert last == {"p1": True, "p2": True}


def test_a_promotion_dies_with_the_process_that_was_told() -> None:
    """The backup crashes and is back before it has promoted itself: it knows nothing of it."""
    slow = PromotionSettings(duration=Constant(mean_ns=2 * SECOND))
    calm = run(world(60, traffic=traffic(30), faults=(crash(),), promotion=slow))
    told_ns, order = next((t, e) for t, e in calm.of(Promote))
    blip = crash(order.target, told_ns / SECOND + 0.5, 0.2)
    journal = run(world(60, traffic=traffic(30), faults=(crash(), blip), promotion=slow))
    assert next((t, e) for t, e in journal.of(Promote)) == (told_ns, order)
    answered = {(e.failover, e.epoch) for _, e in journal.of(PromoteResult)}
    assert (order.failover, order.epoch) not in answered
    assert (order.failover, order.epoch) in {
        (e.failover, e.epoch) for _, e in calm.of(PromoteResult)
    }


def test_an_order_on_the_wire_does_not_reach_a_restarted_process() -> None:
    made = build(world(10, network=NetworkSettings(local_rtt_ns=2 * SECOND)))
    crashed = made.masters["m2"]

    def die(amount: int) -> None:
        crashed.crashes += amount
        crashed.update_condition()

    order(made, Promote(1, ("p1",), "m2", 2))
    made.env.run(until=SECOND // 2)
    die(+1)
    die(-1)
    made.env.run(until=5 * SECOND)
    assert "p1" not in crashed.primaries
    order(made, Promote(1, ("p1",), "m2", 2))
    made.env.run(until=9 * SECOND)
    assert "p1" in crashed.primaries


def test_writes_that_an_old_owner_goes_on_to_acknowledge_are_counted_as_lost() -> None:
    """Without fencing: what m1 has in service when m2 takes over is acknowledged by m1 alone."""
    settings = world(
        60,
        masters=masters(3, service=Constant(mean_ns=400 * MILLISECOND), workers=200),
        traffic=traffic(200, owned=1.0),
        failover=FailoverSettings(fencing=NoFencingSettings()),
        faults=(
            NetworkPartition(
                kind="partition", target="m1", at=after(20), for_=lasting(30), scope="monitor"
            ),
        ),
    )
    journal = run(settings)
    lost = [e for _, e in journal.of(WritesLost) if e.partition == "p1"]
    (held,) = [e for _, e in journal.of(WritesHeld) if e.partition == "p1"]
    assert held.acknowledged - held.held == sum(e.writes for e in lost) > 10
    assert [v for v in check(journal) if v.invariant == 2] == []


@pytest.mark.parametrize(("extra_ms", "up"), [(300, True), (980, True), (1000, False)])
def test_a_partition_is_down_while_its_answers_come_too_late(extra_ms: int, up: bool) -> None:
    """Twice the extra latency, the 1 ms round trip and 20 ms of service against 2 s of patience."""
    spike = LatencySpike(
        kind="latency-spike",
        target="m1",
        extra_ns=extra_ms * MILLISECOND,
        at=after(5),
        for_=lasting(5),
    )
    journal = run(world(9, traffic=traffic(1), faults=(spike,)))
    last = {e.partition: e for _, e in journal.of(PartitionServed)}
    assert last["p1"].up == up
    assert last["p1"].reason == ("" if up else "latency")
    assert last["p2"].up


def test_a_torn_transfer_leaves_nothing_behind() -> None:
    """All partitions of a transfer arrive, or none: p1's copy must not sneak in without p3's."""
    made = build(world(10, count=4, replication=ReplicationSettings(copies=1)))
    # m4 holds no copy; of p1 there is one at m2, of p3 at m3, which hangs half-way.
    order(made, TransferState(1, ("p1", "p3"), "m4", ("m2", "m3")))
    made.env.run(until=SECOND // 10)
    made.masters["m3"].hangs += 1
    made.masters["m3"].update_condition()
    made.env.run(until=5 * SECOND)
    held = [made.front.partitions.states[p].position(made.env.now, "m4") for p in ("p1", "p3")]
    assert held == [NO_COPY, NO_COPY]


def test_a_master_that_received_its_first_copy_is_a_standby_from_then_on() -> None:
    """Without waiting for something else to change."""
    made = build(world(20, replication=ReplicationSettings(copies=1), traffic=traffic(50, owned=1)))
    order(made, TransferState(1, ("p1",), "m3", ("m1",)))
    made.messages.run(20 * SECOND)
    state = made.front.partitions.states["p1"]
    assert state.position(made.env.now, "m3") == state.position(made.env.now, "m2") > 100
