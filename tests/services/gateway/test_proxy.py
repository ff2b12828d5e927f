"""The dispatcher in a proxy, as it would be deployed, on a clock that is no clock."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.events import SendReport
from hasim.model import Cause, RoutingTable
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.dispatcher import Dispatcher
from hasim.services.gateway.effects import Send
from hasim.services.gateway.guards import LimitSettings
from hasim.services.gateway.service import GatewayService
from hasim.services.gateway.settings import DispatcherSettings, HedgeSettings, RetrySettings
from hasim.services.watch import Watch
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster
from tests.services.gateway.proxy import Backend, Loop, Proxy

EACH_NS = 10 * MILLISECOND


def proxy(backend: Backend, *, limits: LimitSettings | None = None, **settings: Any) -> Proxy:
    """A proxy in front of three masters, to which a request comes every 10 ms for a second."""
    balancing = BalancingSettings(limits=limits or LimitSettings())
    gateway = GatewayService(balancing, cluster(3), "local", watch=Watch(3))
    made = Proxy(Loop(), Dispatcher(gateway, DispatcherSettings(**settings)), backend)
    for number in range(100):
        made.loop.call_at(number * EACH_NS, lambda n=number: made.request(n))
    return made


def latencies_ms(of: Proxy) -> list[float]:
    return [(at - n * EACH_NS) / MILLISECOND for n, (at, _) in sorted(of.settled.items())]


def test_requests_are_answered_in_turn() -> None:
    made = proxy(lambda send: (4 * MILLISECOND, Cause.OK))
    made.loop.run()
    assert latencies_ms(made) == [4.0] * 100
    assert [end.master for _, (_, end) in sorted(made.settled.items())][:4] == [
        "m1",
        "m2",
        "m3",
        "m1",
    ]
    assert made.dispatcher.next_wakeup() is None


def test_retries_get_round_a_master_that_is_dead() -> None:
    """Refused at once, and again after the back-off at a master that lives."""

    def backend(send: Send) -> tuple[int, Cause]:
        return (0, Cause.REFUSED) if send.master == "m2" else (MILLISECOND, Cause.OK)

    retry = RetrySettings(attempts=2, backoff_ns=8 * MILLISECOND, budget=1.0)
    made = proxy(backend, retry=retry)
    made.loop.run()
    assert {end.cause for _, end in made.settled.values()} == {Cause.OK}
    hit = [end for _, end in made.settled.values() if end.tries == 2]
    assert 33 <= len(hit) <= 50
    assert max(latencies_ms(made)) < 9.1
    assert {traffic.master for report in made.reports for traffic in report.report.masters} == {
        "m2"
    }


def test_hedging_closes_the_connection_that_was_too_slow() -> None:
    def backend(send: Send) -> tuple[int, Cause]:
        return (SECOND if send.master == "m3" else MILLISECOND), Cause.OK

    hedge = HedgeSettings(after_ns=5 * MILLISECOND, budget=1.0)
    made = proxy(backend, hedge=hedge)
    made.loop.run()
    slow = [send for _, send in made.sent if send.master == "m3"]
    assert [cancel.attempt for cancel in made.closed] == [send.attempt for send in slow]
    assert set(latencies_ms(made)) == {1.0, 6.0}
    assert [load.in_flight for load in made.dispatcher.gateway.reports.loads] == [0, 0, 0]


def test_requests_wait_for_room_and_give_up_by_themselves() -> None:
    """Three at a time, 60 ms each: two of six requests find room, the line is never empty."""
    made = proxy(
        lambda send: (60 * MILLISECOND, Cause.OK),
        limits=LimitSettings(max_concurrency=1, max_queue=5),
        timeout_ns=70 * MILLISECOND,
    )
    made.loop.run()
    ends = [end for _, (_, end) in sorted(made.settled.items())]
    answered = [end for end in ends if end.cause is Cause.OK]
    assert {end.cause for end in ends} == {Cause.OK, Cause.OVERFLOW}
    assert {end.master for end in ends if end.cause is Cause.OVERFLOW} == {""}
    assert len(answered) == pytest.approx(50 + 5, abs=3)  # 1 s, and who waited at its end
    assert max(latencies_ms(made)) <= 130.0


def test_a_proxy_may_be_silent_for_ever_and_clients_are_not() -> None:
    made = proxy(lambda send: None, timeout_ns=SECOND, retry=RetrySettings(attempts=3, budget=0))
    made.loop.run()
    assert {end.cause for _, end in made.settled.values()} == {Cause.TIMEOUT}
    assert latencies_ms(made) == [1000.0] * 100
    first = [report.report.masters[0].streak for report in made.reports]
    assert first == [1, 1, 1, 2, 2, 2, 3, 3, 3]  # each master's first three at once
    assert all(isinstance(report, SendReport) for report in made.reports)


def test_a_table_that_brings_a_master_back_is_used_at_once() -> None:
    made = proxy(
        lambda send: (30 * MILLISECOND, Cause.OK),
        limits=LimitSettings(max_concurrency=1, max_queue=100),
    )
    gateway = made.dispatcher.gateway
    owners = tuple(gateway.standing.owners.values())
    gateway.apply_routing(0, RoutingTable(2, ("m1",), owners, "round-robin"))

    def bring_back() -> None:
        table = RoutingTable(3, ("m1", "m2", "m3"), owners, "round-robin")
        gateway.apply_routing(made.loop.now, table)
        made.rerouted()

    made.loop.call_at(100 * MILLISECOND + 1, bring_back)
    made.loop.run()
    others = [(at, send.master) for at, send in made.sent if send.master != "m1"]
    assert others[:2] == [(100 * MILLISECOND + 1, "m2"), (100 * MILLISECOND + 1, "m3")]
    assert {end.cause for _, end in made.settled.values()} == {Cause.OK}
