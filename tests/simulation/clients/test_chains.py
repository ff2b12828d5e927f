"""Tiers in series: both data planes agree message by message, and theory is met."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.measures import measure
from hasim.oracle import check
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.settings import ClientSettings, ConnectionSettings
from hasim.simulation.clients.results import OUTCOMES
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import (
    MasterSettings,
    NetworkSettings,
    PoissonArrivals,
    RequestSettings,
    TierSettings,
    TrafficSettings,
    WorldSettings,
)
from hasim.simulation.settings.faults import Crash
from hasim.simulation.settings.operations import Drain
from hasim.truth import ClientsFollowed, MessageRecord
from hasim.units import HOUR, MILLISECOND, SECOND
from tests.intervals import assert_met
from tests.simulation import planes
from tests.simulation.worlds import NO_LATENCY, after, lasting, results, run

LETTERS = "mbc"


def tier_of(world: WorldSettings, letter: str) -> TierSettings:
    """The masters of a world, and how they are looked after, as a tier; m1 is called b1."""
    masters = tuple(dataclasses.replace(m, id=letter + m.id[1:]) for m in world.masters)
    own = {f.name: getattr(world, f.name) for f in dataclasses.fields(TierSettings.__base__)}
    asked = {f.name: getattr(world.traffic, f.name) for f in dataclasses.fields(RequestSettings)}
    return TierSettings(
        name=f"tier-{letter}", requests=RequestSettings(**asked), **{**own, "masters": masters}
    )


def renamed(target: Any, letter: str) -> Any:
    return letter + target[1:] if target in ("m1", "m2") else target


@st.composite
def chains(draw: Any) -> tuple[WorldSettings, Recorded]:
    """Any two or three small worlds, one behind the other."""
    first, recorded = draw(planes.worlds())
    more = [draw(planes.worlds())[0] for _ in range(draw(st.integers(1, 2)))]
    worlds = [first, *more]
    faults = [
        dataclasses.replace(fault, target=renamed(fault.target, letter))
        for world, letter in zip(worlds, LETTERS, strict=False)
        for fault in world.faults
        if all(at.mean_ns < first.horizon_ns for at in fault.at)
    ]
    tiers = tuple(tier_of(w, letter) for w, letter in zip(worlds, LETTERS, strict=False))
    return dataclasses.replace(first, masters=(), tiers=tiers, faults=tuple(faults)), recorded


@settings(deadline=None, max_examples=40)
@given(chains(), st.integers(0, 3))
def test_data_planes_agree_on_any_chain(made: tuple[WorldSettings, Recorded], seed: int) -> None:
    """The reference, event by event, and the compiled loop over all tiers write one journal."""
    world, recorded = made
    journal = planes.assert_equal(planes.both(world, recorded, seed=seed))
    assert not check(journal)
    assert [row.tier for row in measure(journal).tiers] == [tier.name for tier in world.tiers]


def masters(name: str, count: int, service: Any, **more: Any) -> tuple[MasterSettings, ...]:
    return tuple(
        MasterSettings(id=f"{name}-{n}", priority=n, service=service, queue=10**6, **more)
        for n in range(1, count + 1)
    )


def chain(*tiers: TierSettings, rate: float = 40.0, horizon_s: float = 500, **more: Any) -> Any:
    more.setdefault("network", NO_LATENCY)
    return WorldSettings(
        horizon_ns=round(horizon_s * SECOND),
        traffic=TrafficSettings(
            arrivals=PoissonArrivals(rate_per_s=rate),
            owned=0.0,
            timeout_ns=60 * SECOND,
            deadline_ns=60 * SECOND,
        ),
        tiers=tiers,
        **more,
    )


PATIENT = RequestSettings(owned=0.0, timeout_ns=60 * SECOND, deadline_ns=60 * SECOND)
UNSEEN = planes.detection(
    evidence=("probe",), interval_ns=1000 * HOUR, fast_interval_ns=1000 * HOUR
)
"""Nobody looks twice."""


def latencies_s(settings: WorldSettings, seed: int, replication: int) -> list[float]:
    """The mean latency in each tier of the messages that were answered, after a second."""
    found = []
    for tier in results(settings, seed=seed, replication=replication):
        counts = (tier.outcome == OUTCOMES.index("ok")) & (tier.arrival_ns > SECOND)
        found.append(float((tier.ended_ns - tier.arrival_ns)[counts].mean() / SECOND))
    return found


def test_a_tandem_of_queues_is_jacksons() -> None:
    """Where workers are never short, two M/M/1 in series wait as each of them would alone.

    The first tier has as many workers as there are messages, so that its departures are Poisson
    (M/M/inf); behind it, 1 / (mu - lambda). Burke, Operations Research 4(6), 1956.
    """
    settings = chain(
        TierSettings(name="api", masters=masters("a", 1, Exponential(mean_ns=20 * MILLISECOND),
                                                 workers=100)),
        TierSettings(name="db", requests=PATIENT,
                     masters=masters("d", 1, Exponential(mean_ns=15 * MILLISECOND), workers=1)),
        rate=25.0, horizon_s=1000,
    )  # fmt: skip
    found = [latencies_s(settings, 3, replication) for replication in range(16)]
    expected = 1 / (1 / 0.015 - 25.0)
    assert_met([behind for _, behind in found], expected)
    assert_met([whole for whole, _ in found], 0.020 + expected)


def test_a_worker_waits_for_the_next_tier() -> None:
    """One worker before a fast tier is an M/G/1 queue of both services (Pollaczek, Khinchine)."""
    settings = chain(
        TierSettings(name="api", masters=masters("a", 1, Constant(mean_ns=6 * MILLISECOND),
                                                 workers=1)),
        TierSettings(name="db", requests=PATIENT,
                     masters=masters("d", 1, Constant(mean_ns=9 * MILLISECOND), workers=4)),
        horizon_s=800,
    )  # fmt: skip
    load = 40.0 * 0.015
    assert_met(
        [latencies_s(settings, 4, replication)[0] for replication in range(12)],
        0.015 + load * 0.015 / (2 * (1 - load)),
    )


@pytest.mark.parametrize(
    ("runs", "within"), [(8, 0.08), pytest.param(48, 0.02, marks=pytest.mark.slow)]
)
def test_tiers_in_series_are_up_together_as_often_as_the_product(runs: int, within: float) -> None:
    """Each fails by a process of its own: availabilities multiply, whoever comes first."""
    faults = tuple(
        Crash(
            kind="crash",
            target=target,
            every=Exponential(mean_ns=round(up_h * HOUR)),
            for_=Exponential(mean_ns=round(down_h * HOUR)),
        )
        for target, up_h, down_h in (("a-1", 2.0, 1.0), ("d-1", 1.5, 0.5))
    )
    law = Constant(mean_ns=MILLISECOND)
    settings = chain(
        TierSettings(name="api", masters=masters("a", 1, law), detection=UNSEEN),
        TierSettings(name="db", masters=masters("d", 1, law), detection=UNSEEN, requests=PATIENT),
        rate=0.001, horizon_s=600 * 3600, faults=faults,
    )  # fmt: skip
    found = [measure(run(settings, seed=5, replication=replication)) for replication in range(runs)]
    ups = [[row.uptime for row in one.tiers] for one in found]
    for place, expected in enumerate((2 / 3, 3 / 4)):
        assert_met([up[place] for up in ups], expected, within)
    assert_met([one.service.uptime for one in found], 2 / 3 * 3 / 4, within)
    of_product = [one.service.uptime / (up[0] * up[1]) for one, up in zip(found, ups, strict=True)]
    assert_met(of_product, 1.0, within / 2)


def test_a_chain_is_up_while_all_of_its_tiers_are() -> None:
    """Outages at different times add up, at the same time they do not; each tier has its own."""
    faults = (
        Crash(kind="crash", target="a-1", at=after(100), for_=lasting(10)),
        Crash(kind="crash", target="d-1", at=after(200), for_=lasting(20)),
        Crash(kind="crash", target="a-1", at=after(300), for_=lasting(30)),
        Crash(kind="crash", target="d-1", at=after(310), for_=lasting(30)),
    )
    law = Constant(mean_ns=MILLISECOND)
    requests = RequestSettings(owned=0.0, timeout_ns=SECOND, deadline_ns=SECOND)
    settings = chain(
        TierSettings(name="api", masters=masters("a", 1, law), detection=UNSEEN),
        TierSettings(name="db", masters=masters("d", 1, law), detection=UNSEEN,
                     requests=requests),
        horizon_s=400, faults=faults,
    )  # fmt: skip
    found = measure(run(settings))
    api, db = found.tiers
    assert (api.uptime, db.uptime) == (pytest.approx(1 - 40 / 400), pytest.approx(1 - 50 / 400))
    assert found.service.uptime == pytest.approx(1 - (10 + 20 + 40) / 400)
    assert found.service.undetected_s == pytest.approx(70.0)
    assert [i.master for i in found.incidents] == ["a-1", "a-1", "d-1", "d-1"]


POOL = 50
DRAINED_S = 40


def pooled(lifetime_ns: int) -> WorldSettings:
    """An API of two servers before a database of which the preferred one is drained.

    Each API server keeps fifty connections to the database.
    """
    clients = ClientSettings(number=POOL, connections=ConnectionSettings(lifetime_ns=lifetime_ns))
    law = Constant(mean_ns=2 * MILLISECOND)
    requests = RequestSettings(owned=0.0, timeout_ns=SECOND, deadline_ns=SECOND, clients=clients)
    return chain(
        TierSettings(name="api", masters=masters("a", 2, law, workers=64)),
        TierSettings(
            name="db",
            masters=masters("d", 2, law, workers=64),
            requests=requests,
            balancing=BalancingSettings(algorithm="priority-all-or-nothing"),
        ),
        horizon_s=DRAINED_S + 35,
        rate=400.0,
        operations=(Drain(do="drain", master="d-1", at_ns=DRAINED_S * SECOND),),
        network=NetworkSettings(local_rtt_ns=MILLISECOND),
    )


def test_connections_between_tiers_stay_until_they_are_old() -> None:
    """Masters of one tier are clients of the next: connections follow after U(0, lifetime)."""
    life_s = 30.0
    journal = planes.assert_equal(planes.both(pooled(round(life_s * SECOND))))
    rows = [row for _, row in journal.of_tier("db").of(ClientsFollowed)]
    assert [(row.gateway, row.left) for row in rows] == [("a-1", "d-1"), ("a-2", "d-1")]
    assert [row.clients for row in rows] == [POOL, POOL]
    mean_s = sum(row.pool_ns for row in rows) / (2 * POOL) / SECOND
    assert abs(mean_s - life_s / 2) < 4 * life_s / math.sqrt(12 * 2 * POOL)
    # The next request after its end comes 0.25 s later in the mean.
    pause_s = sum(row.pause_ns for row in rows) / (2 * POOL) / SECOND
    assert abs(pause_s - 0.25) < 4 * 0.25 / math.sqrt(2 * POOL)
    assert sum(row.name_ns + row.stay_ns for row in rows) == 0
    assert life_s * 0.9 < max(row.most_ns for row in rows) / SECOND < life_s + 3


def test_connections_between_tiers_without_a_lifetime_stay_for_good() -> None:
    journal = planes.assert_equal(planes.both(pooled(0)))
    assert not list(journal.of_tier("db").of(ClientsFollowed))
    found = journal.of_tier("db").of(MessageRecord)
    assert {m.master for _, m in found if m.arrived_ns > 70 * SECOND} == {"d-1"}
