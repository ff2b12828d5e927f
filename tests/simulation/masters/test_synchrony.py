"""Acknowledgements that wait for standbys: latency, loss and what becomes of it when they are away.

Closed forms: a write takes its service and the round trip to the standbys that are waited for.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.journal import Journal
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.simulation.laws import Constant
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import (
    FixedRtt,
    MasterSettings,
    NetworkSettings,
    PromotionSettings,
    ReplicationSettings,
    WorldSettings,
)
from hasim.simulation.settings.acknowledging import (
    Asynchronous,
    SemiSynchronous,
    Synchronous,
)
from hasim.simulation.settings.faults import (
    Crash,
    Hang,
    LatencySpike,
    NetworkPartition,
    ReplicationLag,
)
from hasim.truth import Acknowledging, MessageRecord, PartitionServed, WritesHeld, WritesLost
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.planes import assert_equal, both, even_phases, worlds
from tests.simulation.worlds import after, lasting, run, traffic, world

__all__ = ["even_phases"]

NEAR_NS, FAR_NS, SERVICE_NS = 2 * MILLISECOND, 40 * MILLISECOND, 20 * MILLISECOND
PLANES = pytest.mark.parametrize("plane", ["compiled", "reference"])
ALL = Synchronous(kind="synchronous", any=0)
ANY = Synchronous(kind="synchronous")


def cluster(mode: Any, plane: str, *, rate: float = 10, **more: Any) -> WorldSettings:
    """m1 owns p1; m2 stands by at its site, m3 far away."""
    service = Constant(mean_ns=SERVICE_NS)
    masters = tuple(
        MasterSettings(
            id=name,
            priority=number,
            region=region,
            workers=64,
            service=service,
            standby=number > 1,
        )
        for number, (name, region) in enumerate(
            [("m1", "here"), ("m2", "here"), ("m3", "there")], start=1
        )
    )
    replication = {"copies": 2, "lag_ns": SECOND, "acknowledge": mode}
    replication |= more.pop("replication", {})
    return world(
        more.pop("horizon_s", 40),
        masters=masters,
        network=NetworkSettings(rtt=FixedRtt(rtt_ns=FAR_NS), local_rtt_ns=NEAR_NS),
        traffic=traffic(
            rate, owned=1.0, regions=("here",), timeout_ns=15 * SECOND, deadline_ns=15 * SECOND
        ),
        replication=ReplicationSettings(**replication),
        detection=more.pop("detection", detection(evidence=("probe",), interval_ns=10**13)),
        data_plane=plane,
        **more,
    )


def latencies_ns(journal: Journal, first_s: float = 0, last_s: float = 1e9) -> set[int]:
    """Of the messages that arrived between two times and were answered."""
    return {
        m.ended_ns - m.arrived_ns
        for _, m in journal.of(MessageRecord)
        if first_s <= m.arrived_ns / SECOND < last_s and m.outcome == "ok"
    }


WAITS = [
    (Asynchronous(kind="asynchronous"), 0),
    (ANY, NEAR_NS),
    (ALL, FAR_NS),
    (Synchronous(kind="synchronous", any=2), FAR_NS),
    (Synchronous(kind="synchronous", standbys=("m3",)), FAR_NS),
    (Synchronous(kind="synchronous", level="received", flush_ns=3 * MILLISECOND), NEAR_NS),
    (Synchronous(kind="synchronous", flush_ns=3 * MILLISECOND), NEAR_NS + 3 * MILLISECOND),
    (
        Synchronous(kind="synchronous", level="applied", flush_ns=3 * MILLISECOND),
        NEAR_NS + 8 * MILLISECOND,
    ),
    (SemiSynchronous(kind="semi-synchronous"), NEAR_NS),
    (SemiSynchronous(kind="semi-synchronous", replicas=2), FAR_NS),
]


@PLANES
@pytest.mark.parametrize(("mode", "wait_ns"), WAITS)
def test_a_write_takes_its_service_and_the_round_trip_to_those_it_waits_for(
    mode: Any, wait_ns: int, plane: str
) -> None:
    settings = cluster(mode, plane, horizon_s=20, replication={"apply_ns": 5 * MILLISECOND}, rate=5)
    found = latencies_ns(run(settings, messages=True))
    assert found == {NEAR_NS + SERVICE_NS + wait_ns}


@PLANES
def test_nothing_is_waited_for_that_fails_or_is_no_write(plane: str) -> None:
    settings = cluster(ALL, plane, horizon_s=20)
    asked = dataclasses.replace(settings.traffic, owned=0.5, client_errors=0.5)
    messages = run(dataclasses.replace(settings, traffic=asked), messages=True).of(MessageRecord)
    writes = {"ok": set(), "client_error": set()}
    for _, message in messages:
        if message.partition and message.outcome in writes:
            writes[message.outcome].add(message.ended_ns - message.arrived_ns)
    assert writes["ok"] == {NEAR_NS + SERVICE_NS + FAR_NS}
    assert writes["client_error"] == {NEAR_NS + SERVICE_NS}


@PLANES
@pytest.mark.parametrize(
    ("fault", "wait_ns"),
    [
        (Crash(kind="crash", target="m2", at=after(10), for_=lasting(10)), FAR_NS),
        (Hang(kind="hang", target="m2", at=after(10), for_=lasting(10)), FAR_NS),
        (
            ReplicationLag(
                kind="replication-lag",
                target="m2",
                at=after(10),
                for_=lasting(10),
                extra_ns=100 * MILLISECOND,
            ),
            FAR_NS,
        ),
        (
            LatencySpike(
                kind="latency-spike",
                target="m3",
                at=after(10),
                for_=lasting(10),
                extra_ns=MILLISECOND,
            ),
            NEAR_NS,
        ),
    ],
)
def test_of_any_the_nearest_that_is_there(fault: Any, wait_ns: int, plane: str) -> None:
    found = run(cluster(ANY, plane, horizon_s=30, faults=(fault,)), messages=True)
    assert latencies_ns(found, 0, 9) == {NEAR_NS + SERVICE_NS + NEAR_NS}
    assert latencies_ns(found, 11, 19) == {NEAR_NS + SERVICE_NS + wait_ns}
    assert latencies_ns(found, 25) == {NEAR_NS + SERVICE_NS + NEAR_NS}


@PLANES
def test_writes_hang_until_all_are_back(plane: str) -> None:
    fault = Crash(kind="crash", target="m3", at=after(10), for_=lasting(4))
    found = run(cluster(ALL, plane, faults=(fault,)), messages=True)
    held = [m for _, m in found.of(MessageRecord) if 10.1 < m.arrived_ns / SECOND < 13]
    assert held
    # It counts again when the writes that it lacks have come: after its lag, and half a trip.
    back_ns = 14 * SECOND + SECOND + FAR_NS // 2
    ended = {m.ended_ns for m in held}
    assert min(ended) >= back_ns
    assert max(ended) - back_ns < 10 * MILLISECOND
    (down,) = [t for t, row in found.of(PartitionServed) if not row.up and row.reason]
    assert down == 10 * SECOND


@PLANES
def test_the_list_shrinks_to_those_that_are_there(plane: str) -> None:
    mode = dataclasses.replace(ALL, if_missing="shrink", shrink_after_ns=3 * SECOND)
    fault = Crash(kind="crash", target="m3", at=after(10), for_=lasting(20))
    found = run(cluster(mode, plane, faults=(fault,)), messages=True)
    first = [m for _, m in found.of(MessageRecord) if 10.1 < m.arrived_ns / SECOND < 12.9]
    assert {m.ended_ns for m in first} == {13 * SECOND + NEAR_NS // 2}
    assert latencies_ns(found, 14, 29) == {NEAR_NS + SERVICE_NS + NEAR_NS}
    assert latencies_ns(found, 33) == {NEAR_NS + SERVICE_NS + FAR_NS}


@PLANES
@pytest.mark.parametrize("gone", ["crash", "hang"])
@pytest.mark.parametrize("patient", [True, False])
def test_semi_synchronous_waits_for_the_timeout_once(gone: str, patient: bool, plane: str) -> None:
    mode = SemiSynchronous(
        kind="semi-synchronous", replicas=2, timeout_ns=3 * SECOND, wait_no_replica=patient
    )
    kind = {"crash": Crash, "hang": Hang}[gone]
    fault = kind(kind=gone, target="m3", at=after(10), for_=lasting(15))
    found = run(cluster(mode, plane, faults=(fault,)), messages=True)
    written = sorted(
        m.arrived_ns + NEAR_NS // 2 + SERVICE_NS
        for _, m in found.of(MessageRecord)
        if m.outcome == "ok"
    )
    # The first that waited for m3 in vain: written before its end, acknowledged after it.
    first_ns = next(t for t in written if t + FAR_NS > 10 * SECOND)
    off_ns = [t for t, row in found.of(Acknowledging) if not row.held and not row.standbys]
    at_once = gone == "crash" and not patient  # a connection that hangs is still there
    assert off_ns == [10 * SECOND if at_once else first_ns + mode.timeout_ns]
    assert latencies_ns(found, 14, 24) == {NEAR_NS + SERVICE_NS}
    assert latencies_ns(found, 28) == {NEAR_NS + SERVICE_NS + FAR_NS}


def lost(journal: Journal) -> int:
    """Acknowledged writes that were lost."""
    return sum(row.writes for _, row in journal.of(WritesLost))


def failing(mode: Any, plane: str, *more: Any, **others: Any) -> WorldSettings:
    """The owner crashes for good after 20 s, and m2 takes over."""
    crash = Crash(kind="crash", target="m1", at=after(20.0005), for_=lasting(1000))
    return cluster(
        mode,
        plane,
        rate=50,
        faults=(crash, *more),
        detection=detection(evidence=("probe",), interval_ns=SECOND, timeout_ns=SECOND // 2),
        promotion=PromotionSettings(duration=Constant(mean_ns=0)),
        **others,
    )


@PLANES
@pytest.mark.parametrize("mode", [ANY, ALL, SemiSynchronous(kind="semi-synchronous")])
def test_who_waits_for_a_standby_loses_nothing_to_it(mode: Any, plane: str) -> None:
    found = run(failing(mode, plane))
    assert lost(found) == 0
    (held,) = [row for _, row in found.of(WritesHeld)]
    assert held.acknowledged == held.held > 900


@PLANES
def test_asynchronous_loses_what_was_acknowledged_within_the_lag(plane: str) -> None:
    found = run(failing(Asynchronous(kind="asynchronous"), plane))
    (row,) = [row for _, row in found.of(WritesLost)]
    assert 30 < row.writes < 70  # 50/s for the lag of a second
    assert row.lost_bytes == row.writes * 4096
    assert row.since_ns >= SECOND


@PLANES
def test_after_the_timeout_only_what_was_acknowledged_since_is_lost(plane: str) -> None:
    mode = SemiSynchronous(kind="semi-synchronous", timeout_ns=SECOND)
    apart = [
        NetworkPartition(kind="partition", target=name, at=after(10), for_=lasting(15), scope="all")
        for name in ("m2", "m3")
    ]
    settings = failing(mode, plane, *apart)
    found = run(settings, messages=True)
    off_ns = next(t for t, row in found.of(Acknowledging) if not (row.held or row.standbys))
    assert 11 < off_ns / SECOND < 11.2
    since = sum(
        1
        for _, m in found.of(MessageRecord)
        if m.master == "m1" and m.outcome == "ok" and m.ended_ns - NEAR_NS // 2 >= off_ns
    )
    assert lost(found) == since > 300


@PLANES
def test_an_owner_that_is_cut_off_acknowledges_nothing_beside_the_new_one(plane: str) -> None:
    """Without fencing two masters accept writes, but the old one has nobody to wait for."""
    apart = NetworkPartition(
        kind="partition", target="m1", at=after(10), for_=lasting(20), scope="monitor"
    )
    settings = cluster(
        ANY,
        plane,
        faults=(apart,),
        detection=detection(evidence=("probe",), interval_ns=SECOND, timeout_ns=SECOND // 2),
        failover=FailoverSettings(fencing=NoFencingSettings()),
    )
    assert lost(run(settings)) == 0
    free = dataclasses.replace(
        settings,
        replication=dataclasses.replace(
            settings.replication, acknowledge=Asynchronous(kind="asynchronous")
        ),
    )
    assert lost(run(free)) > 0


MODES = st.one_of(
    st.builds(
        SemiSynchronous,
        kind=st.just("semi-synchronous"),
        replicas=st.sampled_from([1, 2]),
        timeout_ns=st.sampled_from([10 * MILLISECOND, 50 * MILLISECOND, SECOND]),
        wait_no_replica=st.booleans(),
    ),
    st.builds(
        Synchronous,
        kind=st.just("synchronous"),
        any=st.sampled_from([0, 1, 2]),
        standbys=st.sampled_from([(), ("m2",), ("m1", "m2")]),
        level=st.sampled_from(["received", "flushed", "applied"]),
        flush_ns=st.sampled_from([0, 10 * MILLISECOND]),
        if_missing=st.sampled_from(["hang", "shrink"]),
        shrink_after_ns=st.sampled_from([0, 500 * MILLISECOND]),
    ),
)


@settings(max_examples=30, deadline=None)
@given(worlds(), MODES)
def test_both_planes_wait_alike(drawn: tuple[WorldSettings, Recorded], mode: Any) -> None:
    made, recorded = drawn
    owned = dataclasses.replace(made.traffic, owned=max(0.5, made.traffic.owned))
    waiting = dataclasses.replace(
        made,
        traffic=owned,
        replication=dataclasses.replace(made.replication, copies=2, acknowledge=mode),
    )
    assert_equal(both(waiting, recorded))
