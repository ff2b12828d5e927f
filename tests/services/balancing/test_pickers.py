"""Pickers against slow, independent definitions and published tables and sequences."""

from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction
from itertools import combinations, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hasim.services.balancing.chance import DRAWS, hash_of_number, mix, uniform
from hasim.services.balancing.fairness import jain_index
from hasim.services.balancing.gauge import GAUGE, latency_at, level_of, note_latency
from hasim.services.balancing.pickers.draw import candidate
from hasim.services.balancing.pickers.latency import faded
from hasim.services.balancing.pickers.peak_ewma import PENALTY, peak_cost
from hasim.services.balancing.pickers.prequal import (
    best_probe,
    hot_above,
    load_of,
    master_of,
    prequal_probed,
    uses_of_a_probe,
    worst_probe,
)
from hasim.services.balancing.pickers.turns import begin_turns
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.balancing.settings import PrequalSettings
from hasim.services.balancing.tables import hash_of, is_prime, maglev_table, populate, ring
from hasim.services.gateway.avoiding import chooser
from hasim.services.gateway.guards.panic import level_health
from hasim.units import MILLISECOND, SECOND
from tests.services.balancing.fleets import fleet, letters, pick, request, shares

FLEET = st.lists(
    st.tuples(
        st.booleans(), st.integers(0, 9), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3)
    ),
    min_size=1,
    max_size=6,
)
COLUMNS = ("eligible", "in_flight", "base_weight", "tier", "rtt")


def of_rows(algorithm: str, rows, **more):
    columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    return fleet(algorithm, len(rows), workers=list(columns["base_weight"]), **columns, **more)


def choose(algorithm: str, of, avoid: int, **more) -> int:
    avoided = [avoid] if avoid >= 0 else []
    return chooser(ALGORITHMS[algorithm].pick)(of, request(0.5, 0.5, **more), avoided)


def may(rows, avoid: int) -> list[int]:
    """Eligible indexes, without `avoid` unless it is the only one."""
    eligible = [i for i, row in enumerate(rows) if row[0]]
    return [i for i in eligible if i != avoid] or eligible


# -- all of them ---------------------------------------------------------------


@given(
    st.sampled_from(sorted(ALGORITHMS)),
    FLEET,
    st.lists(st.integers(0, 5), max_size=4),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 2**63 - 1)), max_size=20),
)
def test_nobody_is_picked_who_must_not_be(algorithm: str, rows, avoid, messages) -> None:
    """Whatever happens, an eligible master that has not failed the message, if there is one.

    Else one that is not the last that failed it, else that one; -1 only if there is nobody.
    """
    of = of_rows(algorithm, rows, ring_size=16, table_size=13, sessions=7)
    avoid = [index for index in avoid if index < len(rows)]
    before = list(of.weight)
    eligible = [i for i, row in enumerate(rows) if row[0]]
    among = [i for i in eligible if i not in avoid]
    among = among or [i for i in eligible if i != avoid[-1]] or eligible
    for now, (u, hash_) in enumerate(messages):
        index = chooser(ALGORITHMS[algorithm].pick)(
            of, request(*(u,) * DRAWS, now=now * SECOND, hash=hash_, has_key=hash_ % 2 == 0), avoid
        )
        assert (index in among) if among else index == -1
        if index >= 0 and ALGORITHMS[algorithm].probed:
            ALGORITHMS[algorithm].probed(of, hash_ % len(rows), now * SECOND, hash_ % 7, 1000)
        if index >= 0 and ALGORITHMS[algorithm].ended:
            ALGORITHMS[algorithm].ended(of, index, now * SECOND, 1000, hash_ % 3 == 0)
        assert of.weight == before
        assert not any(of.held)


@given(st.sampled_from(sorted(ALGORITHMS)), st.integers(1, 5))
def test_with_nobody_eligible_the_memory_stays_as_it_is(algorithm: str, masters: int) -> None:
    of = fleet(algorithm, masters, eligible=[False] * masters, sessions=7, table_size=13)
    before = (list(of.counts), list(of.values))
    assert pick(algorithm, of, *(0.3, 0.9) * 4, has_key=True, hash=5) == -1
    assert (list(of.counts), list(of.values)) == before


def test_when_all_have_failed_only_the_last_one_is_avoided() -> None:
    """Whoever failed before it is as good as anybody: the two of the least load take turns."""
    of, failed = fleet("least-loaded", 3, in_flight=[3, 1, 2]), []
    for _ in range(8):
        failed.append(chooser(ALGORITHMS["least-loaded"].pick)(of, request(), failed))
    assert failed == [1, 2, 0, 1, 2, 1, 2, 1]


# -- without weights, by load, by distance ---------------------------------------


@given(st.lists(st.booleans(), min_size=1, max_size=7), st.integers(0, 30))
def test_round_robin_goes_around_the_eligible(eligible: list[bool], picks: int) -> None:
    of = fleet("round-robin", len(eligible), eligible=eligible)
    seen = [pick("round-robin", of) for _ in range(picks)]
    circle = [i for i, ok in enumerate(eligible) if ok] or [-1]
    assert seen == [circle[i % len(circle)] for i in range(picks)]


