"""Faults of a run, as they are drawn: one, two or three at a time, and many to choose among."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: which class, which of its targets, when, for how long (nanoseconds)."""

    klass: int
    target: int
    start_ns: int
    duration_ns: int
    draw: float

    @property
    def end_ns(self) -> int:
        """When it is cured."""
        return self.start_ns + self.duration_ns


@dataclass(frozen=True, slots=True)
class Strikes:
    """The same of many faults: an array for each field."""

    klass: Integers
    target: Integers
    start_ns: Integers
    duration_ns: Integers
    draw: Floats

    @property
    def end_ns(self) -> Integers:
        """When they are cured."""
        return self.start_ns + self.duration_ns

    def at(self, place: int) -> Strike:
        """One of them."""
        return Strike(
            int(self.klass[place]),
            int(self.target[place]),
            int(self.start_ns[place]),
            int(self.duration_ns[place]),
            float(self.draw[place]),
        )


@dataclass(frozen=True, slots=True)
class Doubles:
    """Pairs of strikes, and the windows from the start of each first that its second is in."""

    first: Strikes
    second: Strikes
    window_ns: Integers

    @property
    def possible(self) -> Flags:
        """Whether the second can be."""
        return may_follow(self.first, self.second)


@dataclass(frozen=True, slots=True)
class Double:
    """Two strikes, and what stands for the window (seconds), since they were chosen among others.

    A weight of zero: none of them could be.
    """

    first: Strike
    second: Strike
    weight_s: float


@dataclass(frozen=True, slots=True)
class Triples:
    """Three strikes each, in order, and the windows in which the second and the third are."""

    doubles: Doubles
    third: Strikes
    window_ns: Integers

    @property
    def possible(self) -> Flags:
        """Whether the second and the third can be."""
        found = self.doubles
        with_third = may_follow(found.first, self.third) & may_follow(found.second, self.third)
        return found.possible & with_third


@dataclass(frozen=True, slots=True)
class Triple:
    """Three strikes, and what stands for both windows (seconds squared); zero: they cannot be."""

    first: Strike
    second: Strike
    third: Strike
    weight_s2: float


def may_follow(one: Strikes, other: Strikes) -> Flags:
    """Whether the later one can be: a process does not strike while its own fault lasts."""
    differ = (one.klass != other.klass) | (one.target != other.target)
    return np.asarray(differ | (other.start_ns >= one.end_ns))


def chosen(importance: Floats, draw: float) -> tuple[int, float]:
    """One of several, as likely as it matters, and the mean importance over its own.

    Sampling importance resampling (Rubin, Bayesian Statistics 3, 1988): what is estimated stays
    unbiased, and long windows and faults that cannot be, which most of the variance came from,
    are met as often as they count. A ratio of zero: none of them matters.
    """
    summed = np.cumsum(importance)
    place = min(
        int(np.searchsorted(summed, draw * summed[-1], side="right")),
        int(np.argmax(summed)),  # the last that can be
    )
    if not summed[-1]:
        return place, 0.0
    return place, float(summed[-1] / len(importance) / importance[place])
