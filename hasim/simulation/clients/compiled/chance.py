"""Compiled: `hasim.services.balancing.chance`, in 64-bit arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from hasim.services.balancing import chance
from hasim.simulation.clients.compiled.jit import njit

GOLDEN = np.uint64(chance.GOLDEN)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
ONE, ELEVEN = np.uint64(1), np.uint64(11)
BY30, BY27, BY31 = np.uint64(30), np.uint64(27), np.uint64(31)


@njit
def mix(value: np.uint64) -> np.uint64:
    """SplitMix64's finaliser."""
    value = (value ^ (value >> BY30)) * FIRST
    value = (value ^ (value >> BY27)) * SECOND
    return value ^ (value >> BY31)


@njit
def uniform(seed: int, place: int) -> float:
    """Number `place` of the sequence that begins at `seed`, as a uniform in [0, 1)."""
    bits = mix(np.uint64(seed) + np.uint64(place + 1) * GOLDEN)
    return float(bits >> ELEVEN) * 2.0**-53


@njit
def hash_of_number(key: int) -> Any:
    """The hash of a key that is a number: between 0 and 2**63."""
    return np.int64(mix(np.uint64(key + 1) * GOLDEN) >> ONE)
