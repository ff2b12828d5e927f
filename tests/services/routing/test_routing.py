"""The routing service: verdicts, owners and operators' orders become routing tables."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.events import (
    AlgorithmSwitched,
    DrainMaster,
    GatewayReport,
    Input,
    InputRefused,
    MasterTraffic,
    OwnerChanged,
    PublishRouting,
    RoutingAck,
    RoutingConverged,
    StatusChanged,
    SwitchAlgorithm,
    UndrainMaster,
    WakeUp,
)
from hasim.model import Cause, Diagnosis, Status
from hasim.services.balancing import BalancingSettings
from hasim.services.routing.service import RoutingService
from hasim.units import SECOND
from tests.services.bench import cluster

NAMES = ("m1", "m2", "m3", "m4")


def routing(masters: int = 2, publish_to: tuple[str, ...] = ("a", "b")) -> RoutingService:
    return RoutingService(BalancingSettings(), cluster(masters), publish_to)


def verdict(master: str, new: Status) -> StatusChanged:
    return StatusChanged(master, Status.UNKNOWN, new, Diagnosis.NONE, "")


def test_routing_is_sent_until_every_gateway_has_acknowledged() -> None:
    plane = routing()
    moved = plane.handle_event(0, OwnerChanged("p1", "m2", 2, 1))
    assert [o.gateway for o in moved] == ["a", "b"]
    assert plane.step(1, RoutingAck("a", 2)) == []
    assert plane.next_wakeup() == SECOND
    again = plane.step(SECOND, WakeUp())
    assert [(o.gateway, o.table.version) for o in again if isinstance(o, PublishRouting)] == [
        ("b", 2)
    ]
    assert plane.step(SECOND, RoutingAck("b", 2)) == [RoutingConverged(2)]
    assert plane.next_wakeup() is None


def test_switch_is_announced_and_an_unknown_algorithm_is_refused() -> None:
    plane = routing(2, ("local",))
    out = plane.switch_algorithm(0, "geo")
    assert out[0] == AlgorithmSwitched("round-robin", "geo")
    assert out[1].table.algorithm == "geo"
    assert plane.switch_algorithm(0, "geo") == []
    with pytest.raises(ValueError, match=r"known: round-robin, weighted-round-robin, .*geo"):
        plane.switch_algorithm(0, "fastest")


def test_the_control_plane_publishes_who_is_drained_and_who_is_away() -> None:
    plane = routing(4, ("local",))
    (sent,) = plane.step(5, DrainMaster("m2"))
    assert isinstance(sent, PublishRouting)
    assert (sent.table.draining, sent.table.away, sent.table.eligible) == (("m2",), (), NAMES)
    assert plane.step(6, DrainMaster("m2")) == []
    changed = StatusChanged("m2", Status.HEALTHY, Status.MAINTENANCE, Diagnosis.NONE, "")
    (sent,) = plane.handle_event(7, changed)
    assert (sent.table.draining, sent.table.away) == (("m2",), ("m2",))
    assert sent.table.eligible == NAMES  # until somebody has taken over what it owns
    (sent,) = plane.handle_event(7, OwnerChanged("p2", "m1", 2, 1))
    assert (sent.table.draining, sent.table.away) == ((), ("m2",))
    assert sent.table.eligible == ("m1", "m3", "m4")
    # Back, but its health is not proven yet: nothing changes.
    unknown = StatusChanged("m2", Status.MAINTENANCE, Status.UNKNOWN, Diagnosis.NONE, "")
    assert plane.handle_event(8, unknown) == []
    healthy = StatusChanged("m2", Status.UNKNOWN, Status.HEALTHY, Diagnosis.NONE, "")
    (sent,) = plane.handle_event(9, healthy)
    assert (sent.table.eligible, sent.table.away) == (NAMES, ())
    (sent,) = plane.step(10, DrainMaster("m3"))
    (sent,) = plane.step(11, UndrainMaster("m3"))
    assert sent.table.draining == ()


def test_suspicion_changes_nothing_and_a_verdict_changes_who_is_eligible() -> None:
    plane = routing(4, ("local",))
    assert plane.handle_event(0, verdict("m3", Status.SUSPECT)) == []
    (sent,) = plane.handle_event(1, verdict("m3", Status.FAILED))
    assert sent.table.eligible == ("m1", "m2", "m4")
    assert plane.handle_event(2, verdict("m3", Status.RECOVERING)) == []
    (sent,) = plane.handle_event(3, verdict("m3", Status.HEALTHY))
    assert sent.table.eligible == NAMES


def test_a_version_that_was_never_published_is_no_agreement() -> None:
    plane = routing()
    plane.step(0, DrainMaster("m1"))
    (refused,) = plane.step(1, RoutingAck("a", 7))
    assert isinstance(refused, InputRefused)
    assert plane.step(2, RoutingAck("b", 2)) == []
    assert plane.step(3, RoutingAck("a", 2)) == [RoutingConverged(2)]


def test_an_unknown_master_is_refused_and_changes_nothing() -> None:
    plane = routing()
    before = plane.freeze()
    with pytest.raises(KeyError):
        plane.step(0, DrainMaster("m9"))
    assert plane.freeze() == before


ORDERS = st.one_of(
    st.builds(RoutingAck, st.sampled_from(["a", "b"]), st.integers(1, 9)),
    st.sampled_from(NAMES).map(DrainMaster),
    st.sampled_from(NAMES).map(UndrainMaster),
    st.sampled_from(["geo", "random"]).map(SwitchAlgorithm),
    st.builds(verdict, st.sampled_from(NAMES), st.sampled_from(Status)),
    st.builds(
        OwnerChanged, st.sampled_from(["p1", "p2"]), st.sampled_from(NAMES), st.just(2), st.just(1)
    ),
    st.integers(1, 5).map(
        lambda n: GatewayReport("a", n, (MasterTraffic("m1", n, 0, 1, 0, Cause.OK, n, 0),))
    ),
    st.just(WakeUp()),
)


def act(plane: RoutingService, now: int, item: Any) -> list[Any]:
    return plane.step(now, item) if isinstance(item, Input) else plane.handle_event(now, item)


@given(st.lists(ORDERS, max_size=30), st.lists(ORDERS, max_size=30))
def test_a_frozen_one_goes_on_as_if_nothing_had_been(before: list[Any], after: list[Any]) -> None:
    one = routing(4)
    for number, item in enumerate(before):
        act(one, number * SECOND // 3, item)
    data = json.loads(json.dumps(one.freeze()))
    other = RoutingService.restore(BalancingSettings(), cluster(4), ("a", "b"), data)
    assert other.healthy()
    for number, item in enumerate(after, len(before)):
        assert act(one, number * SECOND // 3, item) == act(other, number * SECOND // 3, item)
        assert one.next_wakeup() == other.next_wakeup()
    assert one.freeze() == other.freeze()
    assert one.load_metrics() == other.load_metrics()
