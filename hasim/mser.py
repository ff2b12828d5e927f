"""MSER-5: where the warm-up of a run ends, by the run's own observations.

A run that starts empty is at first not typical. MSER-5 cuts the observations off that make
the rest known least precisely: of the means Z_1 ... Z_k of batches of five it leaves out the
first d, with d minimising the squared standard error of the rest,

    MSER(d) = sum_{j > d} (Z_j - mean_d)^2 / (k - d)^2

(White, Simulation 69, 1997, for single observations; batches of five: Spratt, M.S. thesis,
University of Virginia, 1998; White, Cobb, Spratt, Proc. Winter Simulation Conference 2000). If
the minimum lies in the second half, the run is too short to tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

BATCH = 5
LAST = 5
"""Batches at the end that are never all that is left: a few that happen to be alike would look
precise (Hoad, Robinson, Davies, J. Operational Research Society 61, 2010)."""


@dataclass(frozen=True, slots=True)
class Truncation:
    """What MSER-5 says of a run: leave out the first `cut` of its `n` observations.

    `too_short`: the minimum lies in the second half, or there are too few batches to look for
    one; then nothing is to be cut, and means may be biased.
    """

    cut: int
    n: int
    too_short: bool


def mser5(values: ArrayLike) -> Truncation:
    """The truncation of observations in their order; the earliest of equal minima.

    Observations after the last whole batch belong to the rest, but are not looked at.
    """
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    n, k = len(array), len(array) // BATCH
    if k < 2 * LAST:
        return Truncation(0, n, True)
    means = array[: k * BATCH].reshape(k, BATCH).mean(axis=1)
    means -= means.mean()  # sums of squares then lose no digits
    left = np.arange(k, 0, -1.0)
    sums = np.cumsum(means[::-1])[::-1]
    squares = np.cumsum((means**2)[::-1])[::-1]
    statistic = np.maximum(squares - sums**2 / left, 0.0) / left**2
    d = int(statistic[: k - LAST + 1].argmin())
    if d > k / 2:
        return Truncation(0, n, True)
    return Truncation(d * BATCH, n, False)
