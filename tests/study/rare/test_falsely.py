"""Rare false failovers: closed forms, exact chains, plain simulation, and refusals."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter

import numpy as np
import pytest

from hasim.api import prepare
from hasim.measures import measure
from hasim.services.detection.rewinding import Rewindable, copied
from hasim.simulation.network import Jitter
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import simulate
from hasim.simulation.settings.network import BurstSettings, JitterLaw, NetworkSettings
from hasim.study.estimates.statistics import Interval
from hasim.study.rare.falsely import FalseFailovers, false_failovers
from hasim.study.rare.falsely.lateness import Lateness
from hasim.study.rare.falsely.noise import Noise, Weather
from hasim.study.rare.falsely.rate import _doubt
from hasim.study.rare.falsely.watching import Watching
from hasim.units import DAY, MILLISECOND, SECOND, YEAR
from tests.study.rare.chains import Rhythm, by_bursts, by_failing, by_loss

PROBES = {
    "evidence": ["probe"],
    "detector": "threshold",
    "interval": "2s",
    "fast_interval": "500ms",
    "timeout": "500ms",
}
RHYTHM = Rhythm(0.01, 0.5, 2.0, 0.5, 6)


def loaded(detection, masters=1, **network):
    data = {
        "name": "noise",
        "horizon": "1h",
        "replications": 2,
        "masters": [{"id": f"m{n}", "region": "here"} for n in range(masters)],
        "network": {"rtt": "10ms", "local_rtt": "10ms", **network},
        "traffic": {"arrivals": {"rate": "1/h"}},
        "detection": detection,
    }
    return prepare(data)


def estimated(detection, seed=1, masters=1, **network) -> FalseFailovers:
    made = loaded(detection, masters, **network)
    cell = made.cells[0]
    return false_failovers(cell.world, made.recorded_of(cell), seed=seed, jobs=1)


def agrees(found: FalseFailovers, exact: float) -> None:
    """Within twice the interval: of several cases, one in twenty is beyond it by chance."""
    told = found.told
    assert told is not None, found.refused
    half = (told.high - told.low) / 2
    assert half < 0.2 * told.value
    assert abs(told.value - exact) < 2 * half


@pytest.mark.parametrize(("fall", "loss"), [(6, 0.01), (3, 0.05), (2, 0.001)])
def test_independent_loss_has_its_closed_form(fall, loss):
    found = estimated({**PROBES, "fall": fall}, loss=f"{100 * loss}%")
    agrees(found, by_loss(dataclasses.replace(RHYTHM, fall=fall), loss))


@pytest.mark.parametrize("within", ["100%", "60%"])
def test_bursts_have_their_exact_chain(within):
    bursts = {"share": "0.05%", "mean": "300ms", "within": within}
    found = estimated({**PROBES, "fall": 4}, loss="0.1%", bursts=bursts)
    exact = by_bursts(
        dataclasses.replace(RHYTHM, fall=4), 0.001, 0.0005, 0.3, float(within[:-1]) / 100
    )
    agrees(found, exact)


def test_without_bursts_the_chain_is_the_closed_form():
    alone = by_bursts(RHYTHM, 0.01, 1e-12, 0.3)
    assert alone == pytest.approx(by_loss(RHYTHM, 0.01), rel=1e-6)


def test_heartbeats_with_a_timeout():
    """Silent for five seconds: five beats, of one a second, are lost after one that was not."""
    heartbeats = {"evidence": ["heartbeat"], "detector": "timeout", "down_after": "5s"}
    found = estimated({**heartbeats, "heartbeat_interval": "1s"}, masters=3, loss="2%")
    agrees(found, 3 * 0.98 * 0.02**5 * YEAR / SECOND)


def test_as_plain_simulation_where_that_sees_them():
    """Tens a day, in the whole world, with jitter that makes probes late."""
    detection = {**PROBES, "fall": 2, "timeout": "20ms"}
    network = {"loss": "2%", "jitter": {"law": "lognormal", "cv": 0.4}}
    made = loaded(detection, **network)
    world = dataclasses.replace(made.cells[0].world, horizon_ns=DAY // 2)
    found = estimated(detection, **network)
    seen = sum(
        len(measure(simulate(world, Recorded(), seed=3, replication=n)).mistakes) for n in range(2)
    )
    assert found.told is not None
    expected = found.told.value / 365.25
    assert expected > 20
    assert abs(seen - expected) < 3.5 * expected**0.5


def test_the_same_with_any_number_of_processes():
    made = loaded({**PROBES, "fall": 3}, loss="2%")
    world, recorded = made.cells[0].world, Recorded()
    one = false_failovers(world, recorded, seed=4, jobs=1)
    assert one == false_failovers(world, recorded, seed=4, jobs=2)
    assert one != false_failovers(world, recorded, seed=5, jobs=1)


def test_without_noise_there_is_no_number():
    found = estimated({**PROBES, "fall": 2})
    assert found.told is None
    assert "no noise is stated" in found.refused


def test_what_is_not_covered_is_said():
    found = estimated({"evidence": ["gossip"]}, masters=3, loss="1%")
    assert "a plain run all others" in found.refused
    assert found.told is None


def exactly(value: float, width: float) -> Interval:
    return Interval(value, value - width, value + width, 10, "t")


def test_a_number_is_refused_that_rests_on_little():
    good = exactly(1.0, 0.1)
    assert _doubt(good, good, 50, 0.05) == ""
    assert "49 declarations" in _doubt(good, good, 49, 0.01)
    assert "carries 6%" in _doubt(good, good, 500, 0.06)
    assert "disagree" in _doubt(good, exactly(2.0, 0.5), 500, 0.01)
    assert _doubt(good, exactly(1.5, 0.5), 500, 0.01) == ""


def noise(loss=0.02, bursts=None, cv=0.0) -> Noise:
    jitter = JitterLaw(cv=cv) if cv else None
    return Noise(5 * MILLISECOND, loss, bursts, Jitter(NetworkSettings(jitter=jitter), Recorded()))


@pytest.mark.parametrize("cv", [0.0, 0.5])
@pytest.mark.parametrize("weather", [Weather(False, 0), Weather(True, 0)])
def test_the_fates_of_a_crossing_are_all_there_are(cv, weather):
    made = noise(0.02, BurstSettings(share=0.1, mean_ns=SECOND, within=0.7), cv)
    for now in (0, SECOND, 10**12):
        for fates in (
            made.probe(now, weather, 12 * MILLISECOND, (0.3, 0.9)),
            made.heartbeat(now, weather, (0.3, 0.9)),
        ):
            assert sum(fate.chance for fate in fates) == pytest.approx(1.0, abs=1e-12)
            assert all(fate.taken_ns != 0 for fate in fates)


def test_a_past_that_is_gone_back_to_has_the_same_futures():
    made = loaded({**PROBES, "fall": 3}, loss="20%").cells[0].world
    watching = Watching(made.detection, noise(0.2), np.random.default_rng(3))
    for _ in range(7):
        watching.suffer(watching.pick(watching.fates())[0])
        watching.run()
    moment = watching.here()
    assert isinstance(watching._service, Rewindable)

    def future() -> list[tuple[int, int, bool]]:
        watching.put(moment)
        watching._draws = np.random.default_rng(5)
        seen = []
        for _ in range(40):
            watching.suffer(watching.pick(watching.fates())[0])
            seen.append((watching.now, watching.bad_in_row, watching.run()))
            watching.declared = False
        return seen

    assert future() == future()


def test_only_what_can_change_is_copied():
    with pytest.raises(TypeError, match="cannot copy"):
        copied(object())


def test_trips_under_recorded_jitter_are_all_pairs() -> None:
    """Of 1, 2, 5 and 9 ms there and back, more than 7 ms are (1, 9), (2, 9), (5, 5), (5, 9) ..."""
    ways_ns = np.array([5, 1, 9, 2]) * MILLISECOND
    lateness = Lateness(ways_ns, 7 * MILLISECOND)
    pairs = list(itertools.product(sorted(ways_ns.tolist()), repeat=2))
    draws = [((i + 0.5) / 240, (j + 0.5) / 240) for i in range(240) for j in range(240)]
    for late in (True, False):
        expected = [pair for pair in pairs if (sum(pair) > 7 * MILLISECOND) == late]
        found = Counter(lateness.drawn(u, late=late) for u in draws)
        assert set(found) == set(expected)
        each = len(draws) / len(expected)
        assert all(abs(count - each) < 0.05 * each for count in found.values())
        if late:
            assert lateness.chance == len(expected) / 16


def test_recorded_jitter_has_its_closed_form(tmp_path) -> None:
    """Each probe is late with the chance of all pairs, whatever the others were."""
    ratios = tmp_path / "jitter.csv"
    ratios.write_text("ratio,count\n1,960\n2,30\n50,8\n300,2\n")
    fates = {1: 960, 2: 30, 50: 8, 300: 2}
    trips = Counter[int]()
    for one, other in itertools.product(fates, repeat=2):
        trips[5 * (one + other)] += fates[one] * fates[other]  # milliseconds: how many of a million
    late = sum(count for trip, count in trips.items() if trip > 500)
    in_time = sum(trip * count for trip, count in trips.items() if trip <= 500)
    rhythm = dataclasses.replace(RHYTHM, fall=3, rtt=in_time / (10**6 - late) / 1000)
    jitter = {"trace": str(ratios), "column": "ratio", "count": "count"}
    found = estimated({**PROBES, "fall": 3}, jitter=jitter)
    agrees(found, by_failing(rhythm, late / 10**6))


def test_phi_accrual_counts_losses_in_a_row_where_nothing_jitters() -> None:
    """Akka's settings and a beat a second: four are lost, after one that was not."""
    phi = {"evidence": ["heartbeat"], "heartbeat_interval": "1s", "detector": "phi-accrual"}
    agrees(estimated(phi, loss="1%"), 0.99 * 0.01**4 * YEAR / SECOND)