@given(FLEET, st.integers(-1, 6))
def test_least_loaded_is_the_minimum_of_the_exact_ratio(rows, avoid: int) -> None:
    avoid = min(avoid, len(rows) - 1)
    expected = min(
        may(rows, avoid), key=lambda i: (Fraction(rows[i][1], rows[i][2]), i), default=-1
    )
    assert choose("least-loaded", of_rows("least-loaded", rows), avoid) == expected


@pytest.mark.parametrize("algorithm", [name for name, a in ALGORITHMS.items() if a.begin])
@given(start=st.integers(0, 4), masters=st.integers(1, 5), picks=st.integers(0, 20))
def test_masters_that_are_alike_have_turns_from_a_start_on(
    algorithm, start, masters, picks
) -> None:
    of = fleet(algorithm, masters, workers=[100] * masters, sessions=7)
    begin_turns(of.counts, masters, start % masters)
    seen = [pick(algorithm, of, 0.5) for _ in range(picks)]
    assert seen == [(start + number) % masters for number in range(picks)]


@given(st.lists(st.sets(st.integers(0, 4), min_size=1), max_size=40), st.integers(0, 4))
def test_who_is_picked_longest_ago_is_picked_whoever_may_be(among, start: int) -> None:
    """A slow definition: a list of all masters, from which the first one that may goes last."""
    of, line = fleet("least-loaded", 5), [(start + number) % 5 for number in range(5)]
    begin_turns(of.counts, 5, start)
    for may_be in among:
        of.weight[:] = [float(index in may_be) for index in range(5)]
        expected = next(index for index in line if index in may_be)
        line.remove(expected)
        line.append(expected)
        assert pick("least-loaded", of) == expected


@given(FLEET, st.integers(-1, 6))
def test_geo_is_the_nearest_then_the_least_loaded(rows, avoid: int) -> None:
    avoid = min(avoid, len(rows) - 1)
    expected = min(
        may(rows, avoid),
        key=lambda i: (rows[i][4], Fraction(rows[i][1], rows[i][2]), i),
        default=-1,
    )
    assert choose("geo", of_rows("geo", rows), avoid) == expected


@given(FLEET, st.integers(-1, 6))
def test_all_or_nothing_is_the_first_tier_then_the_least_loaded(rows, avoid: int) -> None:
    avoid = min(avoid, len(rows) - 1)
    expected = min(
        may(rows, avoid),
        key=lambda i: (rows[i][3], Fraction(rows[i][1], rows[i][2]), i),
        default=-1,
    )
    name = "priority-all-or-nothing"
    assert choose(name, of_rows(name, rows), avoid) == expected


@given(FLEET, st.integers(-1, 6), st.booleans(), st.sampled_from([0.0, 0.2, 0.5]))
def test_priority_is_the_first_tier_with_room(rows, avoid: int, vip: bool, reserve: float) -> None:
    avoid = min(avoid, len(rows) - 1)
    chosen = choose("priority", of_rows("priority", rows, reserve=reserve), avoid, vip=vip)
    among = may(rows, avoid)
    room = [i for i in among if rows[i][1] < (rows[i][2] if vip else rows[i][2] * (1.0 - reserve))]

    def load(i: int) -> Fraction:
        return Fraction(rows[i][1], rows[i][2])

    if room:
        assert chosen == min(room, key=lambda i: (rows[i][3], load(i), i))
    else:
        assert chosen == min(among, key=lambda i: (load(i), i), default=-1)


# -- weights -----------------------------------------------------------------------


def test_smooth_weighted_round_robin_as_nginx() -> None:
    """The sequence in nginx's source and change log: weights 5, 1, 1."""
    of = fleet("weighted-round-robin", 3, base_weight=[5.0, 1.0, 1.0])
    assert letters("weighted-round-robin", of, 14) == "aabacaa" * 2


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_weighted_round_robin_gives_everybody_its_weight_in_each_circle(weights) -> None:
    of = fleet("weighted-round-robin", len(weights), base_weight=[float(w) for w in weights])
    for _ in range(3):
        counts = Counter(pick("weighted-round-robin", of) for _ in range(sum(weights)))
        assert [counts[i] for i in range(len(weights))] == weights


def test_weighted_random_is_in_proportion_and_random_is_even() -> None:
    of = fleet("weighted-random", 3, base_weight=[5.0, 1.0, 2.0], eligible=[True, False, True])
    assert shares("weighted-random", of, [0, 1, 2], 7000) == {0: 5000 / 7000, 2: 2000 / 7000}
    assert shares("random", of, [0, 1, 2]) == {0: 0.5, 2: 0.5}


# -- two choices -----------------------------------------------------------------------


def draws(count: int):
    source = random.Random(5)
    return [(source.random(), source.random()) for _ in range(count)]


@pytest.mark.parametrize(
    ("algorithm", "share"), [("two-choices", 0.0), ("two-choices-with-replacement", 0.25)]
)
def test_how_often_the_busier_of_two_masters_is_taken(algorithm: str, share: float) -> None:
    """Envoy's documentation: with two hosts and replacement, 25 %."""
    of = fleet(algorithm, 2, in_flight=[3, 9])
    busier = sum(pick(algorithm, of, *pair) for pair in draws(40_000)) / 40_000
    assert abs(busier - share) <= 3.3 * math.sqrt(share * (1 - share) / 40_000)


