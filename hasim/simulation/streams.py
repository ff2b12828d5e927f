"""Named random streams: one per concern, derived from (seed, replication, concern).

None is derived from an algorithm under test, so that all algorithms face the
same faults, arrivals and service demands (common random numbers).
"""

from __future__ import annotations

import zlib
from typing import cast

import numpy as np
from numpy.typing import NDArray


def generator(seed: int, replication: int, concern: str) -> np.random.Generator:
    """A PCG64 generator of its own for one concern (numpy SeedSequence with a spawn key)."""
    # crc32 and not hash(): the same in every process, whatever PYTHONHASHSEED.
    key = (replication, zlib.crc32(concern.encode()))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def seed_of(seed: int, replication: int, concern: str) -> int:
    """63 bits of one concern, for chance by arithmetic."""
    return int(generator(seed, replication, concern).integers(2**63))


class Uniforms:
    """The uniforms in [0, 1) of one concern by their number, as often as wanted.

    Number `i` is what `generator(...).random(n)[i]` would be, however they are asked for:
    PCG64 gives one number for one step, and can be moved by any number of steps.
    """

    def __init__(self, seed: int, replication: int, concern: str) -> None:
        self._source = (seed, replication, concern)
        self._generator: np.random.Generator | None = None
        self._next = 0

    def take(self, first: int, count: int) -> NDArray[np.float64]:
        """The uniforms from number `first` on, shape (count,)."""
        if self._generator is None:
            self._generator = generator(*self._source)
        if first != self._next:
            cast(np.random.PCG64, self._generator.bit_generator).advance(first - self._next)
        self._next = first + count
        return self._generator.random(count)


class Stream:
    """Uniforms in [0, 1), one at a time, drawn in blocks since scalar draws are slow."""

    BLOCK = 64

    def __init__(self, seed: int, replication: int, concern: str) -> None:
        self._source = (seed, replication, concern)
        self._generator: np.random.Generator | None = None
        self._block: list[float] = []

    def uniform(self) -> float:
        """The next uniform."""
        if not self._block:
            if self._generator is None:
                self._generator = generator(*self._source)
            self._block = self._generator.random(self.BLOCK).tolist()[::-1]
        return self._block.pop()

    def uniforms(self) -> NDArray[np.float64]:
        """The next uniform as an array of one, for `law.quantile`."""
        return np.array([self.uniform()])
