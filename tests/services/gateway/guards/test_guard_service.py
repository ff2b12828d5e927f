"""The guards in the gateway service, message by message."""

from __future__ import annotations

import json
from collections import Counter, deque
from typing import Any

import pytest

from hasim.model import Cause, Cluster, Master, Ownership, Partition, RoutingTable
from hasim.services.balancing import BalancingSettings
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.gateway.guards import (
    BreakerSettings,
    LimitSettings,
    OutlierSettings,
    SlowStartSettings,
)
from hasim.services.gateway.rules import NEVER
from hasim.services.gateway.service import GatewayService
from hasim.units import SECOND

NAMES = ("a", "b", "c", "d")
OWNERS = (Ownership("p1", "a", 1),)


def cluster(masters: int) -> Cluster:
    return Cluster(
        tuple(Master(name, "west") for name in NAMES[:masters]),
        (Partition("p1", "a"),),
        ("west",),
        ((0,) * masters,),
    )


def service(*, masters: int = 4, **settings: Any) -> Any:
    return GatewayService(BalancingSettings(**settings), cluster(masters), "west")


def table(version: int, *eligible: str, draining: Any = (), away: Any = ()) -> RoutingTable:
    return RoutingTable(version, eligible, OWNERS, "round-robin", draining, away)


def picks(balancer: Any, count: int, now: int = 0) -> Counter[str | None]:
    """So many messages, each answered at once."""
    found: Counter[str | None] = Counter()
    for _ in range(count):
        master = balancer.select_master(now)
        found[master] += 1
        if master is not None:
            balancer.record_message_corresponded(now, master, 0)
    return found


def fail(balancer: Any, master: str, times: int, now: int = 0) -> None:
    """Sends until `master` has failed so often; the others answer."""
    while times:
        chosen = balancer.select_master(now)
        if chosen == master:
            balancer.record_message_failed(now, chosen, Cause.REFUSED)
            times -= 1
        else:
            balancer.record_message_corresponded(now, chosen, 0)


def test_a_drained_master_gets_what_it_owns_alone() -> None:
    balancer = service()
    balancer.apply_routing(0, table(2, *NAMES, draining=("a",)))
    assert set(picks(balancer, 30)) == {"b", "c", "d"}
    assert balancer.select_master(0, "p1") == "a"
    balancer.apply_routing(0, table(3, *NAMES))
    assert set(picks(balancer, 30)) == set(NAMES)


def test_sticky_sessions_of_a_drained_master_move_for_good() -> None:
    """As in Envoy; said so in `hasim algorithms` and of the operation."""
    balancer = service(algorithm="sticky")
    first = balancer.select_master(0, key="session")
    drained = RoutingTable(2, NAMES, OWNERS, "sticky", (first,), ())
    balancer.apply_routing(0, drained)
    second = balancer.select_master(0, key="session")
    assert second != first
    balancer.apply_routing(0, RoutingTable(3, NAMES, OWNERS, "sticky"))
    assert balancer.select_master(0, key="session") == second


def test_five_failures_in_a_row_eject_until_the_interval_after_thirty_seconds() -> None:
    balancer = service(outliers=OutlierSettings())
    fail(balancer, "b", 5, 3 * SECOND)
    assert set(picks(balancer, 20, 39 * SECOND)) == {"a", "c", "d"}
    assert set(picks(balancer, 20, 40 * SECOND)) == set(NAMES)


@pytest.mark.parametrize("ends", [True, False])
def test_a_passing_check_ends_an_ejection_if_it_may(ends: bool) -> None:
    balancer = service(outliers=OutlierSettings(check_ends=ends))
    fail(balancer, "b", 5)
    balancer.apply_routing(0, table(2, "a", "c", "d"))
    balancer.apply_routing(0, table(3, *NAMES))
    assert ("b" in picks(balancer, 20)) is ends


def test_without_panic_nobody_is_selected_when_nobody_is_healthy() -> None:
    for threshold, found in ((0.0, {None}), (0.5, set(NAMES))):
        balancer = service(panic_threshold=threshold)
        balancer.apply_routing(0, table(2))
        assert set(picks(balancer, 20)) == found
    assert service(panic_threshold=0.5).refusal is Cause.UNROUTABLE


def test_panic_leaves_out_who_is_drained_or_away() -> None:
    balancer = service(panic_threshold=0.5)
    balancer.apply_routing(0, table(2, draining=("a",), away=("b",)))
    assert set(picks(balancer, 20)) == {"c", "d"}


def test_limits_refuse_with_overflow() -> None:
    balancer = service(masters=2, limits=LimitSettings(max_concurrency=2))
    taken = [balancer.select_master(0) for _ in range(4)]
    assert Counter(taken) == {"a": 2, "b": 2}
    assert balancer.select_master(0) is None
    assert balancer.refusal is Cause.OVERFLOW
    assert balancer.select_master(0, "p1") is None
    balancer.record_message_cancelled(1, "a", 1)
    assert balancer.select_master(0, "p1") == "a"


