"""What a test says of a closed form: the interval of independent runs holds it, and is narrow."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

LEVEL = 0.999
"""A closed form lies in the interval of its estimate once in a thousand tests by bad luck only."""
WITHIN = 0.02
"""The half-width of that interval is at most so much of the closed form: wider proves nothing."""


def half_width(values: Sequence[float] | NDArray[np.float64]) -> float:
    """Of Student's interval for the mean of independent values."""
    found = np.asarray(values, dtype=np.float64)
    deviation = float(found.std(ddof=1)) / math.sqrt(len(found))
    return float(student.ppf((1 + LEVEL) / 2, len(found) - 1)) * deviation


def assert_met(
    values: Sequence[float] | NDArray[np.float64], expected: float, within: float = WITHIN
) -> None:
    """The interval of the mean of independent runs holds what is expected, and is narrow."""
    mean, half = float(np.mean(values)), half_width(values)
    assert abs(mean - expected) <= half, f"{expected} is not in {mean} +- {half}"
    assert half <= within * abs(expected), f"+- {half / abs(expected):.1%} of {expected}"
