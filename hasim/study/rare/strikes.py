"""Faults of a run, as they are drawn: one or several at a time, and many to choose among."""

from __future__ import annotations

import itertools
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
class Candidates:
    """Several strikes each, in order, and the windows that each but the first was put into."""

    strikes: tuple[Strikes, ...]
    windows_ns: tuple[Integers, ...]

    @property
    def possible(self) -> Flags:
        """Whether all of the later ones can be."""
        found = np.ones(self.strikes[0].klass.shape, dtype=np.bool_)
        for one, other in itertools.combinations(self.strikes, 2):
            found &= may_follow(one, other)
        return found


@dataclass(frozen=True, slots=True)
class Several:
    """Strikes in order, and what stands for their windows, since they were chosen among others.

    In seconds, to the power of as many as there are windows. A weight of zero: none could be.
    """

    strikes: tuple[Strike, ...]
    weight: float


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
