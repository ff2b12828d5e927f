"""A dispatcher does under SimPy what it does in a proxy with another clock, message by message."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hasim.model import Cause
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.dispatcher import Dispatcher
from hasim.services.gateway.effects import Send
from hasim.services.gateway.guards import BreakerSettings, LimitSettings, OutlierSettings
from hasim.services.gateway.service import GatewayService
from hasim.services.watch import Watch
from hasim.simulation.clients.reference.dispatching import Drawn
from hasim.simulation.clients.reference.plane import MessagePlane
from hasim.simulation.clients.traffic import STATELESS
from hasim.simulation.laws import Lognormal
from hasim.simulation.network import master_endpoint
from hasim.simulation.settings import (
    HedgeSettings,
    JitterLaw,
    NetworkSettings,
    RetrySettings,
    WorldSettings,
)
from hasim.simulation.world import World
from hasim.units import MILLISECOND
from tests.services.gateway.proxy import Loop, Proxy
from tests.simulation.clients.test_balancing_theory import DEAF
from tests.simulation.worlds import build, masters, traffic, world

Ends = list[tuple[int, str, str, int]]

RETRY = RetrySettings(attempts=3, backoff_ns=20 * MILLISECOND, budget=0.5)
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "retries": {"retry": RETRY},
    "hedges": {"hedge": HedgeSettings(after_ns=40 * MILLISECOND, budget=0.5)},
    "pace": {"retry": RETRY, "hedge": HedgeSettings(quantile=0.8, budget=1.0)},
    "waiting": {"retry": RETRY, "limits": LimitSettings(max_concurrency=3, max_queue=3)},
    "guards": {
        "retry": RETRY,
        "limits": LimitSettings(max_requests=9, max_queue=5),
        "breaker": BreakerSettings(failures=2, base_ns=50 * MILLISECOND),
        "outliers": OutlierSettings(consecutive_failures=3, base_ejection_ns=MILLISECOND),
    },
}


def world_of(algorithm: str, **more: Any) -> WorldSettings:
    """Masters at which nobody queues, so that only the gateway decides how long messages take."""
    guards = {name: more.pop(name) for name in ("limits", "breaker", "outliers") if name in more}
    law = Lognormal(mean_ns=30 * MILLISECOND, cv=1.0)
    made = world(
        8,
        masters=masters(4, service=law, workers=1000),
        network=NetworkSettings(loss=0.03, jitter=JitterLaw(cv=0.3)),
        traffic=traffic(300, owned=0.2, timeout_ns=90 * MILLISECOND, **more),
        detection=DEAF,
        balancing=BalancingSettings(algorithm=algorithm, **guards),
    )
    return dataclasses.replace(made, data_plane="reference")


def simulated(built: World) -> Ends:
    plane = built.tiers[0].messages
    assert isinstance(plane, MessagePlane)
    plane.run(built.settings.horizon_ns)
    return list(zip(plane.ended_ns, plane.outcome, plane.master, plane.tries, strict=True))


def proxied(built: World) -> Ends:
    """The same messages through a proxy; of the world nothing is used but its network's links."""
    (tier,) = built.tiers
    settings, plane, cluster = built.settings, tier.messages, tier.cluster
    assert isinstance(plane, MessagePlane)
    messages, (sender,) = plane.messages, tier.gateways.values()
    law = tier.masters["m1"].law

    def backend(send: Send) -> tuple[int, Cause] | None:
        place, links = messages.place(send.attempt), built.network.links
        there = links[sender.endpoint, master_endpoint(send.master)]
        back = links[master_endpoint(send.master), sender.endpoint]
        gone_ns = there.crossing(messages.ratio_there[place], messages.loss_there[place], 0)
        back_ns = back.crossing(messages.ratio_back[place], messages.loss_back[place], 0)
        lost = gone_ns < 0 or back_ns < 0
        return None if lost else (gone_ns + messages.demand_ns[law][place] + back_ns, Cause.OK)

    gateway = GatewayService(settings.balancing, cluster, sender.name, watch=Watch(2))
    chance = Drawn(plane.pick_seed, messages)
    made = Proxy(Loop(), Dispatcher(gateway, settings.traffic, chance), backend)
    for number, arrival_ns in enumerate(messages.arrival_ns):
        index = messages.partition[number]
        partition = None if index == STATELESS else tier.partitions.names[index]
        made.loop.call_at(arrival_ns, lambda n=number, p=partition: made.request(n, p))
    made.loop.run()
    return [(at, end.cause, end.master, end.tries) for _, (at, end) in sorted(made.settled.items())]


@pytest.mark.parametrize("algorithm", ["round-robin", "two-choices", "least-latency"])
@pytest.mark.parametrize("case", CASES)
def test_simulator_and_proxy_agree_message_by_message(case: str, algorithm: str) -> None:
    settings = world_of(algorithm, **CASES[case])
    one, other = simulated(build(settings)), proxied(build(settings))
    horizon_ns = settings.horizon_ns
    ended = [end for end in one if end[0]]  # some are in flight at the end of the run
    assert len(ended) > 2200
    assert ended == [end for end, known in zip(other, one, strict=True) if known[0]]
    assert all(end[0] >= horizon_ns for end, known in zip(other, one, strict=True) if not known[0])
    causes = {end[1] for end in ended}
    assert {Cause.OK, Cause.TIMEOUT} <= causes
    assert (Cause.OVERFLOW in causes) == (case in ("waiting", "guards"))
    assert (max(end[3] for end in ended) > 1) == (case != "plain")
