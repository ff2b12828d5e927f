"""Chance for worlds: few named ways to draw, all of one seeded generator."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TypeVar

from hasim.units import MILLISECOND, format_duration

T = TypeVar("T")


class Dice:
    """Draws by a seed; the same seed gives the same draws in the same order."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def one(self, *values: T) -> T:
        """One of these, each as likely; give one twice to make it likelier."""
        return values[self._random.randrange(len(values))]

    def of(self, values: Sequence[T]) -> T:
        """One of a sequence."""
        return values[self._random.randrange(len(values))]

    def happens(self, probability: float) -> bool:
        """Whether something that is so likely happens."""
        return self._random.random() < probability

    def count(self, least: int, most: int) -> int:
        """A number between two, both included."""
        return self._random.randint(least, most)

    def some(self, values: Sequence[T], probability: float = 0.5) -> list[T]:
        """Each of these with that probability."""
        return [value for value in values if self.happens(probability)]

    def share(self) -> float:
        """Between 0 and 1."""
        return self._random.random()

    def time(self, least_ms: float, most_ms: float) -> str:
        """A duration, as likely to be in each decade, as users write it."""
        low, high = math.log(least_ms), math.log(most_ms)
        drawn = math.exp(low + (high - low) * self._random.random())
        digits = 10 ** max(0, math.floor(math.log10(drawn)) - 1)
        return format_duration(max(1, round(drawn / digits) * digits) * MILLISECOND)

    def moment(self, least_ms: int, most_ms: int) -> str:
        """A time between two, evenly; one time in three a whole second."""
        step = self.one(1, 1, 1000)
        drawn = self.count(least_ms // step, most_ms // step) * step
        return format_duration(drawn * MILLISECOND)
