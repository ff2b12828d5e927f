"""The gateway service: its choices, counts and reports, by the routing that it is given."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from hasim.events import RoutingAck, SendReport, WakeUp
from hasim.model import Cause, Cluster, Master, Ownership, Partition, RoutingTable
from hasim.services.balancing import BalancingSettings
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.gateway.service import GatewayService
from hasim.services.watch import Watch
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster


def service(algorithm: str = "round-robin", fleet: Cluster | None = None, **more):
    more.setdefault("table_size", 251)
    settings = BalancingSettings(algorithm=algorithm, **more)
    return GatewayService(settings, fleet or cluster(3), "local", watch=Watch(4))


def test_vip_messages_keep_the_first_tier_when_ordinary_ones_spill_over() -> None:
    fleet = Cluster(
        (Master("first", "r", 1, 10), Master("second", "r", 2, 10)),
        (Partition("p1", "first"), Partition("p2", "second")),
        ("local",),
        ((0, 0),),
    )
    balancer = service("priority", fleet, reserve=0.2)
    ordinary = Counter(balancer.select_master(0) for _ in range(10))
    assert ordinary == {"first": 8, "second": 2}
    vips = Counter(balancer.select_master(0, vip=True) for _ in range(3))
    assert vips == {"first": 2, "second": 1}


def test_geo_serves_from_the_nearest_region_and_fails_over_to_the_next() -> None:
    fleet = Cluster(
        (Master("ams", "eu"), Master("iad", "us"), Master("sin", "asia")),
        tuple(Partition(f"p{i}", m) for i, m in enumerate(("ams", "iad", "sin"), 1)),
        ("us", "eu"),
        ((80, 2, 220), (2, 80, 160)),
    )
    settings = BalancingSettings(algorithm="geo")
    balancer = GatewayService(settings, fleet, "us")
    assert balancer.select_master(0) == "iad"
    balancer.apply_routing(0, RoutingTable(2, ("ams", "sin"), (), "geo"))
    assert balancer.select_master(0) == "ams"
    assert GatewayService(settings, fleet, "eu").select_master(0) == "ams"


def test_an_owned_message_goes_to_its_owner_or_nowhere() -> None:
    balancer = service("least-loaded")
    assert {balancer.select_master(0, "p2") for _ in range(5)} == {"m2"}
    balancer.apply_routing(0, RoutingTable(2, ("m1", "m3"), (Ownership("p2", "m2", 1),), "geo"))
    assert balancer.select_master(0, "p2") is None


def test_a_retry_avoids_the_master_that_failed_unless_it_is_the_only_one() -> None:
    balancer = service("least-loaded")
    assert balancer.select_master(0, avoid="m1") == "m2"
    balancer.apply_routing(0, RoutingTable(2, ("m1",), (), "least-loaded"))
    assert balancer.select_master(0, avoid="m1") == "m1"


def test_failures_are_reported_at_once_up_to_the_watch_and_then_regularly() -> None:
    balancer = service(report_interval_ns=10 * SECOND)
    reports = []
    for _ in range(10):
        balancer.select_master(0, "p1")
        reports.append(len(balancer.record_message_failed(0, "m1", Cause.TIMEOUT)))
    assert reports == [1, 1, 1, 1] + [0] * 6
    assert balancer.next_wakeup() == 10 * SECOND
    (regular,) = balancer.step(10 * SECOND, WakeUp())
    assert isinstance(regular, SendReport)
    assert regular.report.masters[0].streak == 10
    assert balancer.step(20 * SECOND, WakeUp()) == []  # no news, no report


def test_what_was_reported_at_once_is_no_news_any_more() -> None:
    balancer = service(report_interval_ns=10 * SECOND)
    for partition in ("p1", "p2", "p3"):
        balancer.select_master(0, partition)
    assert len(balancer.record_message_failed(1, "m1", Cause.TIMEOUT)) == 1
    balancer.record_message_corresponded(1, "m3", 1)
    balancer.record_message_corresponded(1, "m2", 1)
    (regular,) = balancer.step(10 * SECOND, WakeUp())
    assert [traffic.master for traffic in regular.report.masters] == ["m2", "m3"]
    assert regular.report.sequence == 2


def test_a_full_queue_is_no_sign_of_failure() -> None:
    balancer = service()
    balancer.select_master(0, "p1")
    assert balancer.record_message_failed(0, "m1", Cause.REJECTED) == []
    assert balancer.reports.loads[0].failed == 1


def test_an_older_table_never_replaces_a_newer_one() -> None:
    balancer = service()
    balancer.apply_routing(0, RoutingTable(5, ("m2",), (), "geo"))
    ack = balancer.apply_routing(0, RoutingTable(4, ("m1",), (), "priority"))
    assert ack == RoutingAck("local", 5)
    assert balancer.standing.eligible_masters() == ["m2"]


def test_load_moves_when_a_master_fails_and_comes_back() -> None:
    balancer = service()
    down = RoutingTable(2, ("m1", "m3"), (), "round-robin")
    balancer.apply_routing(0, down)
    assert Counter(balancer.select_master(0) for _ in range(10)) == {"m1": 5, "m3": 5}
    balancer.apply_routing(0, RoutingTable(3, ("m1", "m2", "m3"), (), "round-robin"))
    assert Counter(balancer.select_master(0) for _ in range(9)) == {"m1": 3, "m2": 3, "m3": 3}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_frozen_gateway_goes_on_as_if_nothing_had_been(algorithm: str) -> None:
    """Memory, table, chance and counts: the restored one picks what the other one picks."""
    settings = BalancingSettings(algorithm=algorithm, table_size=251, sessions=50)
    one = GatewayService(settings, cluster(5), "local")

    def live(balancer: GatewayService, begin: int) -> list[str | None]:
        picked = []
        for step in range(begin, begin + 40):
            now = step * 100 * MILLISECOND
            picked.append(balancer.select_master(now, key=f"session {step % 7}"))
            for master in balancer.take_load_probes():
                balancer.record_load_probe(now, master, step % 5, step % 11 * MILLISECOND)
            balancer.record_load_report(now, f"m{step % 5 + 1}", 10.0 + step, 0.0, 0.5)
            if step % 3:
                balancer.record_message_corresponded(now, picked[-1], step % 13 * MILLISECOND)
        return picked

    live(one, 0)
    data = json.loads(json.dumps(one.freeze()))
    other = GatewayService.restore(settings, cluster(5), "local", data)
    assert live(one, 40) == live(other, 40)
    assert one.freeze() == other.freeze()


def test_chance_can_be_handed_in() -> None:
    """For all of a service, or for one attempt; without, it is the gateway's own sequence."""
    settings = BalancingSettings(algorithm="random")
    given_ = GatewayService(settings, cluster(4), "local", draw=lambda: 0.99)
    assert {given_.select_master(0) for _ in range(3)} == {"m4"}
    assert given_.select_master(0, draw=lambda: 0.3) == "m2"
    own = [GatewayService(settings, cluster(4), "local") for _ in range(2)]
    picks = [[service.select_master(0) for _ in range(20)] for service in own]
    assert picks[0] == picks[1]
    assert set(picks[0]) == {"m1", "m2", "m3", "m4"}


def test_a_data_plane_may_keep_the_columns_of_a_gateway() -> None:
    """It picks among the same numbers: what is sent through the gateway is counted there."""
    homes: dict[str, list] = {}

    def memory(column: str, items: list) -> list:
        homes[column] = items
        return items

    balancer = service("least-loaded")
    balancer.choice.share_fleet(memory)
    assert "settings" not in homes
    picked = [balancer.select_master(0) for _ in range(4)]
    assert sorted(picked[:3]) == ["m1", "m2", "m3"]
    assert sorted(homes["in_flight"]) == [1, 1, 2]