def test_the_limit_of_all_requests_counts_all_masters() -> None:
    balancer = service(masters=3, limits=LimitSettings(max_requests=2))
    assert {balancer.select_master(0), balancer.select_master(0)} == {"a", "b"}
    assert balancer.select_master(0) is balancer.select_master(0, "p1") is None
    assert balancer.refusal is Cause.OVERFLOW


def test_a_breaker_lets_one_trial_through() -> None:
    balancer = service(masters=2, breaker=BreakerSettings(failures=2))
    fail(balancer, "b", 2)
    assert picks(balancer, 10, SECOND - 1) == {"a": 10}
    trial = [balancer.select_master(SECOND) for _ in range(4)]
    assert trial.count("b") == 1
    balancer.record_message_corresponded(SECOND + 5, "b", 5)
    assert picks(balancer, 10, SECOND + 5) == {"a": 5, "b": 5}


def test_with_all_breakers_open_messages_fail_fast() -> None:
    balancer = service(masters=2, breaker=BreakerSettings(failures=1))
    fail(balancer, "a", 1)
    fail(balancer, "b", 1)
    assert picks(balancer, 5) == {None: 5}
    assert balancer.refusal is Cause.UNROUTABLE


@pytest.mark.parametrize("algorithm", ["round-robin", "random", "weighted-round-robin"])
def test_a_master_that_is_back_gets_its_lowered_share(algorithm: str) -> None:
    """At half of the window half of its weight: 0.5 / 3.5 of the messages of four masters.

    If turns are counted, it earns half of the turn that it would have: 1/8.
    """
    slow_start = SlowStartSettings(window_ns=40 * SECOND)
    balancer = service(algorithm=algorithm, slow_start=slow_start)
    balancer.apply_routing(0, RoutingTable(2, ("a", "b", "c"), OWNERS, algorithm))
    balancer.apply_routing(0, RoutingTable(3, NAMES, OWNERS, algorithm))
    share = picks(balancer, 8000, 20 * SECOND)["d"] / 8000
    weighted = algorithm == "weighted-round-robin"
    assert share == pytest.approx(0.5 / 3.5 if weighted else 0.125, abs=0.001)
    share = picks(balancer, 4000, 40 * SECOND)["d"] / 4000
    assert share == pytest.approx(0.25, abs=0.02)


