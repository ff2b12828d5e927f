"""Recorded inputs of a world, already read from their files into plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bins:
    """Messages counted in bins of time: sorted, disjoint, the first begins at 0; shape (n,)."""

    start_ns: Ints
    end_ns: Ints
    count: Ints

    def most_in(self, length_ns: int) -> int:
        """The most messages that any stretch of this length may have."""
        before = np.append(0, np.cumsum(self.count))
        after = np.searchsorted(self.start_ns, self.end_ns + length_ns, side="left")
        return int((before[after] - before[:-1]).max())

    def arrivals(self, offset_ns: int, length_ns: int, uniforms: Callable[[int], Floats]) -> Ints:
        """Sorted arrival times from an offset on, uniform in their bins: Poisson, given the counts.

        `uniforms` gives so many numbers in [0, 1), of which each message of the bins that
        overlap the stretch takes one.
        """
        overlap = (self.end_ns > offset_ns) & (self.start_ns < offset_ns + length_ns)
        count = self.count[overlap]
        start = np.repeat(self.start_ns[overlap], count)
        width = np.repeat((self.end_ns - self.start_ns)[overlap], count)
        times = start - offset_ns + (uniforms(len(start)) * width).astype(np.int64)
        times.sort()
        return times[(times >= 0) & (times < length_ns)]


@dataclass(frozen=True)
class Recorded:
    """What the traces of a scenario hold.

    `arrivals_ns`: sorted arrival times from 0 on, int64, shape (n,), or None; or `bins` of them.
    `rtt_ns`: median round-trip time by (site, site), both directions present.
    `jitter`: sorted ratios to the median, float64, shape (n,), or None.
    `service_ns`: sorted service times, float64, shape (n,), by the number of the master.
    `outages`: for each fault with a trace (by its index in the scenario), one
    list of disjoint (start_ns, end_ns) per resource, sorted, time-scaled; times
    count from the earliest start of all resources.
    """

    arrivals_ns: Ints | None = None
    bins: Bins | None = None
    rtt_ns: dict[tuple[str, str], int] = field(default_factory=dict)
    jitter: Floats | None = None
    service_ns: dict[int, Floats] = field(default_factory=dict)
    outages: dict[int, list[list[tuple[int, int]]]] = field(default_factory=dict)

    @property
    def arrivals_span_ns(self) -> int | None:
        """How long the recorded arrivals last; None if there are none."""
        if self.bins is not None:
            return int(self.bins.end_ns[-1])
        return None if self.arrivals_ns is None else int(self.arrivals_ns[-1])
