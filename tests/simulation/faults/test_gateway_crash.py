"""A gateway is killed and started anew: nobody is found, then it is sent the routing."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hasim.events import GatewayHello, GatewayReport, OwnerChanged, PublishRouting, RoutingAck
from hasim.journal import Journal
from hasim.model import Cause
from hasim.scenario.checks import world_problems
from hasim.services.failover import ConfirmedSettings, FailoverSettings
from hasim.simulation.settings import FencingDeviceSettings, WorldSettings
from hasim.simulation.settings.faults import Crash, GatewayCrash
from hasim.truth import FaultStarted, MessageRecord, PartitionServed
from hasim.units import SECOND
from tests.services.bench import detection
from tests.simulation.planes import assert_equal, both
from tests.simulation.worlds import after, lasting, masters, traffic, world


def crashing(**more: Any) -> WorldSettings:
    """m1 crashes and p1 moves; later the eastern gateway dies for 20 s."""
    regions = tuple(dataclasses.replace(m, region="west") for m in masters(3))
    gateway = GatewayCrash(kind="gateway-crash", target="east", at=after(60), for_=lasting(20))
    return world(
        120,
        masters=regions,
        traffic=traffic(20, regions=("west", "east"), owned=0.5),
        detection=detection(interval="2s"),
        failover=FailoverSettings(fencing=ConfirmedSettings()),
        fencing_device=FencingDeviceSettings(latency=lasting(1), restart=lasting(300)),
        faults=(Crash(kind="crash", target="m1", at=after(20), for_=lasting(1000)), gateway),
        **more,
    )


@pytest.fixture(scope="module")
def journal() -> Journal:
    return assert_equal(both(crashing()))


def test_its_messages_find_no_master_meanwhile_and_those_of_others_do(journal: Journal) -> None:
    ended = {
        (m.gateway, m.outcome)
        for _, m in journal.of(MessageRecord)
        if 61 * SECOND < m.arrived_ns < 79 * SECOND
    }
    assert ended == {("east", Cause.UNROUTABLE), ("west", Cause.OK)}
    fault = next(f for _, f in journal.of(FaultStarted) if f.kind == "gateway-crash")
    assert (fault.masters, fault.others) == ((), ("east",))
    assert not fault.impairing


def test_it_is_sent_the_routing_again_and_serves_by_it(journal: Journal) -> None:
    assert [o.owner for _, o in journal.of(OwnerChanged)] == ["m2"]
    (hello, *_) = [(t, h) for t, h in journal.of(GatewayHello)]
    assert hello[1] == GatewayHello("east", 2, 1)
    assert 80 * SECOND < hello[0] < 81 * SECOND
    tables = [(t, p.table) for t, p in journal.of(PublishRouting) if p.gateway == "east"]
    t_ns, again = next((t, table) for t, table in tables if t >= hello[0])
    newest = max(p.table.version for _, p in journal.of(PublishRouting))
    assert again.version == newest
    acks = [a for t, a in journal.of(RoutingAck) if t > t_ns and a.gateway == "east"]
    assert RoutingAck("east", newest, 2) in acks
    late = [m for _, m in journal.of(MessageRecord) if m.arrived_ns > 85 * SECOND]
    assert {(m.gateway, m.outcome) for m in late if m.ended_ns < 119 * SECOND} == {
        ("east", Cause.OK),
        ("west", Cause.OK),
    }
    # In between p1 was routed to its first owner, which is off: half of the gateways is not more
    # than half, so nothing was served until the table came.
    served = [(t, s.up) for t, s in journal.of(PartitionServed) if s.partition == "p1"]
    assert served[-1][1]
    assert served[-1][0] <= t_ns + SECOND


def test_its_reports_count_again_from_one_and_are_believed(journal: Journal) -> None:
    of_east = [r for _, r in journal.of(GatewayReport) if r.gateway == "east"]
    old, new = ([r for r in of_east if r.incarnation == n] for n in (1, 2))
    assert new[0].sequence == 1 < old[-1].sequence
    assert max(row.answered for r in new for row in r.masters) < max(
        row.answered for r in old for row in r.masters
    )


@pytest.mark.parametrize("target", ["all", "each", "random"])
def test_all_gateways_may_die_again_and_again(target: str) -> None:
    dying = GatewayCrash(kind="gateway-crash", target=target, every=lasting(5), for_=lasting(3))
    overlapping = dataclasses.replace(dying, target="east", every=lasting(4))
    settings = dataclasses.replace(crashing(), faults=(dying, overlapping), horizon_ns=40 * SECOND)
    journal = assert_equal(both(settings))
    incarnations = [h.incarnation for _, h in journal.of(GatewayHello) if h.gateway == "east"]
    assert incarnations == sorted(incarnations)
    assert incarnations[-1] > 3


def test_a_target_that_is_no_client_region_is_told() -> None:
    wrong = GatewayCrash(kind="gateway-crash", target="m1", at=after(1))
    settings = dataclasses.replace(crashing(), faults=(wrong,))
    (found,) = [text for where, text in world_problems(settings) if where[0] == "faults"]
    assert found.startswith("no gateway 'm1'")
