"""Named random streams: one per concern, derived from (seed, replication, concern).

None is derived from an algorithm under test, so that all algorithms face the
same faults, arrivals and service demands (common random numbers).
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray


def generator(seed: int, replication: int, concern: str) -> np.random.Generator:
    """A PCG64 generator of its own for one concern (numpy SeedSequence with a spawn key)."""
    # crc32 and not hash(): the same in every process, whatever PYTHONHASHSEED.
    key = (replication, zlib.crc32(concern.encode()))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


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
