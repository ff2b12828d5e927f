"""Pickers that look at old loads: the herd behaviour that Brooker 2012-01-17 describes.

Ten servers, a request each second; each server finishes its oldest request every 8 s, at a second
of its own. The loads that a picker sees are a copy, renewed every so many seconds. The numbers
of this model, simulated with another program, are in `TABLE`.

There, the best of all is drawn at random among equals. The picker takes equals in turns, so its
turns are forgotten and the masters are in another order for each request. With its turns, equals
share what comes between two renewals evenly, and the herd is smaller. (Two or more choices break
ties by the order of their draws, and are the same in any order.)
"""

from __future__ import annotations

import functools
import math
import random
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import t as student

from tests.services.balancing.fleets import fleet, pick

SERVERS, TURN_S, LENGTH_S, REPLICATIONS = 10, 8, 10_000, 8
RANDOM, BEST, TWO, THREE = "random", "least-loaded", "best of two", "best of three"
TABLE = {
    1: {RANDOM: 17.7, BEST: 4.4, TWO: 6.1, THREE: 4.9},
    5: {RANDOM: 17.7, BEST: 6.3, TWO: 7.1, THREE: 6.4},
    10: {RANDOM: 17.7, BEST: 10.0, TWO: 8.4, THREE: 8.6},
    20: {RANDOM: 17.7, BEST: 19.0, TWO: 10.4, THREE: 11.9},
    50: {RANDOM: 17.7, BEST: 51.9, TWO: 15.5, THREE: 20.9},
    70: {RANDOM: 17.7, BEST: 80.3, TWO: 18.5, THREE: 26.2},
}
"""Mean time from arrival to the end of service (s), by the age of the loads (s)."""


def mean_time(rule: str, renewed_s: int, seed: int, *, shuffled: bool = True) -> float:
    """Mean time from arrival to the end of service, in seconds."""
    draws = random.Random(seed)
    algorithm = "two-choices" if rule in (TWO, THREE) else rule
    of = fleet(algorithm, SERVERS, choices=3 if rule == THREE else 2)
    turns = [draws.randrange(TURN_S) for _ in range(SERVERS)]
    queues: list[deque[int]] = [deque() for _ in range(SERVERS)]
    whose_turn = [
        [q for q, at in zip(queues, turns, strict=True) if at == n] for n in range(TURN_S)
    ]
    order, seen, times = list(range(SERVERS)), [0] * SERVERS, []
    # Where queues are long, their mean needs longer.
    for now in range(LENGTH_S * (6 if rule == RANDOM else 3 if renewed_s >= 50 else 1)):
        if now % renewed_s == 0:
            seen = of.in_flight[:] = [len(queue) for queue in queues]
        if shuffled and rule == BEST:
            draws.shuffle(order)
            of.in_flight[:] = [seen[server] for server in order]
            of.counts[:] = [0] * len(of.counts)
        chosen = pick(algorithm, of, draws.random(), draws.random(), draws.random())
        queues[order[chosen]].append(now)
        times += [now - queue.popleft() for queue in whose_turn[now % TURN_S] if queue]
    return sum(times) / len(times)


@functools.cache
def times_of(rule: str, renewed_s: int) -> tuple[float, ...]:
    """Mean times of replications."""
    # The picker that looks at nothing does the same whatever the age.
    age = 1 if rule == RANDOM else renewed_s
    return tuple(mean_time(rule, age, seed) for seed in range(REPLICATIONS))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's interval of 99.9 % for the mean."""
    sample = np.array(values)
    half = student.ppf(0.9995, len(sample) - 1) * sample.std(ddof=1) / math.sqrt(len(sample))
    return float(sample.mean() - half), float(sample.mean() + half)


def test_random_choice_is_as_many_queues_of_their_own() -> None:
    """Ten queues with an arrival in a second out of ten: 8 x (1.4 + 0.35) s + 3.5 s = 17.5 s.

    After a turn 1.4 requests are left on average, (v + m^2 - m) / (2 (1 - m)) with the m = 0.8
    arrivals of 8 s (variance v = 0.72); 0.35 came before one since; the next turn is 3.5 s away.
    """
    low, high = interval(times_of(RANDOM, 1))
    assert low < 17.5 < high
    assert high - low < 0.2 * 17.5


@pytest.mark.parametrize("renewed_s", TABLE)
@pytest.mark.parametrize("rule", [BEST, TWO, THREE])
def test_the_table_of_how_old_loads_are_borne(rule: str, renewed_s: int) -> None:
    """Within 4 % of the table, of which rounding makes up to 1 %."""
    expected = TABLE[renewed_s][rule]
    assert np.mean(times_of(rule, renewed_s)) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize(
    ("renewed_s", "rules"),
    [
        (1, (BEST, THREE, TWO, RANDOM)),  # fresh: the best of all
        (7, (THREE, TWO, RANDOM)),
        (9, (THREE, BEST)),  # for a short while, the best of three
        (20, (TWO, THREE, RANDOM)),  # then for long the best of two
        (30, (TWO, RANDOM, BEST)),
        (50, (TWO, RANDOM, THREE, BEST)),
        (90, (RANDOM, TWO, THREE, BEST)),  # very old: any, all alike
    ],
)
def test_which_rule_bears_how_old_loads(renewed_s: int, rules: tuple[str, ...]) -> None:
    """From the shortest times to the longest."""
    for better, worse in pairwise(rules):
        pairs = zip(times_of(better, renewed_s), times_of(worse, renewed_s), strict=True)
        low, _ = interval([other - one for one, other in pairs])
        assert low > 0, (better, worse)


@pytest.mark.parametrize("renewed_s", [1, 5, 10, 20])
def test_equals_in_turns_make_the_herd_smaller_than_equals_at_random(renewed_s: int) -> None:
    in_turns = [mean_time(BEST, renewed_s, seed, shuffled=False) for seed in range(REPLICATIONS)]
    pairs = zip(times_of(BEST, renewed_s), in_turns, strict=True)
    low, _ = interval([at_random - turn for at_random, turn in pairs])
    assert low > 0
