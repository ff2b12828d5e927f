"""Recorded inputs of a world, already read from their files into plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Recorded:
    """What the traces of a scenario hold.

    `arrivals_ns`: sorted arrival times from 0 on, int64, shape (n,), or None.
    `rtt_ns`: median round-trip time by (site, site), both directions present.
    `jitter`: sorted ratios to the median, float64, shape (n,), or None.
    `outages`: for each fault with a trace (by its index in the scenario), one
    list of disjoint (start_ns, end_ns) per resource, sorted, time-scaled; times
    count from the earliest start of all resources.
    """

    arrivals_ns: NDArray[np.int64] | None = None
    rtt_ns: dict[tuple[str, str], int] = field(default_factory=dict)
    jitter: NDArray[np.float64] | None = None
    outages: dict[int, list[list[tuple[int, int]]]] = field(default_factory=dict)