@pytest.mark.parametrize("algorithm", ["two-choices", "two-choices-with-replacement", "peak-ewma"])
def test_two_choices_draw_every_pair_alike(algorithm: str) -> None:
    """With loads in order, master i of n wins when it is drawn with none below it."""
    n, count = 5, 50_000
    of = fleet(algorithm, n, in_flight=list(range(n)))
    if algorithm == "peak-ewma":
        of = of._replace(values=[1.0] * n)
    wins = Counter(pick(algorithm, of, *pair) for pair in draws(count))
    for i in range(n):
        both_above = n - i  # masters i and above
        if algorithm == "two-choices-with-replacement":
            expected = (both_above**2 - (both_above - 1) ** 2) / n**2
        else:
            expected = (both_above - 1) / math.comb(n, 2)
        error = math.sqrt(expected * (1 - expected) / count)
        assert abs(wins[i] / count - expected) <= 4 * error


@pytest.mark.parametrize("choices", [3, 5, 8])
def test_more_choices_are_different_masters_each_set_alike(choices: int) -> None:
    """Of 6 masters with loads in order, i wins if it is drawn with none below it."""
    n, count, source = 6, 20_000, random.Random(7)
    of = fleet("two-choices", n, in_flight=list(range(n)), choices=choices)
    wins = Counter(
        pick("two-choices", of, *(source.random() for _ in range(DRAWS))) for _ in range(count)
    )
    for i in range(n):
        d = min(choices, n)
        expected = math.comb(n - i - 1, d - 1) / math.comb(n, d)
        error = math.sqrt(expected * (1 - expected) / count)
        assert abs(wins[i] / count - expected) <= 4 * error


@pytest.mark.parametrize("algorithm", ["two-choices", "two-choices-with-replacement"])
def test_of_two_with_the_same_load_the_first_drawn_is_taken(algorithm: str) -> None:
    of = fleet(algorithm, 4, in_flight=[2, 4, 2, 6], base_weight=[1.0, 2.0, 1.0, 3.0])
    assert pick(algorithm, of, 0.0, 0.99) == 0  # then 3
    assert pick(algorithm, of, 0.99, 0.0) == 3  # then 0


def test_of_more_choices_with_replacement_the_busiest_of_two_is_taken_more_rarely() -> None:
    """All of d draws hit the busier one of two: 1/2^d."""
    of = fleet("two-choices-with-replacement", 2, in_flight=[3, 9], choices=4)
    source, count = random.Random(5), 40_000
    draws_ = ([source.random() for _ in range(4)] for _ in range(count))
    busier = sum(pick("two-choices-with-replacement", of, *u) for u in draws_) / count
    assert abs(busier - 1 / 16) <= 4 * math.sqrt(15 / 256 / count)


# -- tiers and regions, as Envoy ---------------------------------------------------------


def tiers(*healthy: int):
    """Tiers of 100 masters of which so many are eligible."""
    tier = [number for number in range(len(healthy)) for _ in range(100)]
    eligible = [i < many for many in healthy for i in range(100)]
    return fleet("priority-spillover", len(tier), tier=tier, eligible=eligible), tier


@pytest.mark.parametrize(
    ("healthy", "load"),
    [
        ((100, 100), (100, 0)),
        ((72, 100), (100, 0)),
        ((71, 100), (99, 1)),
        ((50, 100), (70, 30)),
        ((25, 100), (35, 65)),
        ((0, 100), (0, 100)),
        ((25, 25), (50, 50)),
        ((25, 25, 100), (35, 35, 30)),
        ((25, 25, 20), (36, 36, 28)),
    ],
)
def test_priority_spillover_against_the_table_of_envoy(healthy, load) -> None:
    """priority.rst: whole percents, of which a tier gets no more than those before it leave."""
    of, tier = tiers(*healthy)
    found, left = shares("priority-spillover", of, tier), 100
    for number, expected in enumerate(load):
        rounded = min(left, round(100 * found.get(number, 0.0)))
        assert rounded == expected
        left -= rounded
    assert left == 0


@pytest.mark.parametrize("algorithm", ["priority-spillover", "geo-weighted-spillover"])
def test_who_is_no_part_of_the_cluster_does_not_count(algorithm: str) -> None:
    """As with two masters of three: the third neither is missed nor has a weight."""
    there = {"eligible": [True, True, False, True, True], "member": [True, True, False, True, True]}
    of = fleet(algorithm, 5, tier=[1, 1, 1, 2, 2], region=[0, 0, 0, 1, 1], **there)
    without = fleet(algorithm, 4, tier=[1, 1, 2, 2], region=[0, 0, 1, 1])
    found = shares(algorithm, of, list(of.region))
    assert found == shares(algorithm, without, list(without.region))
    assert found == ({0: 1.0} if algorithm == "priority-spillover" else {0: 0.5, 1: 0.5})


def test_a_tier_of_which_nobody_is_a_part_of_the_cluster_has_no_health() -> None:
    there = [False, False, True, True]
    of = fleet("priority-spillover", 4, tier=[1, 1, 2, 2], eligible=there, member=there)
    assert shares("priority-spillover", of, list(of.tier)) == {2: 1.0}


