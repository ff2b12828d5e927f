"""Uniforms by arithmetic: SplitMix64, whose n-th number needs none of those before it.

Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"; constants as in
Vigna's public-domain splitmix64.c.
"""

from __future__ import annotations

import hashlib

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
DRAWS = 8
"""Uniforms at most for one attempt."""


def mix(value: int) -> int:
    """SplitMix64's finaliser: 64 bits to 64 bits, one to one."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & MASK
    return value ^ (value >> 31)


def uniform(seed: int, place: int) -> float:
    """Number `place` (from 0) of the sequence that begins at `seed`, as a uniform in [0, 1)."""
    return (mix(seed + (place + 1) * GOLDEN & MASK) >> 11) * 2.0**-53


def hash_of_number(key: int) -> int:
    """The hash of a key that is a number: between 0 and 2**63."""
    return mix((key + 1) * GOLDEN & MASK) >> 1


def hash_of_text(key: str) -> int:
    """The hash of a key that is text (BLAKE2b): between 0 and 2**63."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") >> 1


class Uniforms:
    """A sequence of uniforms that can be frozen: its seed and how many were taken."""

    def __init__(self, seed: int, taken: int = 0) -> None:
        self.seed = seed
        self.taken = taken

    def __call__(self) -> float:
        """The next one."""
        self.taken += 1
        return uniform(self.seed, self.taken - 1)
