"""The uniforms that the life of attempts needs, each by the number of the attempt.

Handed in by whoever drives a dispatcher, so that it draws nothing by itself; by number and not
in turn, so that nothing has to be remembered for a dispatcher that is frozen and restored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hasim.services.balancing.chance import DRAWS, Uniforms, uniform

BACKOFF = 0x5851F42D4C957F2D
"""Parts the sequence of waits from that of picks (Knuth's multiplier: any large odd number)."""

CLIENTS = 0x2545F4914F6CDD1D
"""Parts the sequence of clients from both (Vigna's multiplier of xorshift64*)."""


class Chance(Protocol):
    """Uniforms in [0, 1)."""

    def picks(self, attempt: int) -> Callable[[], float]:
        """What gives those by which an attempt's master is picked, at each call another one."""
        ...

    def backoff(self, attempt: int) -> float:
        """The one that says how long to wait before an attempt."""
        ...

    def client(self, number: int) -> float:
        """Those by which clients differ, by number."""
        ...


class Seeded:
    """Chance by arithmetic (SplitMix64) from a seed of 64 bits."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def picks(self, attempt: int) -> Callable[[], float]:
        """Numbers attempt x `DRAWS` and following of the sequence that begins at the seed."""
        return Uniforms(self._seed, attempt * DRAWS)

    def backoff(self, attempt: int) -> float:
        """Number `attempt` of another sequence."""
        return uniform(self._seed ^ BACKOFF, attempt)

    def client(self, number: int) -> float:
        """Number `number` of a third one."""
        return uniform(self._seed ^ CLIENTS, number)