@pytest.mark.parametrize(
    ("healthy", "share"), [(100, 33), (70, 33), (69, 32), (50, 26), (25, 15), (0, 0)]
)
def test_geo_weighted_spillover_against_the_table_of_envoy(healthy: int, share: int) -> None:
    """locality_weight.rst: X of weight 1, Y of weight 2 and healthy; the share of X in percent.

    There the availability is a whole percent (96 % for 69), and the share is rounded.
    """
    of = fleet(
        "geo-weighted-spillover",
        200,
        region=[0] * 100 + [1] * 100,
        base_weight=[0.01] * 100 + [0.02] * 100,
        eligible=[i < healthy or i >= 100 for i in range(200)],
    )
    whole = level_health(140, healthy, 100)
    assert round(100 * whole / (whole + 200)) == share
    exact = min(1.4 * healthy, 100) / (min(1.4 * healthy, 100) + 200)
    steps = 1000
    found = shares("geo-weighted-spillover", of, list(of.region), steps)
    assert abs(found.get(0, 0.0) - exact) <= 0.5 / steps + 1e-9


# -- latency -----------------------------------------------------------------------------


def test_peak_ewma_by_hand() -> None:
    """Finagle's rule with a decay of 10 s: 20 ms at 0 s; 80 ms at 1 s; 20 ms at 11 s."""
    of = fleet("peak-ewma", 2)
    ended = ALGORITHMS["peak-ewma"].ended
    assert ended is not None
    ended(of, 0, 0, 20 * MILLISECOND, False)
    ended(of, 0, SECOND, 80 * MILLISECOND, False)
    assert of.values[0] == 80 * MILLISECOND  # a peak at once
    ended(of, 0, 11 * SECOND, 20 * MILLISECOND, False)
    after = (80 * math.exp(-1) + 20 * (1 - math.exp(-1))) * MILLISECOND
    assert of.values[0] == pytest.approx(after, rel=1e-12)
    of.in_flight[:] = [2, 3]
    # Read 5 s later: decayed toward nothing, times what would be in flight.
    assert peak_cost(of, 0, 16 * SECOND) == pytest.approx(after * math.exp(-0.5) * 3, rel=1e-12)
    assert peak_cost(of, 1, 16 * SECOND) == PENALTY + 3
    assert pick("peak-ewma", of, 0.9, 0.0, now=16 * SECOND) == 0
    of.in_flight[:] = [2, 0]
    assert pick("peak-ewma", of, 0.1, 0.0, now=16 * SECOND) == 1  # costs nothing: nothing is known


class FinaglePeakEwma:
    """PeakEwma.scala, transcribed: reading observes 0. Times in nanoseconds."""

    def __init__(self, decay_ns: int) -> None:
        self.decay_ns, self.stamp, self.cost = decay_ns, 0, 0.0

    def observe(self, now: int, rtt: float) -> None:
        weight = math.exp(-(now - self.stamp) / self.decay_ns)
        self.cost = rtt if rtt > self.cost else self.cost * weight + rtt * (1 - weight)
        self.stamp = now

    def get(self, now: int, pending: int) -> float:
        self.observe(now, 0.0)
        penalty = self.cost == 0.0 and pending != 0
        return PENALTY + pending if penalty else self.cost * (pending + 1)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3 * SECOND), st.sampled_from([0, 1, 2]), st.integers(1, 2 * SECOND)
        ),
        max_size=60,
    )
)
def test_peak_ewma_is_finagles_with_readings_in_between(steps) -> None:
    of, finagle, now = fleet("peak-ewma", 1), FinaglePeakEwma(10 * SECOND), 0
    for pause_ns, readings, elapsed_ns in steps:
        now += pause_ns
        for _ in range(readings):
            of.in_flight[0] = readings - 1
            assert peak_cost(of, 0, now) == pytest.approx(
                finagle.get(now, readings - 1), rel=1e-9, abs=1e-30
            )
        if readings != 1:
            ALGORITHMS["peak-ewma"].ended(of, 0, now, elapsed_ns, False)
            finagle.observe(now, elapsed_ns)
    assert of.values[0] == pytest.approx(finagle.cost, rel=1e-9, abs=1e-30)


@pytest.mark.parametrize(("read", "after_ms"), [(False, 56.3), (True, 36.7)])
def test_a_peak_is_forgotten_faster_while_it_is_looked_at(read: bool, after_ms: float) -> None:
    """A peak of 2 s, then 20 ms each 200 ms for 40 s, perhaps with a reading just before."""
    of = fleet("peak-ewma", 1)
    two = fleet("peak-ewma", 2)
    ended = ALGORITHMS["peak-ewma"].ended
    for one in (of, two):
        ended(one, 0, 0, 2 * SECOND, False)
    for step in range(1, 201):
        now = step * SECOND // 5
        if read:
            peak_cost(of, 0, now - MILLISECOND // 10)
            assert pick("peak-ewma", two, 0.0, 0.0, now=now - MILLISECOND // 10) == 1
        for one in (of, two):
            ended(one, 0, now, 20 * MILLISECOND, False)
    assert of.values[0] / MILLISECOND == pytest.approx(after_ms, abs=0.1)
    assert two.values[0] == of.values[0]  # a pick is a reading


def test_a_failure_counts_as_the_penalty_if_there_is_one() -> None:
    of = fleet("peak-ewma", 1, failure_penalty_ns=5 * SECOND)
    ALGORITHMS["peak-ewma"].ended(of, 0, 0, MILLISECOND, True)
    assert of.values[0] == 5 * SECOND
    of = fleet("peak-ewma", 1)
    ALGORITHMS["peak-ewma"].ended(of, 0, 0, MILLISECOND, True)
    assert of.values[0] == MILLISECOND  # the sinkhole: a fast failure looks fast


def test_least_latency_takes_the_soonest_and_comes_back_to_the_forgotten() -> None:
    of = fleet("least-latency", 3)
    ended = ALGORITHMS["least-latency"].ended
    for index, milliseconds in enumerate((30, 10, 20)):
        ended(of, index, 0, milliseconds * MILLISECOND, False)
    assert pick("least-latency", of) == 1
    ended(of, 1, 10 * SECOND, 10 * MILLISECOND, False)  # 20 ms and silence: 20 / e = 7.4 ms
    assert pick("least-latency", of, now=10 * SECOND) == 2


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 10**9)), min_size=4, max_size=40))
def test_least_latency_orders_as_the_faded_averages(answers) -> None:
    """Its ranks need no exponential; the definition does."""
    of, now = fleet("least-latency", 4), 0
    for index, elapsed_ns in answers:
        now += elapsed_ns
        ALGORITHMS["least-latency"].ended(of, index, now, elapsed_ns, False)
    costs = [faded(of, index, now + SECOND) for index in range(4)]
    assert costs[pick("least-latency", of)] <= min(costs) * (1 + 1e-9)


