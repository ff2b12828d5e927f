"""Pickers against slow, independent definitions; the service's counting, switching and routing."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.events import (
    AlgorithmSwitched,
    OwnerChanged,
    PublishRouting,
    RoutingAck,
    RoutingConverged,
    SendReport,
    StatusChanged,
    SwitchAlgorithm,
    WakeUp,
)
from hasim.model import (
    Cause,
    Cluster,
    Diagnosis,
    Master,
    Ownership,
    Partition,
    RoutingTable,
    Status,
)
from hasim.services.balancing import BalancingSettings, LoadBalancingService, registry
from hasim.services.balancing.load import jain_index
from hasim.services.balancing.registry import ALGORITHMS, Algorithm, register
from hasim.services.balancing.retry import RetryBudget
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster


def service(algorithm: str = "round-robin", fleet: Cluster | None = None, **more):
    more.setdefault("table_size", 251)
    settings = BalancingSettings(algorithm=algorithm, **more)
    return LoadBalancingService(settings, fleet or cluster(3), gateway="local", watch_failures=4)


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
    balancer = LoadBalancingService(settings, fleet, gateway="us")
    assert balancer.select_master(0) == "iad"
    down = StatusChanged("iad", Status.HEALTHY, Status.FAILED, Diagnosis.UNREACHABLE, "")
    balancer.handle_event(0, down)
    assert balancer.select_master(0) == "ams"
    assert LoadBalancingService(settings, fleet, gateway="eu").select_master(0) == "ams"


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


@given(st.lists(st.sampled_from(["send", "ok", "fail", "switch"]), max_size=200), st.randoms())
def test_switching_neither_loses_nor_double_counts_messages(steps, rng: random.Random) -> None:
    """After any mixture of sends, answers, failures and switches the books balance."""
    balancer, flying = service(), []
    algorithms = list(ALGORITHMS)
    sent = 0
    for step in steps:
        if step == "send":
            flying.append(balancer.select_master(0))
            sent += 1
        elif step == "switch":
            balancer.step(0, SwitchAlgorithm(rng.choice(algorithms)))
        elif flying:
            master = flying.pop(rng.randrange(len(flying)))
            if step == "ok":
                balancer.record_message_corresponded(0, master, MILLISECOND)
            else:
                balancer.record_message_failed(0, master, Cause.ERROR)
    rows = balancer.get_load_metrics()
    assert {m: row["in_flight"] for m, row in rows.items()} == {m: flying.count(m) for m in rows}
    assert sum(r["in_flight"] + r["answered"] + r["failed"] for r in rows.values()) == sent
    assert balancer.healthy()


def test_switch_is_announced_and_an_unknown_algorithm_is_refused() -> None:
    plane = LoadBalancingService(BalancingSettings(), cluster(2))
    out = plane.switch_algorithm(0, "geo")
    assert out[0] == AlgorithmSwitched("round-robin", "geo")
    assert out[1].table.algorithm == "geo"
    assert plane.switch_algorithm(0, "geo") == []
    with pytest.raises(ValueError, match=r"known: round-robin, weighted-round-robin, .*geo"):
        plane.switch_algorithm(0, "fastest")


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


def test_a_full_queue_is_no_sign_of_failure() -> None:
    balancer = service()
    balancer.select_master(0, "p1")
    assert balancer.record_message_failed(0, "m1", Cause.REJECTED) == []
    assert balancer.get_load_metrics()["m1"]["failed"] == 1


def test_routing_is_sent_until_every_gateway_has_acknowledged() -> None:
    plane = LoadBalancingService(BalancingSettings(), cluster(2, ("a", "b")))
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


def test_an_older_table_never_replaces_a_newer_one() -> None:
    balancer = service()
    balancer.apply_routing(0, RoutingTable(5, ("m2",), (), "geo"))
    ack = balancer.apply_routing(0, RoutingTable(4, ("m1",), (), "priority"))
    assert ack == RoutingAck("local", 5)
    assert balancer.eligible_masters() == ["m2"]


def test_load_moves_when_a_master_fails_and_comes_back() -> None:
    balancer = service()
    down = RoutingTable(2, ("m1", "m3"), (), "round-robin")
    balancer.apply_routing(0, down)
    assert Counter(balancer.select_master(0) for _ in range(10)) == {"m1": 5, "m3": 5}
    balancer.apply_routing(0, RoutingTable(3, ("m1", "m2", "m3"), (), "round-robin"))
    assert Counter(balancer.select_master(0) for _ in range(9)) == {"m1": 3, "m2": 3, "m3": 3}


@pytest.mark.parametrize(
    ("loads", "expected"),
    [((2, 1, 1), 8 / 9), ((1, 1, 0), 2 / 3), ((10, 10, 10, 10, 0), 0.8), ((0, 0), 1.0)],
)
def test_jain_index_against_published_values(loads, expected: float) -> None:
    assert jain_index(loads) == pytest.approx(expected)


@given(st.floats(0, 1), st.integers(0, 400))
def test_a_retry_budget_never_allows_more_than_its_share(share: float, messages: int) -> None:
    budget, retries = RetryBudget(share), 0
    for _ in range(messages):
        budget.deposit()
        retries += budget.withdraw()
    assert retries <= 10 + share * messages


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_frozen_balancer_goes_on_as_if_nothing_had_been(algorithm: str) -> None:
    """Memory, table, chance and counts: the restored one picks what the other one picks."""
    settings = BalancingSettings(algorithm=algorithm, table_size=251, sessions=50)
    one = LoadBalancingService(settings, cluster(5), gateway="local")

    def live(balancer: LoadBalancingService, begin: int) -> list[str | None]:
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
    other = LoadBalancingService.restore(settings, cluster(5), data, gateway="local")
    assert live(one, 40) == live(other, 40)
    assert one.freeze() == other.freeze()


def test_chance_can_be_handed_in() -> None:
    """For all of a service, or for one attempt; without, it is the gateway's own sequence."""
    settings = BalancingSettings(algorithm="random")
    given_ = LoadBalancingService(settings, cluster(4), gateway="local", draw=lambda: 0.99)
    assert {given_.select_master(0) for _ in range(3)} == {"m4"}
    assert given_.select_master(0, draw=lambda: 0.3) == "m2"
    own = [LoadBalancingService(settings, cluster(4), gateway="local") for _ in range(2)]
    picks = [[service.select_master(0) for _ in range(20)] for service in own]
    assert picks[0] == picks[1]
    assert set(picks[0]) == {"m1", "m2", "m3", "m4"}


def test_an_algorithm_of_ones_own_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    last = Algorithm("The last one.", lambda fleet, request: len(fleet.weight) - 1)
    monkeypatch.setattr(registry, "ALGORITHMS", ALGORITHMS)
    register("mine", last)
    try:
        balancer = LoadBalancingService(BalancingSettings(algorithm="mine"), cluster(3))
        assert balancer.select_master(0) == "m3"
        with pytest.raises(ValueError, match="there is an algorithm 'mine' already"):
            register("mine", last)
    finally:
        del ALGORITHMS["mine"]
