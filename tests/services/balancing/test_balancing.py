"""The load balancing service under the names that its users know."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.events import OwnerChanged, StatusChanged, SwitchAlgorithm, WakeUp
from hasim.model import Cause, Diagnosis, Status
from hasim.services.balancing import BalancingSettings, registry
from hasim.services.balancing.chance import hash_of_number
from hasim.services.balancing.fairness import jain_index
from hasim.services.balancing.registry import ALGORITHMS, Algorithm, register
from hasim.services.balancing.service import LoadBalancingService
from hasim.services.control_plane import ControlPlane
from hasim.services.watch import Watch
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import Bench, cluster


def service(algorithm: str = "round-robin") -> LoadBalancingService:
    settings = BalancingSettings(algorithm=algorithm, table_size=251)
    return LoadBalancingService(settings, cluster(3), gateway="local", watch=Watch(4))


@given(st.lists(st.sampled_from(["send", "ok", "fail", "switch"]), max_size=200), st.randoms())
def test_switching_neither_loses_nor_double_counts_messages(steps, rng: random.Random) -> None:
    """After any mixture of sends, answers, failures and switches the books balance."""
    balancer, flying, sent_to = service(), list[str](), Counter[str]()
    algorithms = list(ALGORITHMS)
    sent = 0
    for step in steps:
        if step == "send":
            flying.append(chosen := balancer.select_master(0))
            sent_to[chosen] += 1
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
    assert {m: row["sent"] for m, row in rows.items()} == {m: sent_to[m] for m in rows}
    shares = {m: sent_to[m] / sent if sent else 0.0 for m in rows}
    assert balancer.compute_load_distribution() == shares
    assert balancer.get_metrics_report()["distribution"] == shares
    assert balancer.healthy()


@pytest.mark.parametrize(
    ("loads", "expected"),
    [((2, 1, 1), 8 / 9), ((1, 1, 0), 2 / 3), ((10, 10, 10, 10, 0), 0.8), ((0, 0), 1.0)],
)
def test_jain_index_against_published_values(loads, expected: float) -> None:
    assert jain_index(loads) == pytest.approx(expected)


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


def test_it_chooses_by_its_own_routing() -> None:
    """Whatever happened before the first message, and at once what happens after it."""
    balancer = service()
    down = StatusChanged("m1", Status.HEALTHY, Status.FAILED, Diagnosis.UNREACHABLE, "")
    balancer.handle_event(0, down)
    assert {balancer.select_master(1) for _ in range(4)} == {"m2", "m3"}
    assert balancer.select_master(1, "p1") is None
    balancer.handle_event(2, OwnerChanged("p1", "m3", 2, 1))
    assert balancer.select_master(3, "p1") == "m3"
    up = StatusChanged("m1", Status.FAILED, Status.HEALTHY, Diagnosis.NONE, "")
    balancer.handle_event(4, up)
    assert {balancer.select_master(5) for _ in range(3)} == {"m1", "m2", "m3"}


def test_whoever_knows_the_hash_of_a_key_need_not_say_the_key() -> None:
    """The same master for the same hash, over all masters; a key goes where its hash does."""
    balancer = service("maglev")
    of_hash = {n: balancer.select_master(0, hashed=hash_of_number(n)) for n in range(50)}
    assert set(of_hash.values()) == {"m1", "m2", "m3"}
    for number, master in of_hash.items():
        assert balancer.select_master(1, hashed=hash_of_number(number)) == master
        assert balancer.select_master(1, key=number) == master


def test_a_switch_is_published_again_from_its_own_moment_on() -> None:
    """A table that nobody acknowledges is repeated after the interval, counted from the switch."""
    control = LoadBalancingService(BalancingSettings(), cluster(3))
    assert control.next_wakeup() is None
    control.switch_algorithm(7 * SECOND, "geo")
    wakeup = control.next_wakeup()
    assert wakeup is not None
    assert wakeup > 7 * SECOND


def test_the_report_has_all_that_is_measured_of_the_attempts() -> None:
    """Three masters, of which one is out by then: 2, 2 and 1 of five, answered but one."""
    balancer = service()
    picked = [balancer.select_master(number) for number in range(5)]
    for master in picked[:4]:
        balancer.record_message_corresponded(5, master or "", 80)
    balancer.record_message_failed(6, picked[4] or "", Cause.TIMEOUT, 6)
    first, second, third = picked[:3]
    balancer.handle_event(
        7, StatusChanged(third or "", Status.HEALTHY, Status.FAILED, Diagnosis.UNREACHABLE, "")
    )
    report = balancer.get_metrics_report()
    assert set(report) == {
        *("algorithm", "eligible", "load", "distribution", "jain", "jain_eligible"),
    }
    assert report["distribution"] == {first: 0.4, second: 0.4, third: 0.2}
    assert report["eligible"] == sorted([first, second])
    assert report["jain"] == pytest.approx(25 / (3 * 9))
    assert report["jain_eligible"] == 1.0
    counted = ("sent", "answered", "failed", "in_flight", "latency_ns")
    assert report["load"] == {
        master: dict(zip(counted, values, strict=True))
        for master, values in (
            (first, (2, 2, 0, 0, 80)),
            (second, (2, 1, 1, 0, 80)),
            (third, (1, 1, 0, 0, 80)),
        )
    }


def test_no_gateway_is_built_in_a_control_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picker's table is made for a failover, nor a fleet."""
    monkeypatch.setattr("hasim.services.balancing.service.GatewayService", None)
    bench = Bench(ControlPlane(cluster(3)))
    bench.down["m1"] = Cause.REFUSED
    bench.run(60 * SECOND)
    bench.feed(SwitchAlgorithm("maglev"))
    balancing = bench.control_plane.balancing
    assert balancing.healthy()
    assert balancing.get_metrics_report()["eligible"] == ["m2", "m3"]
    assert balancing.compute_load_distribution() == {"m1": 0.0, "m2": 0.0, "m3": 0.0}


def test_a_frozen_service_goes_on_with_both_halves() -> None:
    one = service("least-loaded")
    one.handle_event(0, OwnerChanged("p1", "m2", 2, 1))
    picked = [one.select_master(number) for number in range(5)]
    one.record_message_failed(5, picked[0], Cause.TIMEOUT, 5)
    data = json.loads(json.dumps(one.freeze()))
    settings = BalancingSettings(algorithm="least-loaded", table_size=251)
    other = LoadBalancingService.restore(
        settings, cluster(3), data, gateway="local", watch=Watch(4)
    )
    for balancer in (one, other):
        balancer.record_message_corresponded(6, picked[1], MILLISECOND)
    assert one.select_master(7) == other.select_master(7)
    assert one.select_master(7, "p1") == other.select_master(7, "p1") == "m2"
    assert one.next_wakeup() == other.next_wakeup() == 10 * SECOND
    assert one.step(10 * SECOND, WakeUp()) == other.step(10 * SECOND, WakeUp()) != []
    assert one.get_metrics_report() == other.get_metrics_report()
    assert one.freeze() == other.freeze()
