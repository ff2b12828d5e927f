"""False declarations of a threshold detector by exact chains: no service, no chance, no splitting.

A probe takes the round trip if it passes, the timeout if not; the next one follows after the
interval, or after the fast one while some have failed. One that passes acquits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

YEAR_S = 365.25 * 86400


@dataclass(frozen=True)
class Rhythm:
    """Seconds: how long a round trip, a timeout, the interval and the fast one are."""

    rtt: float
    timeout: float
    interval: float
    fast: float
    fall: int


def by_loss(rhythm: Rhythm, loss: float) -> float:
    """Declarations a year under independent loss each way: see `by_failing`."""
    return by_failing(rhythm, 1 - (1 - loss) ** 2)


def by_failing(rhythm: Rhythm, q: float) -> float:
    """Declarations a year if each probe fails with probability q, in closed form.

    Of the probes in a quiet state q^fall come to a declaration. Each of these takes interval and
    round trip, and what failures behind it take, of which the j-th (up to the last before the
    declaration) has probability q^j.
    """
    failed = rhythm.timeout + rhythm.fast
    spent = rhythm.rtt + rhythm.interval + failed * sum(q**j for j in range(1, rhythm.fall))
    return q**rhythm.fall / spent * YEAR_S


def by_bursts(rhythm: Rhythm, loss: float, share: float, mean: float, within: float = 1.0) -> float:
    """The same under loss in bursts, by the chain of (failures in a row, weather at the end).

    The weather is that of the path when its last packet was sent, as far as anybody can know.
    """
    bad = share / within
    pace = 1 / mean + 1 / (mean * (1 - bad) / bad)

    def onward(seconds: float) -> np.ndarray:
        """Of the weather (good, bad) so much later."""
        kept = math.exp(-pace * seconds)
        to_bad = np.array([bad * (1 - kept), bad * (1 - kept) + kept])
        return np.column_stack([1 - to_bad, to_bad])

    lost = np.array([loss, 1 - (1 - loss) * (1 - within)])
    back = onward(rhythm.rtt / 2)
    # Weather at the sending to weather at the last packet's sending: passed, and failed.
    passed = (1 - lost)[:, None] * back * (1 - lost)[None, :]
    failed = np.diag(lost) + (1 - lost)[:, None] * back * lost[None, :]
    # From the last packet of one probe to the next probe. A lost way there is over earlier.
    late = rhythm.rtt / 2
    after_pass = onward(late + rhythm.interval)
    there = np.diag(lost) @ onward(rhythm.timeout + rhythm.fast)
    return_lost = (1 - lost)[:, None] * back * lost[None, :]
    fails = there + return_lost @ onward(rhythm.timeout + rhythm.fast - late)
    passes = passed @ after_pass
    assert np.allclose(passed.sum(1) + failed.sum(1), 1.0)
    states = rhythm.fall  # failures in a row, 0 to fall - 1, each with two weathers
    matrix = np.zeros((2 * states, 2 * states))
    spent, declares = np.zeros(2 * states), np.zeros(2 * states)
    for run in range(states):
        rows = slice(2 * run, 2 * run + 2)
        matrix[rows, 0:2] += passes
        spent[rows] = passed.sum(1) * (rhythm.rtt + rhythm.interval)
        spent[rows] += failed.sum(1) * (rhythm.timeout + rhythm.fast)
        if run + 1 < states:
            matrix[rows, 2 * run + 2 : 2 * run + 4] += fails
        else:
            matrix[rows, 0:2] += fails  # declared, and quiet again: too rare to matter
            declares[rows] = failed.sum(1)
    values, vectors = np.linalg.eig(matrix.T)
    stationary = np.real(vectors[:, np.argmin(abs(values - 1))])
    stationary /= stationary.sum()
    return float(stationary @ declares / (stationary @ spent)) * YEAR_S