def test_geo_hysteresis_keeps_the_nearest_within_the_badness() -> None:
    of = fleet("geo-hysteresis", 2, rtt=[1000, 2000])
    ended = ALGORITHMS["geo-hysteresis"].ended
    ended(of, 1, 0, 100 * MILLISECOND, False)
    ended(of, 0, 0, 110 * MILLISECOND, False)
    assert pick("geo-hysteresis", of) == 0  # not more than 10 % above
    of.values[0] = 110.1 * MILLISECOND
    assert pick("geo-hysteresis", of) == 1
    of.values[0] = 10 * MILLISECOND
    assert pick("geo-hysteresis", of) == 0
    of.values[0] = 500.0 * MILLISECOND
    assert pick("geo-hysteresis", of, now=599 * SECOND) == 1
    assert pick("geo-hysteresis", of, now=600 * SECOND) == 0  # forgotten: tried again
    ended(of, 0, 600 * SECOND, 2000, True)  # fails at once: no sample of how long it takes
    assert of.values[0] == 2000.0  # but the first one
    ended(of, 0, 601 * SECOND, 10, True)
    assert of.values[0] == 2000.0


def test_geo_hysteresis_remembers_from_one_reset_to_the_next() -> None:
    of = fleet("geo-hysteresis", 2, rtt=[1000, 2000])
    ended = ALGORITHMS["geo-hysteresis"].ended
    assert pick("geo-hysteresis", of, now=600 * SECOND) == 0  # the first reset
    ended(of, 0, 600 * SECOND, 500 * MILLISECOND, False)
    ended(of, 1, 600 * SECOND, 100 * MILLISECOND, False)
    assert pick("geo-hysteresis", of, now=601 * SECOND) == 1
    assert pick("geo-hysteresis", of, now=1199 * SECOND) == 1
    assert pick("geo-hysteresis", of, now=1200 * SECOND) == 0


def test_geo_hysteresis_compares_only_masters_that_were_heard_of() -> None:
    """The bare distance of a far one is no latency, and is less than others' time to serve."""
    of = fleet("geo-hysteresis", 3, rtt=[2 * MILLISECOND, 2 * MILLISECOND, 30 * MILLISECOND])
    ended = ALGORITHMS["geo-hysteresis"].ended
    ended(of, 0, 0, 100 * MILLISECOND, False)
    assert pick("geo-hysteresis", of) == 0
    of.in_flight[0] = 1
    assert pick("geo-hysteresis", of) == 1  # as near, less loaded, and not heard of
    of.in_flight[0] = 0
    ended(of, 1, 0, 50 * MILLISECOND, False)
    assert pick("geo-hysteresis", of) == 1
    ended(of, 2, 0, 40 * MILLISECOND, False)
    assert pick("geo-hysteresis", of) == 2


def test_geo_hysteresis_compares_the_shortest_latencies_too() -> None:
    of = fleet("geo-hysteresis", 2, rtt=[1000, 2000])
    ended = ALGORITHMS["geo-hysteresis"].ended
    ended(of, 0, 0, 2, False)
    ended(of, 1, 0, 1, False)
    assert pick("geo-hysteresis", of) == 1


def test_there_is_no_candidate_beyond_the_last_one() -> None:
    assert [candidate([1.0, 0.0, 2.0], place) for place in range(4)] == [0, 2, -1, -1]


# -- idle, power ------------------------------------------------------------------------


def test_join_idle_queue_serves_in_line_and_else_at_random() -> None:
    of = fleet("join-idle-queue", 3)
    ended = ALGORITHMS["join-idle-queue"].ended

    def send(u: float = 0.0) -> int:
        index = pick("join-idle-queue", of, u)
        of.in_flight[index] += 1
        return index

    assert [send() for _ in range(3)] == [0, 1, 2]
    assert send(0.99) == 2  # nobody is idle
    for index in (2, 1, 0):  # 2 has another one in flight
        of.in_flight[index] -= 1
        ended(of, index, 0, 1, False)
    assert [send() for _ in range(2)] == [1, 0]


