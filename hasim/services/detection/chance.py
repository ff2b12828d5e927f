"""The chance in the rhythm of checks, handed in by the driver: where they begin, their jitter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from hasim.services.balancing.chance import hash_of_text, uniform


class Chance(Protocol):
    """Numbers in (0, 1], by what they are for and not in turn, so that there is no state."""

    def phase(self, master: str) -> float:
        """Which part of the interval passes before a master's second check."""
        ...

    def draw(self, purpose: str, place: int = 0) -> float:
        """A uniform in [0, 1): number `place` of those for a purpose."""
        ...


class Spread:
    """No chance: the masters' checks are spread evenly over the interval, in their order."""

    def __init__(self, masters: Iterable[str]) -> None:
        self._ranks = {master: rank for rank, master in enumerate(masters, 1)}

    def phase(self, master: str) -> float:
        """The rank as a share of the number of masters."""
        return self._ranks[master] / len(self._ranks)

    def draw(self, purpose: str, place: int = 0) -> float:
        """As from a seed of 0: what cannot be spread is drawn, always alike."""
        return uniform(hash_of_text(purpose), place)


class Seeded:
    """Chance by arithmetic (SplitMix64) from a seed of 64 bits, for each master by its name."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def phase(self, master: str) -> float:
        """The first number of the master's sequence."""
        return 1.0 - uniform(self._seed ^ hash_of_text(master), 0)

    def draw(self, purpose: str, place: int = 0) -> float:
        """Number `place` of the purpose's own sequence, which no master's name has."""
        return uniform(self._seed ^ hash_of_text(f":{purpose}"), place)


def chance_of(seed: int | None, masters: Iterable[str]) -> Chance:
    """Chance from a seed; without one the masters are spread evenly."""
    return Spread(masters) if seed is None else Seeded(seed)