def share_of_the_returned(algorithm: str, slow_start: SlowStartSettings | None, held: int) -> float:
    """The first master's share 4 s after its return, with so many messages in flight."""
    balancer = service(algorithm=algorithm, slow_start=slow_start, table_size=251, sessions=100_000)
    balancer.apply_routing(0, RoutingTable(2, ("b", "c", "d"), OWNERS, algorithm))
    balancer.apply_routing(0, RoutingTable(3, NAMES, OWNERS, algorithm))
    flying: deque[str] = deque()
    now, chosen = 4 * SECOND, Counter[str]()
    for number in range(4000):
        flying.append(balancer.select_master(now, key=f"session {number}"))
        for probed in balancer.take_load_probes():
            balancer.record_load_probe(now, probed, 1, SECOND)
        chosen[flying[-1]] += 1
        if len(flying) > held:
            balancer.record_message_corresponded(now, flying.popleft(), SECOND // 100)
    return chosen["a"] / 4000


NEEDS_LOAD = ("sticky", "ring-hash-bounded", "maglev-bounded")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("held", [0, 32])
def test_slow_start_with_every_algorithm(algorithm: str, held: int) -> None:
    """At 4 % of the window a tenth of a quarter at most, if anything keeps messages from it.

    Where weights say it, a little more: 0.1 / 3.1 of the messages, or what the bound admits.
    """
    slow_start = SlowStartSettings(window_ns=100 * SECOND)
    without = share_of_the_returned(algorithm, None, held)
    share = share_of_the_returned(algorithm, slow_start, held)
    kind = ALGORITHMS[algorithm].slow_start
    if kind == "none" or (held == 0 and algorithm in NEEDS_LOAD):
        assert share == without
    elif kind == "turns":
        assert share == pytest.approx(0.025, abs=0.001)
        assert without > 0.18 or (algorithm in ("least-latency", "geo-hysteresis") and held == 0)
    else:
        assert share < (0.07 if algorithm in NEEDS_LOAD else 0.034)
        assert without > 0.2


def test_turns_are_counted_within_a_tier_or_a_region() -> None:
    """Half of the window: a half of a half of the messages of a group of two."""
    for algorithm in ("priority-all-or-nothing", "geo"):
        cluster = Cluster(
            tuple(
                Master(name, region, priority)
                for name, region, priority in zip(NAMES, "wwee", (1, 1, 2, 2), strict=True)
            ),
            (Partition("p1", "a"),),
            ("west",),
            ((1, 1, 9, 9),),
        )
        settings = BalancingSettings(
            algorithm=algorithm, slow_start=SlowStartSettings(window_ns=40 * SECOND)
        )
        balancer = GatewayService(settings, cluster, "west")
        balancer.apply_routing(0, RoutingTable(2, ("b", "c", "d"), OWNERS, algorithm))
        balancer.apply_routing(0, RoutingTable(3, NAMES, OWNERS, algorithm))
        found = picks(balancer, 4000, 20 * SECOND)
        assert found == {"a": 1000, "b": 3000}


def test_slow_start_does_not_keep_the_last_one_waiting() -> None:
    balancer = service(masters=2, slow_start=SlowStartSettings())
    balancer.apply_routing(0, table(2))
    balancer.apply_routing(0, table(3, "a"))
    assert picks(balancer, 10) == {"a": 10}


def test_a_strict_choice_is_another_master_or_none() -> None:
    balancer = service(masters=2)
    assert {balancer.select_master(0, avoid="a", strict=True) for _ in range(9)} == {"b"}
    balancer.apply_routing(0, table(2, "a"))
    assert balancer.select_master(0, avoid="a", strict=True) is None
    assert balancer.select_master(0, avoid="a") == "a"


def test_a_frozen_service_keeps_its_guards() -> None:
    settings = {"outliers": OutlierSettings(), "breaker": BreakerSettings(failures=3)}
    balancer = service(**settings)
    fail(balancer, "b", 2, 2 * SECOND)
    balancer.apply_routing(3, table(2, "a", "b", "c", draining=("a",), away=("d",)))
    frozen = json.loads(json.dumps(balancer.freeze()))
    again = GatewayService.restore(BalancingSettings(**settings), cluster(4), "west", frozen)
    assert again.freeze() == balancer.freeze() != service(**settings).freeze()
    for now in (2 * SECOND, 3 * SECOND, 30 * SECOND):
        assert picks(again, 7, now) == picks(balancer, 7, now)


def test_members_are_who_is_not_away() -> None:
    balancer = service(masters=3)
    assert list(balancer.choice.fleet.member) == [True, True, True]
    balancer.apply_routing(0, table(2, "b", draining=("c",), away=("a",)))
    assert list(balancer.choice.fleet.member) == [False, True, True]
    frozen = json.loads(json.dumps(balancer.freeze()))
    settings, of = BalancingSettings(), cluster(3)
    afresh = GatewayService.restore(settings, of, "west", frozen)
    assert list(afresh.choice.fleet.member) == [False, True, True]
    balancer.apply_routing(1, table(3, "a", "b", "c"))
    assert list(balancer.choice.fleet.member) == [True, True, True]


@pytest.mark.parametrize("leaves", ["draining", "away"])
def test_who_comes_back_is_not_ejected_beside_the_one_that_may_be(leaves: str) -> None:
    """Neither from before it left, nor for what failed of the messages that it owned meanwhile."""
    balancer = service(masters=3, outliers=OutlierSettings(consecutive_failures=1))
    fail(balancer, "a", 1)
    assert set(picks(balancer, 9)) == {"b", "c"}
    balancer.apply_routing(0, table(2, *NAMES[:3], **{leaves: ("a",)}))
    fail(balancer, "b", 1)
    for _ in range(3):
        assert balancer.select_master(0, "p1") == "a"
        balancer.record_message_failed(0, "a", Cause.REFUSED)
    balancer.apply_routing(0, table(3, *NAMES[:3]))
    assert set(picks(balancer, 9)) == {"a", "c"}


def test_it_says_when_a_refused_attempt_may_find_room() -> None:
    """Also of a master that panic alone lets in, and if there is nobody rather than no room."""
    settings: dict[str, Any] = {
        "limits": LimitSettings(max_concurrency=1),
        "breaker": BreakerSettings(failures=1, base_ns=SECOND),
        "panic_threshold": 0.6,
    }
    balancer = service(masters=2, **settings)
    assert balancer.select_master(0) == "a"
    assert balancer.select_master(0) == "b"
    assert balancer.select_master(0) is None
    assert balancer.opens_ns == NEVER  # both are full
    balancer.record_message_failed(SECOND, "b", Cause.REFUSED)
    balancer.apply_routing(SECOND, table(2, "a"))
    assert balancer.select_master(SECOND) is None
    assert balancer.refusal == Cause.OVERFLOW
    assert balancer.opens_ns == 2 * SECOND
    balancer.record_message_failed(SECOND + 1, "a", Cause.REFUSED)
    assert balancer.select_master(SECOND + 2) is None
    assert balancer.refusal == Cause.UNROUTABLE
    assert balancer.opens_ns == 2 * SECOND
    assert balancer.select_master(2 * SECOND) == "b"
    assert balancer.opens_ns == NEVER