def test_a_master_with_another_free_worker_goes_to_the_end_of_the_line() -> None:
    of = fleet("join-idle-queue", 3, workers=[2, 3, 1])
    picked = []
    for _ in range(6):
        picked.append(pick("join-idle-queue", of))
        of.in_flight[picked[-1]] += 1
    assert picked == [0, 1, 2, 0, 1, 1]


def test_power_aware_by_hand() -> None:
    """gRPC A58: 100/s at 50 % without errors weighs 200; 100/s at 50 % with 25 % errors 133.3."""
    of = fleet("power-aware", 3)
    reported = ALGORITHMS["power-aware"].reported
    for now in (0, 10 * SECOND):
        reported(of, 0, now, 100.0, 0.0, 0.5)
        reported(of, 1, now, 100.0, 25.0, 0.5)
    assert of.values[3:] == [200.0, pytest.approx(100 / 0.75), 0.0]
    even = Counter(pick("power-aware", of, now=9 * SECOND) for _ in range(300))
    assert even == {0: 100, 1: 100, 2: 100}  # blackout: the reports are too new
    of.values[:3] = [0.0] * 3
    later = Counter(pick("power-aware", of, now=11 * SECOND) for _ in range(600))
    mean = (200 + 100 / 0.75) / 2  # what is unknown counts as the mean
    for index, weight in enumerate((200, 100 / 0.75, mean)):
        assert abs(later[index] - 600 * weight / (3 * mean)) < 1
    of.values[:3] = [0.0] * 3
    stale = Counter(pick("power-aware", of, now=190 * SECOND) for _ in range(300))
    assert stale == {0: 100, 1: 100, 2: 100}  # expired


# -- probes ------------------------------------------------------------------------------


def probed(of, *answers: tuple[int, int, int], now: int = 0) -> None:
    """Answers to load probes: (master, in flight, latency)."""
    for master, in_flight, latency_ns in answers:
        ALGORITHMS["prequal"].probed(of, master, now, in_flight, latency_ns)


def pool(of) -> list[tuple[int, int]]:
    """Masters and loads in the pool, from the oldest on."""
    return [(master_of(of, probe), load_of(of, probe)) for probe in range(of.counts[7])]


U = (0.5,) * 8


def test_prequal_by_hand() -> None:
    """Loads 1, 2, 9: the quantile 0.84 is 2 + 0.68 x 7 = 6.77, so that 9 is hot."""
    of = fleet("prequal", 3)
    probed(of, (0, 1, 50), (1, 2, 20), (2, 9, 5))
    assert hot_above(of, 3) == pytest.approx(2 + (2 * 2**-0.25 - 1) * 7)
    assert pick("prequal", of, *U) == 1  # the least latency of those that are not hot
    assert pool(of) == [(0, 1), (1, 3)]  # used: one more in flight; the worst one is removed
    assert pick("prequal", of, *U) == 0  # 1, 3: now master 1 is hot
    assert pool(of) == [(1, 3)]  # in turns, the oldest is removed
    assert [pick("prequal", of, u, *U[1:]) for u in (0.1, 0.5, 0.9)] == [0, 1, 2]  # too few


def test_prequal_with_loads_alike_takes_the_least_latency() -> None:
    of = fleet("prequal", 3)
    probed(of, (0, 4, 30), (1, 4, 20), (2, 4, 25))
    assert pick("prequal", of, *U) == 1
    assert pool(of) == [(0, 4), (2, 4)]  # the one that was used is hot now, and removed


def test_prequal_never_picks_the_hot_one_whose_errors_are_fast_unless_it_is_all_there_is() -> None:
    of = fleet("prequal", 3, eligible=[False, True, True])
    probed(of, (0, 0, 1), (1, 3, 900), (2, 8, 1))
    assert pick("prequal", of, *U) == 1  # master 0 must not be picked, 2 is hot


