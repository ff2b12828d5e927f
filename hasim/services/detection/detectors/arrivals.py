"""When the next heartbeat may be expected: Chen's estimate over a window of arrivals."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Arrivals:
    """The mean of (arrival - number x period) over the last arrivals, in whole nanoseconds.

    EA of number l + 1 = (1/n) sum of (A_i - eta i) + (l + 1) eta: Chen, Toueg, Aguilera 2002,
    section 6 (NFD-E). The sum is kept, so that an arrival costs the same however long the window.
    """

    offsets: list[int] = field(default_factory=list)
    total: int = 0

    def learn(self, now: int, number: int, period_ns: int, window: int) -> None:
        """Take in the arrival of a number; of all, the last `window` count."""
        offset, offsets = now - number * period_ns, self.offsets
        offsets.append(offset)
        self.total += offset
        while len(offsets) > window:
            self.total -= offsets.pop(0)

    def expected_ns(self, number: int, period_ns: int) -> int:
        """When this number may be expected (nanoseconds); there must have been an arrival."""
        return self.total // len(self.offsets) + number * period_ns
