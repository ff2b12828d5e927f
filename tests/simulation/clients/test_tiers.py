"""Tiers and regions of which a part is away or ejected, message by message on both data planes."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from typing import Any

import pytest

from hasim.model import Cause, RoutingTable
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.guards import BreakerSettings, OutlierSettings
from hasim.simulation.clients.results import OUTCOMES
from hasim.simulation.laws import Constant
from hasim.simulation.settings import MasterSettings, WorldSettings
from hasim.units import MILLISECOND, SECOND
from tests.services.gateway.guards.test_guard_panic import PUBLISHED
from tests.simulation.clients.test_balancing_theory import DEAF
from tests.simulation.planes import FAULTS
from tests.simulation.worlds import NO_LATENCY, after, build, lasting, traffic, world

Sent = list[tuple[int, str, str]]
"""Of each message in turn: when it arrived, its last master, its outcome."""


def groups(*sizes: int, service_ns: int = MILLISECOND, **more: Any) -> WorldSettings:
    """Tiers 0, 1, ..., each a region of its own, of so many masters: p0-0, p0-1, ..., p1-0, ..."""
    found = tuple(
        MasterSettings(
            id=f"p{tier}-{number}",
            region="here",
            priority=tier,
            workers=100,
            weight=1.0,
            service=Constant(mean_ns=service_ns),
        )
        for tier, size in enumerate(sizes)
        for number in range(size)
    )
    return world(more.pop("horizon_s", 10), masters=found, detection=DEAF, **more)


def sent(settings: WorldSettings, plane: str, eligible: tuple[str, ...] | None = None) -> Sent:
    """Run a world in which nobody but the gateway acts, which may know of a part as eligible."""
    made = build(dataclasses.replace(settings, data_plane=plane), keep_messages=True)
    if eligible is not None:
        (gateway,) = made.front.gateways.values()
        (observer,) = made.observers.values()
        owners = observer.driver.control_plane.balancing.routing.table.owners
        algorithm = settings.balancing.algorithm
        gateway.balancer.apply_routing(0, RoutingTable(2, eligible, owners, algorithm))
    made.changes.changed()
    made.injector.schedule(settings.faults, settings.horizon_ns)
    made.messages.run(settings.horizon_ns)
    found, ids = made.messages.results(), [*made.masters, ""]
    causes = OUTCOMES
    return [
        (int(arrival), ids[master], str(causes[outcome]))
        for arrival, master, outcome in zip(
            found.arrival_ns, found.master, found.outcome, strict=True
        )
    ]


def on_both(settings: WorldSettings, eligible: tuple[str, ...] | None = None) -> Sent:
    """The same from both data planes."""
    one, other = (sent(settings, plane, eligible) for plane in ("reference", "compiled"))
    assert one == other
    return one


def by_group(found: Sent, since_ns: int = 0) -> Counter[str]:
    return Counter(master[1] for arrival, master, _ in found if arrival >= since_ns)


def assert_share(counts: Counter[str], expected: float) -> None:
    """The share of the first group is a binomial one, within 4 standard deviations."""
    total = sum(counts.values())
    error = 4 * math.sqrt(expected * (1 - expected) / total) + 1e-12
    assert abs(counts["0"] / total - expected) < error, counts


@pytest.mark.parametrize(("first", "second", "load", "one", "other", "total"), PUBLISHED)
def test_the_published_panic_table(
    first: int, second: int, load: int, one: bool, other: bool, total: int
) -> None:
    settings = groups(
        100,
        100,
        service_ns=SECOND * 1000,  # nothing ends, so that all masters of a tier take turns
        network=NO_LATENCY,
        traffic=traffic(150, owned=0.0, timeout_ns=10**15),
        balancing=BalancingSettings(algorithm="priority-spillover", panic_threshold=0.5),
    )
    shares = {"0": first, "1": second}
    eligible = tuple(m.id for m in settings.masters if int(m.id[3:]) < shares[m.id[1]])
    found = on_both(settings, eligible)
    assert len(found) > 1300
    health = [min(1.0, 1.4 * share / 100) for share in (first, second)]
    exact = min(1.0, health[0] / min(1.0, sum(health)))
    assert abs(100 * exact - load) < 0.5
    assert_share(by_group(found), exact)
    for group, healthy, panic in (("0", first, one), ("1", second, other)):
        astray = [m for _, m, _ in found if m[1] == group and int(m[3:]) >= healthy]
        assert bool(astray) is panic


@pytest.mark.parametrize("algorithm", ["priority", "priority-spillover", "priority-all-or-nothing"])
@pytest.mark.parametrize(
    ("eligible", "reached"),
    [
        (("p1-0", "p1-1"), {"p1-0", "p1-1"}),  # no panic in the second tier
        ((), {"p0-0", "p0-1", "p0-2"}),  # nobody is healthy: the first tier
    ],
)
def test_who_is_reached_in_panic(algorithm: str, eligible: Any, reached: set[str]) -> None:
    settings = groups(
        3,
        3,
        service_ns=SECOND * 1000,
        network=NO_LATENCY,
        traffic=traffic(50, owned=0.0, timeout_ns=10**15),
        horizon_s=1,
        balancing=BalancingSettings(algorithm=algorithm, panic_threshold=0.5),
    )
    assert {master for _, master, _ in on_both(settings, eligible)} == reached


GUARDS: dict[str, dict[str, Any]] = {
    "ejected": {"outliers": OutlierSettings(base_ejection_ns=100 * SECOND)},
    "breaker": {"breaker": BreakerSettings(failures=5, base_ns=100 * SECOND, max_ns=100 * SECOND)},
}


@pytest.mark.parametrize("guard", sorted(GUARDS))
@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("priority-spillover", 0.7),  # 140 % of one half
        # Weights 2 and 2; the region's availability is 70 %.
        ("geo-weighted-spillover", 0.7 / 1.7),
    ],
)
def test_who_is_left_out_by_the_gateway_counts_as_not_healthy(
    guard: str, algorithm: str, expected: float
) -> None:
    """Two groups of two masters; one of the first group makes nothing but errors."""
    broken = FAULTS["error-rate"](
        kind="error-rate", target="p0-0", at=after(0), for_=lasting(1000), rate=1.0
    )
    settings = groups(
        2,
        2,
        network=NO_LATENCY,
        traffic=traffic(500, owned=0.0),
        horizon_s=8,
        faults=(broken,),
        balancing=BalancingSettings(algorithm=algorithm, **GUARDS[guard]),
    )
    if algorithm.startswith("geo"):
        masters = tuple(dataclasses.replace(m, region=m.id[:2]) for m in settings.masters)
        settings = dataclasses.replace(settings, masters=masters)
        settings = dataclasses.replace(
            settings, traffic=dataclasses.replace(settings.traffic, regions=("p0",))
        )
    found = on_both(settings)
    failed = [arrival for arrival, _, outcome in found if outcome == Cause.ERROR]
    assert 5 <= len(failed) < 20  # until it was left out
    assert_share(by_group(found, max(failed) + SECOND), expected)


@pytest.mark.parametrize("algorithm", ["priority-spillover", "geo-weighted-spillover"])
def test_an_absent_master_is_not_missed(algorithm: str) -> None:
    """Two of three are there, who would keep 1.4 * 2 / 3 of the traffic if the third were ill."""
    settings = groups(3, 2, traffic=traffic(200, owned=0.0))
    of_regions = tuple(
        dataclasses.replace(m, region=m.id[:2], absent=m.id == "p0-2") for m in settings.masters
    )
    balancing = BalancingSettings(algorithm=algorithm)
    found = on_both(dataclasses.replace(settings, masters=of_regions, balancing=balancing))
    assert {master for _, master, _ in found} >= {"p0-0", "p0-1"}
    assert_share(by_group(found), 1.0 if algorithm == "priority-spillover" else 0.5)
