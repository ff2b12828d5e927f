"""Round trips under recorded jitter: how likely they are late, and such as are, or are not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Lateness:
    """Two crossings, each as long as any of those that were recorded.

    `chance` is that of being longer than the patience together: exact, of all pairs.
    """

    def __init__(self, ways_ns: NDArray[np.int64], patience_ns: int) -> None:
        self._ways_ns = np.sort(ways_ns)
        # For each way there, so many ways back are short enough, the shortest ones.
        self._short = np.searchsorted(self._ways_ns, patience_ns - self._ways_ns, side="right")
        self._long = len(self._ways_ns) - self._short
        self._sums = {
            late: np.cumsum(self._long if late else self._short) for late in (True, False)
        }
        self.chance = float(self._sums[True][-1]) / len(self._ways_ns) ** 2

    def drawn(self, u: tuple[float, float], *, late: bool) -> tuple[int, int]:
        """A way there and one back (nanoseconds) of a trip that is late, or is not; by uniforms."""
        sums = self._sums[late]
        there = int(np.searchsorted(sums, u[0] * sums[-1], side="right"))
        short, long = int(self._short[there]), int(self._long[there])
        back = short + int(u[1] * long) if late else int(u[1] * short)
        return int(self._ways_ns[there]), int(self._ways_ns[back])
