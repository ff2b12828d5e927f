"""Rare false failovers by failed messages: a closed form, the whole world, states gone back to."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from hasim.api import prepare
from hasim.measures import measure
from hasim.simulation.network import Jitter
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import simulate
from hasim.simulation.settings.network import BurstSettings, JitterLaw, NetworkSettings
from hasim.study.rare.falsely import false_failovers, uncovered
from hasim.study.rare.falsely.branching import Kept, _drawn, calm_of, split
from hasim.study.rare.falsely.exchange import Exchange
from hasim.study.rare.falsely.noise import Noise, Weather
from hasim.study.rare.falsely.promise import Promise
from hasim.study.rare.falsely.surroundings import surroundings_of
from hasim.units import DAY, MILLISECOND, SECOND, YEAR

RATE_PER_S = 5


def loaded(masters=1, traffic=None, detection=None, master=None, **network):
    """Nobody tries again; what is lost is known a second later."""
    regions = ["west", "east"]
    return prepare(
        {
            "name": "messages",
            "horizon": "1h",
            "replications": 2,
            "masters": [
                {"id": f"m{n}", "region": regions[n % 2], **(master or {})} for n in range(masters)
            ],
            "network": {"rtt": "10ms", "local_rtt": "10ms", **network},
            "traffic": {
                "arrivals": {"rate": f"{RATE_PER_S}/s"},
                "owned": "100%",
                "timeout": "1s",
                "retry": {"attempts": 1},
                **(traffic or {}),
            },
            "detection": detection or {"evidence": ["probe", "messages"]},
        }
    )


def marking_down(limit):
    return {"evidence": [{"kind": "messages", "on_error": "mark-down", "error_limit": limit}]}


def around(**settings):
    made = loaded(**settings)
    return surroundings_of(made.cells[0].world, made.recorded_of(made.cells[0]))


@pytest.mark.parametrize(
    ("limit", "promise"), [(1, (1.0, 0.5)), (2, (1.0, 0.5)), (2, (0.85, 0.35))]
)
def test_failures_in_a_row_have_their_closed_form(limit, promise):
    """Messages come by a Poisson process; of those lost, and of those answered, ends are two
    independent ones (each message is late by what does not depend on the others). So a row of
    `limit` failures begins after an answer at the rate of messages times (1 - q) q^limit."""
    place, q = around(detection=marking_down(limit), loss="0.5%"), 1 - 0.995**2
    rates = []
    for seed in range(5):
        draws = np.random.default_rng(seed)
        exchange = Exchange(place, draws)
        calm = calm_of(exchange, draws)
        rates.append(split(exchange, calm, Promise(place, *promise), 50 * limit, draws).rate_per_s)
    exact = RATE_PER_S * (1 - q) * q**limit
    error = float(np.std(rates, ddof=1)) / math.sqrt(len(rates))
    assert error < 0.15 * exact
    assert abs(float(np.mean(rates)) - exact) < 3.5 * max(error, 0.02 * exact)


@pytest.mark.slow
def test_as_the_whole_world_where_that_sees_them():
    """Three masters in two regions, retries, jitter, probes and messages together."""
    made = loaded(
        masters=3,
        traffic={"arrivals": {"rate": "4/s"}, "owned": "50%", "retry": {"attempts": 2}},
        detection={"evidence": ["probe", "messages"], "interval": "10s", "fast_interval": "500ms"},
        loss="3%",
        jitter={"law": "lognormal", "cv": 0.2},
    )
    cell = made.cells[0]
    world = dataclasses.replace(cell.world, horizon_ns=DAY // 2)
    seen = [len(measure(simulate(world, Recorded(), seed=3, replication=n)).mistakes) for n in "12"]
    found = false_failovers(cell.world, Recorded(), seed=1)
    assert found.told is not None, found.refused
    expected = found.told.value * DAY / YEAR
    half = (found.told.high - found.told.low) / 2 * DAY / YEAR
    assert expected > 200
    assert abs(sum(seen) - expected) < 2 * math.hypot(half, 1.96 * expected**0.5)


def test_a_past_that_is_gone_back_to_has_the_same_futures():
    place = around(
        masters=3,
        traffic={"owned": "50%", "retry": {"attempts": 3, "backoff": "50ms"}},
        loss="5%",
        bursts={"share": "1%", "mean": "500ms"},
        jitter={"law": "lognormal", "cv": 0.5},
    )
    exchange = Exchange(place, np.random.default_rng(3))
    exchange.run()
    for _ in range(300):
        exchange.suffer(exchange.pick(exchange.fates())[0])
        exchange.run()
    moment = exchange.here()

    def future() -> list[tuple[int, str, int, int]]:
        exchange.put(moment)
        exchange._draws = exchange._chance._draws = np.random.default_rng(5)
        seen = []
        for _ in range(300):
            exchange.suffer(exchange.pick(exchange.fates())[0])
            if not exchange.run():
                return [*seen, (exchange.now, exchange.declared, 0, 0)]
            streaks = exchange.streaks(moment.target)
            seen.append((exchange.now, exchange.crossing.master, exchange.crossing.kind, streaks))
            assert exchange.crossing.master == moment.target
        return seen

    first = future()
    assert first == future()
    assert any(streaks for *_, streaks in first)


@pytest.mark.parametrize("cv", [0.0, 0.5])
@pytest.mark.parametrize("weather", [Weather(False, 0), Weather(True, 0)])
def test_the_fates_of_a_packet_are_all_there_are(cv, weather):
    jitter = Jitter(NetworkSettings(jitter=JitterLaw(cv=cv) if cv else None), Recorded())
    bursts = BurstSettings(share=0.1, mean_ns=SECOND, within=0.7)
    noise = Noise(5 * MILLISECOND, 0.02, bursts, jitter)
    for now in (0, SECOND, 10**12):
        for limit_ns in (2 * MILLISECOND, 9 * MILLISECOND, SECOND):
            fates = noise.crossing(now, weather, limit_ns, 0.7)
            assert sum(fate.chance for fate in fates) == pytest.approx(1.0, abs=1e-12)
            assert all(fate.bad == (not 0 < fate.taken_ns < limit_ns) for fate in fates)


def test_how_likely_a_packet_is_late_is_what_the_law_says():
    law = Jitter(NetworkSettings(jitter=JitterLaw(cv=0.5)), Recorded())
    ratios = law.ratios((np.arange(100_000) + 0.5) / 100_000)
    recorded = Jitter(NetworkSettings(), Recorded())
    assert recorded.share_below(1.0) == 0.0
    assert recorded.share_below(1.001) == 1.0
    for ratio in (0.5, 1.0, 1.7, 3.0):
        assert law.share_below(ratio) == pytest.approx(float(np.mean(ratios < ratio)), abs=2e-5)


def test_those_drawn_stand_for_all():
    """Each weight times what it is drawn for sums up to the whole, on average over the offset."""
    draws = np.random.default_rng(1)
    moment = Exchange(around(), draws)
    moment.run()
    here = moment.here()
    pool = [
        Kept(here, weight, promise) for weight, promise in ((1.0, 0.0), (3.0, -2.0), (5.0, -9.0))
    ]
    found = [_drawn(pool, 20, draws) for _ in range(20_000)]
    for kept in pool:
        share = sum(k.weight for one in found for k in one if k.promise == kept.promise) / 20_000
        assert share == pytest.approx(kept.weight, rel=0.15)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"traffic": {"arrivals": {"law": "curve", "rates": ["1/s", "2/s"]}}}, "at one rate"),
        ({"traffic": {"arrivals": {"rate": "21/s"}}}, "21 messages come within"),
        ({"traffic": {"keys": {"number": 10}}}, "without keys"),
        ({"master": {"capacity": 10}}, "does not slow"),
    ],
)
def test_what_of_messages_is_not_covered_is_said(changed, said):
    assert said in uncovered(loaded(loss="1%", **changed).cells[0].world)


def test_messages_are_covered():
    assert uncovered(loaded(loss="1%").cells[0].world) == ""
