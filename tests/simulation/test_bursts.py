"""Loss in bursts against the closed forms of its two-state chain (Gilbert 1960)."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.events import StatusChanged
from hasim.model import Cause, Status
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.simulation.bursts import Bursts
from hasim.simulation.clients.results import OUTCOMES
from hasim.simulation.laws import Constant
from hasim.simulation.network import Network
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import BurstSettings, NetworkSettings, RetrySettings
from hasim.simulation.settings.places import place_named
from hasim.simulation.streams import Uniforms
from hasim.units import HOUR, MILLISECOND, SECOND, YEAR
from tests.intervals import assert_met
from tests.services.bench import detection
from tests.simulation.worlds import NO_LATENCY, masters, results, run, traffic, world

SITES = {end: place_named(region) for end, region in {"a": "x", "b": "y", "c": "y"}.items()}


def path(of: BurstSettings, replication: int = 0) -> Bursts:
    return Bursts(of, Uniforms(1, replication, "bursts"))


def stays_bad(of: BurstSettings, after_ns: float) -> float:
    """P(bad later | bad now) of the two-state chain in continuous time."""
    forgets = math.exp(-after_ns * (1 / of.mean_ns + 1 / of.good_ns))
    return of.bad_share + (1 - of.bad_share) * forgets


def mistakes_per_s(of: BurstSettings, interval_s: float, fall: int) -> float:
    """How often `fall` checks in a row begin to be lost, when all is lost in a burst."""
    p11 = stays_bad(of, interval_s * SECOND)
    p01 = (1 - p11) * of.bad_share / (1 - of.bad_share)
    return (1 - of.bad_share) * p01 * p11 ** (fall - 1) / interval_s


def error_of_share(of: BurstSettings, time_ns: float) -> float:
    """Standard error of the share of a time for which the path is bad."""
    memory_ns = 1 / (1 / of.mean_ns + 1 / of.good_ns)
    return math.sqrt(2 * of.bad_share * (1 - of.bad_share) * memory_ns / time_ns)


@pytest.mark.parametrize("within", [1.0, 0.5])
def test_the_chain_has_its_share_and_its_memory(within: float) -> None:
    of = BurstSettings(share=0.05, mean_ns=SECOND, within=within)
    step_ns, count = SECOND // 2, 400_000
    bad = path(of).bad(np.arange(count) * step_ns)
    error = error_of_share(of, count * step_ns)
    assert bad.mean() == pytest.approx(0.05 / within, abs=4 * error)
    again, number = bad[1:][bad[:-1]].mean(), bad.sum()
    expected = stays_bad(of, step_ns)
    assert again == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / number))


def test_a_run_begins_in_the_stationary_state() -> None:
    of = BurstSettings(share=0.2, mean_ns=SECOND)
    found = np.array([path(of, n).bad(np.array([0, 100 * SECOND])) for n in range(2000)])
    error = math.sqrt(0.2 * 0.8 / len(found))
    assert found.mean(axis=0) == pytest.approx([0.2, 0.2], abs=4 * error)


@given(st.lists(st.integers(0, 10**11), min_size=1, max_size=30), st.booleans())
@settings(max_examples=50, deadline=None)
def test_a_path_is_the_same_in_whatever_order_it_is_asked(
    times: list[int], backwards: bool
) -> None:
    of = BurstSettings(share=0.3, mean_ns=SECOND, within=0.6)
    whole = path(of)
    begin_ns, end_ns = whole.until(10**11)
    expected = [any(b <= t < e for b, e in zip(begin_ns, end_ns, strict=True)) for t in times]
    asked = path(of)
    for t, bad in sorted(zip(times, expected, strict=True), reverse=backwards):
        assert asked.passes(t) == (0.4 if bad else 1.0)
    assert path(of).bad(np.array(times)).tolist() == expected


def test_a_burst_is_of_a_path_and_strikes_both_ways() -> None:
    bursts = BurstSettings(share=0.3, mean_ns=SECOND)
    made = Network(NetworkSettings(bursts=bursts), Recorded(), SITES, seed=3, replication=1)
    times = range(0, 100 * SECOND, SECOND // 4)
    lost = {
        ends: [made.links[ends].draw(t) < 0 for t in times]
        for ends in (("a", "b"), ("b", "a"), ("a", "c"), ("c", "b"))
    }
    assert lost["a", "b"] == lost["b", "a"]
    assert lost["a", "b"] != lost["a", "c"]
    assert 0.1 < np.mean(lost["c", "b"]) < 0.5


def test_no_share_is_no_burst() -> None:
    bursts = BurstSettings(share=0.0, mean_ns=SECOND)
    made = Network(NetworkSettings(bursts=bursts), Recorded(), SITES, seed=3, replication=1)
    assert made.links["a", "b"].bursts is None


def test_false_failovers_of_independent_loss_and_of_bursts() -> None:
    """At 0.1 % of the checks lost, one a second, three in a row: 0.03 and 4,600 a master-year."""
    lost = 0.001
    assert lost**3 * YEAR / SECOND == pytest.approx(0.0316, abs=1e-4)
    bursts = BurstSettings(share=lost, mean_ns=2 * SECOND)
    assert mistakes_per_s(bursts, 1.0, 3) * YEAR / SECOND == pytest.approx(4600, rel=0.01)


def declared_per_s(
    of: BurstSettings, interval_s: float, timeout_s: float, fall: int, rise: int
) -> float:
    """How often a healthy master is declared failed, when all is lost in a burst.

    A Markov chain from check to check, for the outcome of one tells the state of the path: 0 to
    `fall` - 1 checks lost in a row, then failed with 0 to `rise` - 1 answered in a row. After one
    that is lost, the next comes a timeout later.
    """
    count = fall + rise
    lost = np.array([0 < state <= fall for state in range(count)])
    steps_s = interval_s + timeout_s * lost
    again = np.array([stays_bad(of, step * SECOND) for step in steps_s])
    odds = of.bad_share / (1 - of.bad_share)
    bad = np.where(lost, again, (1 - again) * odds)
    chain = np.zeros((count, count))
    for state in range(count):
        chain[state, min(state + 1, fall) if state < fall else fall] += bad[state]
        chain[state, 0 if state < fall else (state + 1) % count] += 1 - bad[state]
    balance = np.vstack([chain.T - np.eye(count), np.ones(count)])
    stationary = np.linalg.lstsq(balance, np.append(np.zeros(count), 1.0), rcond=None)[0]
    return float(stationary[fall - 1] * bad[fall - 1] / (stationary @ steps_s))


@pytest.mark.parametrize(
    ("hours", "within"), [(0.2, 0.12), pytest.param(2, 0.02, marks=pytest.mark.slow)]
)
def test_mistakes_come_as_often_as_the_chain_says(hours: float, within: float) -> None:
    bursts = BurstSettings(share=0.3, mean_ns=4 * SECOND)
    count = 10
    settings = world(
        hours * HOUR / SECOND,
        count,
        network=dataclasses.replace(NO_LATENCY, bursts=bursts),
        traffic=traffic(1e-5, owned=0.0),
        detection=detection(
            interval_ns=SECOND,
            fast_interval_ns=SECOND,
            timeout_ns=10 * MILLISECOND,
            evidence=("probe",),
            fall=3,
            rise=2,
        ),
        failover=FailoverSettings(fencing=NoFencingSettings()),
    )
    rare = BurstSettings(share=0.001, mean_ns=2 * SECOND)
    assert declared_per_s(rare, 1.0, 0.0, 3, 1) == pytest.approx(
        mistakes_per_s(rare, 1.0, 3), rel=0.001
    )
    per_s = []
    for replication in range(8):
        changes = run(settings, replication=replication).of(StatusChanged)
        # One that recovers and does not hold out was declared before.
        declared = sum(
            e.new is Status.FAILED and e.old is not Status.RECOVERING for _, e in changes
        )
        per_s.append(declared / count / hours / 3600)
    assert_met(per_s, declared_per_s(bursts, 1.0, 0.01, 3, 2), within)


@pytest.mark.parametrize(
    ("plane", "horizon_s", "within"), [("compiled", 2500, 0.02), ("reference", 30, 0.2)]
)
def test_messages_are_lost_by_the_share(plane: str, horizon_s: float, within: float) -> None:
    bursts = BurstSettings(share=0.1, mean_ns=20 * MILLISECOND, within=0.8)
    settings = world(
        horizon_s,
        network=NetworkSettings(bursts=bursts, local_rtt_ns=0),
        masters=masters(1, service=Constant(mean_ns=1)),
        traffic=traffic(50, owned=0.0, timeout_ns=SECOND, retry=RetrySettings(attempts=1)),
        data_plane=plane,
        detection=detection(evidence=("probe",), interval_ns=10 * HOUR),
    )
    shares = []
    for replication in range(12):
        (found,) = results(settings, replication=replication)
        settled = found.outcome[found.ended_ns > 0]
        shares.append(float(np.mean(settled == OUTCOMES.index(Cause.TIMEOUT))))
    # One crossing there, and one back if the first passes: in the same state of the path.
    assert_met(shares, bursts.bad_share * (1 - 0.2**2), within)
