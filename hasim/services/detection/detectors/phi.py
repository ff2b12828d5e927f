"""Phi, the suspicion on a scale: -log10 of the chance that a heartbeat is still to come.

phi = 1 goes with a chance of 10 % that the master lives, 2 with 1 %, 8 with 1e-8 (Hayashibara,
Defago, Yared, Katayama: The phi accrual failure detector, SRDS 2004), if gaps follow the law.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

LEAST = 1e-300
"""Smaller tails are not told apart: they leave the range of floats."""
MOST = 290.0
"""The largest threshold: beyond it the tail of the normal law is smaller than that."""


def logistic_phi(y: float) -> float:
    """Phi at y standard deviations by Akka's logistic approximation of the normal law.

    Source: akka-remote PhiAccrualFailureDetector. It is no normal tail: 8 is reached at y = 5.226.
    """
    power = y * (1.5976 + 0.070566 * y * y)
    # -log10(e / (1 + e)) with e = exp(-power), written so that nothing over- or underflows.
    return (max(power, 0.0) + math.log1p(math.exp(-abs(power)))) / math.log(10)


def normal_phi(y: float) -> float:
    """Phi at y standard deviations by the normal law itself: 8 is reached at y = 5.612."""
    return -math.log10(max(LEAST, math.erfc(y / math.sqrt(2)) / 2))


@functools.lru_cache(maxsize=64)
def deviations_at(phi_of: Callable[[float], float], threshold: float) -> float:
    """At how many standard deviations a phi that grows with them reaches the threshold."""
    low, high = -40.0, 40.0
    for _ in range(200):
        middle = (low + high) / 2
        if phi_of(middle) < threshold:
            low = middle
        else:
            high = middle
    return high


@dataclass(slots=True)
class Gaps:
    """The last gaps between hearings (nanoseconds), their sum and sum of squares: whole numbers."""

    gaps: list[int] = field(default_factory=list)
    total: int = 0
    squares: int = 0

    def learn(self, gap_ns: int, samples: int) -> None:
        """One more gap; of all, the last `samples` count."""
        gaps = self.gaps
        gaps.append(gap_ns)
        self.total += gap_ns
        self.squares += gap_ns * gap_ns
        while len(gaps) > samples:
            old = gaps.pop(0)
            self.total -= old
            self.squares -= old * old

    def mean_ns(self) -> float:
        """The mean of the gaps."""
        return self.total / len(self.gaps)

    def deviation_ns(self) -> float:
        """Their standard deviation, as of a whole population."""
        n = len(self.gaps)
        return math.sqrt(n * self.squares - self.total * self.total) / n
