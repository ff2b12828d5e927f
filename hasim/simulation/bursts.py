"""Loss in bursts: when the path between two endpoints is bad."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hasim.simulation.laws import exponential
from hasim.simulation.settings.network import BurstSettings
from hasim.simulation.streams import Uniforms

Times = NDArray[np.int64]


class Bursts:
    """A path that is good or bad in turn, each for an exponential time.

    The two-state chain in continuous time: Gilbert, Capacity of a burst-noise channel, Bell
    System Technical Journal 39 (1960); Elliott, 42 (1963). The run begins in its stationary
    state. Times are drawn as far as somebody asks, and are the same whoever asks for what.
    """

    BLOCK = 32

    def __init__(self, settings: BurstSettings, uniforms: Uniforms) -> None:
        self.passing = 1.0 - settings.within
        """Probability that a packet passes while the path is bad."""
        self._bad = settings.bad_share
        self._means_ns = (settings.good_ns, settings.mean_ns)
        self._uniforms = uniforms
        self._drawn = 0
        self._begin_ns: Times = np.zeros(0, dtype=np.int64)
        self._end_ns: Times = np.zeros(0, dtype=np.int64)

    def passes(self, at_ns: int) -> float:
        """Probability that a packet sent at a time passes, other causes of loss aside."""
        self._reach(at_ns)
        burst = int(self._end_ns.searchsorted(at_ns, side="right"))
        return self.passing if self._begin_ns[burst] <= at_ns else 1.0

    def bad(self, at_ns: Times) -> NDArray[np.bool_]:
        """Whether the path is bad at these times; shape of `at_ns`."""
        self._reach(int(at_ns.max(initial=0)))
        bursts = self._end_ns.searchsorted(at_ns, side="right")
        found: NDArray[np.bool_] = self._begin_ns[bursts] <= at_ns
        return found

    def until(self, end_ns: int) -> tuple[Times, Times]:
        """The beginnings and ends of all bursts up to a time, and of some after it."""
        self._reach(end_ns)
        return self._begin_ns, self._end_ns

    def _reach(self, time_ns: int) -> None:
        """Draw until a burst ends after a time."""
        while not len(self._end_ns) or self._end_ns[-1] <= time_ns:
            u = self._uniforms.take(2 * self._drawn + 1, 2 * self.BLOCK).reshape(-1, 2)
            lengths = np.rint(exponential(u, 1.0) * self._means_ns).astype(np.int64)
            if not self._drawn and self._uniforms.take(0, 1)[0] < self._bad:
                lengths[0, 0] = 0  # it is bad at the start; what is left of that has no memory
            changes = lengths.ravel().cumsum() + (self._end_ns[-1] if self._drawn else 0)
            self._drawn += self.BLOCK
            # As many again, so that many are not copied again and again.
            self._begin_ns = np.append(self._begin_ns, changes[0::2])
            self._end_ns = np.append(self._end_ns, changes[1::2])
