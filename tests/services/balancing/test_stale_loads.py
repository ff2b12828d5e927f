"""Pickers that look at old loads: the herd behaviour that Brooker 2012-01-17 describes.

Ten servers that take 8 s for each request, a request a second (Poisson). The loads that a picker
sees are a copy, renewed every so many seconds; renewed every 0 s, they are those of the moment.
"""

from __future__ import annotations

import functools
import math
import random
from collections import deque
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import t as student

from tests.services.balancing.fleets import fleet, pick

SERVERS, SERVICE_S, LENGTH_S, REPLICATIONS = 10, 8.0, 6000, 8


def mean_time(algorithm: str, renewed_s: int, seed: int) -> float:
    """Mean time from arrival to the end of service, in seconds."""
    draws = random.Random(seed)
    of = fleet(algorithm, SERVERS)
    ends: list[deque[float]] = [deque() for _ in range(SERVERS)]
    now, renew_at, times = 0.0, 0.0, []
    while now < LENGTH_S:
        now += draws.expovariate(1.0)
        if now >= renew_at:
            # Between the renewal and now there was no arrival: as well at that moment as here.
            renew_at = now if renewed_s == 0 else now // renewed_s * renewed_s
            for number, queue in enumerate(ends):
                of.in_flight[number] = sum(end > renew_at for end in queue)
                while queue and queue[0] <= renew_at:
                    queue.popleft()
            renew_at += renewed_s
        chosen = ends[pick(algorithm, of, draws.random(), draws.random())]
        chosen.append(max(now, chosen[-1] if chosen else 0.0) + SERVICE_S)
        times.append(chosen[-1] - now)
    return sum(times) / len(times)


@functools.cache
def times_of(algorithm: str, renewed_s: int) -> tuple[float, ...]:
    """Mean times of replications; all algorithms and ages have the same draws."""
    # The picker that looks at nothing does the same whatever the age.
    age = 0 if algorithm == "random" else renewed_s
    return tuple(mean_time(algorithm, age, seed) for seed in range(REPLICATIONS))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's interval of 99.9 % for the mean."""
    sample = np.array(values)
    half = student.ppf(0.9995, len(sample) - 1) * sample.std(ddof=1) / math.sqrt(len(sample))
    return float(sample.mean() - half), float(sample.mean() + half)


def test_random_choice_is_as_many_queues_with_constant_service() -> None:
    """Pollaczek, Khinchine: 8 s and 0.8 x 8 s / (2 (1 - 0.8)) of waiting."""
    low, high = interval(times_of("random", 0))
    assert low < 8 + 16 < high
    assert high - low < 0.3 * 24


@pytest.mark.parametrize(
    ("renewed_s", "better", "worse"),
    [
        (0, "least-loaded", "two-choices"),
        (0, "two-choices", "random"),
        (10, "two-choices", "least-loaded"),
        (10, "two-choices", "random"),
        (30, "two-choices", "least-loaded"),
        (30, "two-choices", "random"),
        (30, "random", "least-loaded"),
        (50, "random", "least-loaded"),
        (100, "random", "two-choices"),
    ],
)
def test_which_rule_bears_how_old_loads(renewed_s: int, better: str, worse: str) -> None:
    """Fresh: the best of all. From 10 s on: the best of two. Very old: any, all alike."""
    pairs = zip(times_of(better, renewed_s), times_of(worse, renewed_s), strict=True)
    low, _ = interval([other - one for one, other in pairs])
    assert low > 0
