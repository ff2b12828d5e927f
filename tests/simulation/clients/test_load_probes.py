"""Load probes in the simulated world: they cross the network and ask who can answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hasim.services.balancing import BalancingSettings
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.settings import FixedRtt, NetworkSettings, WorldSettings
from hasim.truth import MessageRecord
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.planes import FAULTS, assert_equal, both
from tests.simulation.worlds import after, build, lasting, masters, run, traffic, world

PREQUAL = BalancingSettings(algorithm="prequal")


def probing(horizon_s: float, **more: Any) -> WorldSettings:
    more.setdefault("balancing", PREQUAL)
    return world(horizon_s, **more)


@pytest.mark.parametrize("kind", ["none", "crash", "hang", "power-off", "packet-loss", "partition"])
def test_both_planes_probe_alike(kind: str) -> None:
    """Many masters in far regions, queues, losses: what is probed decides what is picked."""
    faults = ()
    if kind != "none":
        faults = (FAULTS[kind](kind=kind, target="m1", at=after(5), for_=lasting(4)),)
    settings = probing(
        15,
        masters=masters(8, service=Exponential(mean_ns=60 * MILLISECOND), workers=1, queue=9),
        traffic=traffic(80, owned=0.1, regions=("here", "there")),
        network=NetworkSettings(rtt=FixedRtt(rtt_ns=30 * MILLISECOND), loss=0.05),
        faults=faults,
    )
    assert_equal(both(settings))


def test_both_planes_probe_alike_under_load() -> None:
    """Thousands under way: the arrays grow meanwhile."""
    hang = FAULTS["hang"](kind="hang", target="m1", at=after(1), for_=lasting(2))
    settings = probing(
        5,
        masters=masters(3, service=Constant(mean_ns=500 * MILLISECOND), workers=400, queue=10**5),
        traffic=traffic(1000, owned=0.5),
        network=NetworkSettings(rtt=FixedRtt(rtt_ns=200 * MILLISECOND)),
        faults=(hang,),
    )
    assert_equal(both(settings))


@pytest.mark.parametrize("plane", ["reference", "compiled"])
def test_a_probe_tells_what_a_master_has_to_do(plane: str) -> None:
    """Without queues, the latency that is expected is the time of service."""
    built = build(
        probing(
            20,
            masters=masters(1, service=Constant(mean_ns=40 * MILLISECOND), workers=8),
            traffic=traffic(20, owned=0.0),
            data_plane=plane,
        )
    )
    heard: list[tuple[str, int, int]] = []
    (gateway,) = built.tiers[0].gateways.values()
    if plane == "reference":
        record = gateway.balancer.record_load_probe

        def listen(now: int, master: str, in_flight: int, latency_ns: int) -> None:
            heard.append((master, in_flight, latency_ns))
            record(now, master, in_flight, latency_ns)

        gateway.balancer.record_load_probe = listen  # type: ignore[method-assign]
    built.messages.run(20 * SECOND)
    values = gateway.balancer.choice.fleet.values
    assert values[2] == 40 * MILLISECOND  # the probe in the pool
    if plane == "reference":
        assert {latency_ns for _, _, latency_ns in heard[5:]} == {40 * MILLISECOND}
        # Little: 20/s x 40 ms, and the message that the probe came with.
        assert np.mean([load for _, load, _ in heard]) == pytest.approx(1.8, abs=0.2)


def test_prequal_has_the_shortest_tail_where_some_masters_are_slow() -> None:
    """Its claim (NSDI 2024): least loaded, and two choices by load, fill slow masters up first."""
    slow = FAULTS["slow"](
        kind="slow", target=("m1", "m2"), at=after(0), for_=lasting(60), speed=0.3
    )
    tails = {}
    for algorithm in ("round-robin", "least-loaded", "two-choices", "prequal"):
        settings = probing(
            60,
            masters=masters(10, service=Exponential(mean_ns=50 * MILLISECOND), workers=2),
            traffic=traffic(100, owned=0.0),
            faults=(slow,),
            balancing=BalancingSettings(algorithm=algorithm),
            detection=detection(evidence=("probe",)),
        )
        messages = run(settings, messages=True).of(MessageRecord)
        spans = [m.ended_ns - m.arrived_ns for _, m in messages]  # timeouts count as well
        tails[algorithm] = float(np.quantile(spans, 0.99))
    rivals = (tails["least-loaded"], tails["two-choices"], tails["round-robin"])
    assert tails["prequal"] < 0.7 * min(rivals)