def test_probes_are_forgotten_and_replaced() -> None:
    of = fleet("prequal", 4, prequal=PrequalSettings(pool=3, removals=0.001))
    probed(of, (0, 1, 1), (1, 1, 1))
    probed(of, (0, 2, 1), now=SECOND // 2)
    assert pool(of) == [(1, 1), (0, 2)]  # one of each master, the later one
    probed(of, (2, 1, 1), (3, 1, 1), now=SECOND)
    assert pool(of) == [(0, 2), (2, 1), (3, 1)]  # full: the oldest goes
    pick("prequal", of, *U, now=SECOND + SECOND // 2 + 1)
    assert [master for master, _ in pool(of)] == [2, 3]  # older than a second


def test_a_probe_is_used_as_often_as_the_paper_says() -> None:
    """b_reuse = 2 / ((1 - 16/100) 3 - 1) = 1.32 with 100 masters; without end with few."""
    of = fleet("prequal", 100)
    assert uses_of_a_probe(of) == pytest.approx(2 / (0.84 * 3 - 1))
    uses = []
    for master in range(100):
        probed(of, (master, 1, 1))
        uses.append(of.values[2 + 2 * (of.counts[7] - 1) + 1])
    assert sum(uses) / 100 == pytest.approx(2 / (0.84 * 3 - 1), abs=0.011)
    assert set(uses) == {1.0, 2.0}
    assert uses_of_a_probe(fleet("prequal", 5)) > 1e9


def test_probed_masters_are_different_and_each_as_often() -> None:
    of, source = fleet("prequal", 5, eligible=[True, True, False, True, True]), random.Random(3)
    counts: Counter[tuple[int, ...]] = Counter()
    for _ in range(8000):
        pick("prequal", of, *(source.random() for _ in range(8)))
        counts[tuple(of.counts[1 : 1 + of.counts[0]])] += 1
    assert set(counts) == set(combinations([0, 1, 3, 4], 3))
    assert all(abs(n - 2000) < 4 * math.sqrt(8000 * 0.25 * 0.75) for n in counts.values())


def test_a_gauge_tells_the_median_at_the_nearest_level() -> None:
    memory = [0] * (2 * GAUGE)
    assert latency_at(memory, GAUGE, 0) == 0
    for latency_ns in (70, 10, 90, 50):  # the latest three: 10, 90, 50
        note_latency(memory, GAUGE, level_of(9, 4), latency_ns)
    assert latency_at(memory, GAUGE, level_of(2, 4)) == 50
    note_latency(memory, GAUGE, level_of(3, 4), 8)
    note_latency(memory, GAUGE, level_of(3, 4), 5)
    assert latency_at(memory, GAUGE, level_of(2, 4)) == 6
    assert memory[:GAUGE] == [0] * GAUGE
    assert [level_of(n, 4) for n in (0, 1, 4, 15, 99)] == [0, 1, 4, 15, 15]


# -- hashing ---------------------------------------------------------------------------------

KEYS = [hash_of_number(key) for key in range(20_000)]


def masters_of_keys(algorithm: str, masters: int, gone: int = -1, **more) -> list[int]:
    of = fleet(algorithm, masters, eligible=[i != gone for i in range(masters)], **more)
    return [pick(algorithm, of, hash=key) for key in KEYS]


def moved(algorithm: str, masters: int, **more) -> tuple[float, float]:
    """Shares of keys that move when a master goes: those of others, and all."""
    before = masters_of_keys(algorithm, masters, **more)
    after = masters_of_keys(algorithm, masters, gone=0, **more)
    others = sum(a != b for a, b in zip(before, after, strict=True) if a != 0)
    return others / len(KEYS), sum(a != b for a, b in zip(before, after, strict=True)) / len(KEYS)


def test_a_ring_moves_only_the_keys_of_the_master_that_goes() -> None:
    """The ideal 1/N: nobody else's keys move."""
    others, all_ = moved("ring-hash", 10, ring_size=4096)
    assert others == 0.0
    assert all_ == pytest.approx(1 / 10, rel=0.2)


def test_maglev_moves_about_twice_as_many() -> None:
    """Envoy's documentation: about double the keys of a ring; and never most of them."""
    others, all_ = moved("maglev", 10, table_size=5003)
    assert 0.0 < others < 0.1
    assert 0.1 < all_ < 0.2


def test_ring_and_maglev_spread_by_weight() -> None:
    weights = [1.0, 1.0, 2.0]
    for algorithm in ("ring-hash", "maglev"):
        counts = Counter(
            masters_of_keys(algorithm, 3, base_weight=weights, ring_size=16384, table_size=5003)
        )
        assert [counts[i] / len(KEYS) for i in range(3)] == pytest.approx(
            [0.25, 0.25, 0.5], abs=0.02
        )


@pytest.mark.parametrize(("masters", "size"), [(5, 65537), (100, 65537), (3, 251)])
def test_maglev_table_is_even(masters: int, size: int) -> None:
    """Equal weights: no master has two places more than another (Maglev, section 3.4)."""
    members = tuple((i, f"master-{i}", 1.0) for i in range(masters))
    places = Counter(maglev_table(members, size))
    assert sum(places.values()) == size
    assert max(places.values()) - min(places.values()) <= 1


def test_maglev_table_of_the_paper() -> None:
    """Table 1 of the paper, with its own permutations: B1 is replaced in the places of B0 alone.

    (offset, skip): B0 (3, 4), B1 (0, 2), B2 (3, 1).
    """
    assert populate(7, [1.0] * 3, [3, 0, 3], [4, 2, 1]) == [1, 0, 1, 0, 2, 2, 0]
    without_b1 = populate(7, [1.0] * 2, [3, 3], [4, 1])
    assert [(0, 2)[number] for number in without_b1] == [0, 0, 0, 0, 2, 2, 2]


def test_ring_points_are_in_order_and_as_many_as_asked_for() -> None:
    table = ring(tuple((i, f"master-{i}", 1.0) for i in range(5)), 1024)
    points = table[: len(table) // 2]
    assert len(points) == 5 * math.ceil(1024 / 5)
    assert all(a <= b for a, b in pairwise(points))
    assert {i for i in range(2, 60) if is_prime(i)} == {
        2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59,
    }  # fmt: skip


@pytest.mark.parametrize("algorithm", ["ring-hash-bounded", "maglev-bounded"])
@given(
    st.lists(st.floats(0.5, 4), min_size=1, max_size=6),
    st.lists(st.integers(0, 3), min_size=1, max_size=60),
    st.sampled_from([1.01, 1.25, 2.0]),
)
@example([1.6782459836768557] * 3, [2, 2, 2], 2.0)  # 6 w / 3 w is a little more than 2
def test_the_load_bound_is_never_exceeded(algorithm: str, weights, keys, bound: float) -> None:
    """Few hot keys, nothing ends: nobody gets more than ceil(bound x fair share)."""
    of = fleet(
        algorithm, len(weights), base_weight=weights, load_bound=bound, ring_size=32, table_size=31
    )
    for sent, key in enumerate(keys, 1):
        index = pick(algorithm, of, hash=hash_of_number(key))
        of.in_flight[index] += 1
        cap = math.ceil(bound * sent * weights[index] / sum(weights))
        assert of.in_flight[index] <= cap


def test_without_load_the_bounded_variants_are_the_others() -> None:
    for algorithm in ("ring-hash", "maglev"):
        bounded = masters_of_keys(f"{algorithm}-bounded", 5, table_size=251)
        assert bounded == masters_of_keys(algorithm, 5, table_size=251)


def test_keys_of_a_full_master_spread_over_all_others() -> None:
    """Not over to its successor (arXiv 1908.08762). Each of 7 masters has one of 7 places."""
    of = fleet("maglev-bounded", 7, table_size=7, in_flight=[0, 0, 9, 0, 0, 0, 0])
    assert sorted(of.table) == list(range(7))
    keys = [key for key in KEYS if pick("maglev", of, hash=key) == 2]
    counts = Counter(pick("maglev-bounded", of, hash=key) for key in keys)
    assert set(counts) == {0, 1, 3, 4, 5, 6}
    error = math.sqrt(5 / 36 * len(keys))
    assert all(abs(n - len(keys) / 6) < 4 * error for n in counts.values())


# -- sticky -------------------------------------------------------------------------------------


def test_a_session_stays_until_its_master_is_gone() -> None:
    of = fleet("sticky", 3, in_flight=[4, 1, 5])
    session = {"hash": 77, "has_key": True}
    assert pick("sticky", of, **session) == 1
    of.in_flight[1] = 9
    assert pick("sticky", of, **session) == 1
    # A retry goes elsewhere once, the session does not move.
    assert chooser(ALGORITHMS["sticky"].pick)(of, request(**session), [1]) == 0
    assert pick("sticky", of, **session) == 1
    of.eligible[1], of.weight[1] = False, 0.0
    assert pick("sticky", of, **session) == 0
    of.eligible[1], of.weight[1] = True, 1.0
    assert pick("sticky", of, **session) == 0  # it has moved for good


def test_messages_without_a_key_do_not_stick() -> None:
    of = fleet("sticky", 2, in_flight=[5, 1])
    assert pick("sticky", of, hash=3) == 1
    of.in_flight[1] = 9
    assert pick("sticky", of, hash=3) == 0


# -- balls in bins, chance ------------------------------------------------------------------------


@pytest.mark.parametrize(("balls", "expected"), [(100, 4.23), (1000, 18.80)])
def test_balls_in_a_hundred_bins(balls: int, expected: float) -> None:
    """Mean of the fullest bin under random choice (Brooker 2018: 4.2 and 18.8)."""
    trials, of = 200, fleet("random", 100)
    fullest = []
    for trial in range(trials):
        bins = Counter(pick("random", of, uniform(trial, place)) for place in range(balls))
        fullest.append(max(bins.values()))
    mean = sum(fullest) / trials
    spread = math.sqrt(sum((x - mean) ** 2 for x in fullest) / (trials - 1) / trials)
    assert abs(mean - expected) < 3.3 * spread
    assert spread < 0.1 * expected


def test_two_choices_fill_bins_far_more_evenly() -> None:
    """Azar et al. 1999: ln ln n / ln 2 + O(1) for n balls; the fullest of 100 bins is 3 at most."""
    source, bins = random.Random(1), [0] * 100
    of = fleet("two-choices", 100, in_flight=bins)
    for _ in range(100):
        bins[pick("two-choices", of, source.random(), source.random())] += 1
    assert max(bins) <= 3
    assert jain_index(bins) > 0.6


def test_splitmix_against_the_reference_implementation() -> None:
    """The first numbers of splitmix64.c with seed 1234567, and uniformity of the rest."""
    golden = 0x9E3779B97F4A7C15
    first = [mix((1234567 + k * golden) % 2**64) for k in (1, 2, 3)]
    assert first == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    numbers = [uniform(42, place) for place in range(20_000)]
    assert sum(numbers) / 20_000 == pytest.approx(0.5, abs=4 / math.sqrt(12 * 20_000))
    assert max(Counter(int(u * 10) for u in numbers).values()) < 2000 + 4.5 * math.sqrt(1800)


def test_prequal_takes_the_fastest_cold_probe_or_the_least_loaded_hot_one() -> None:
    made = fleet("prequal", 3)
    for master, (load, latency_ns) in enumerate([(5, 10), (3, 20), (7, 30)]):
        prequal_probed(made, master, 0, load, latency_ns)
    assert best_probe(made, 9) == 0  # all are cold: the least latency
    assert best_probe(made, 0) == 1  # all are hot: the least load
    assert (worst_probe(made, 9), worst_probe(made, 0)) == (2, 2)
    assert worst_probe(made, 4) == 2  # of the hot ones the most loaded


def test_the_only_candidate_is_chosen_however_often_it_is_drawn() -> None:
    alone = fleet("two-choices-with-replacement", 2, eligible=[False, True])
    assert pick("two-choices-with-replacement", alone, 0.9, 0.1) == 1


def test_places_on_a_ring_fit_in_the_integers_of_arrays() -> None:
    assert all(0 <= hash_of("m", number) < 2**63 for number in range(200))
