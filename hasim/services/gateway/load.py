"""Load of one master as a gateway sees it."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.model import Cause

LATENCY_GAIN = 8
"""The moving average takes 1/8 of each new sample (as TCP's smoothed RTT, RFC 6298)."""


def smoothed(average_ns: int, latency_ns: int) -> int:
    """The moving average of latency after one more sample; the first one is it."""
    if average_ns == 0:
        return latency_ns
    return average_ns + (latency_ns - average_ns) // LATENCY_GAIN


@dataclass(slots=True)
class Load:
    """Counters of attempts at one master since the start; latency in nanoseconds.

    `against`: those whose end speaks against it, `streak` how many of them nothing has refuted.
    """

    in_flight: int = 0
    sent: int = 0
    answered: int = 0
    failed: int = 0
    streak: int = 0
    last_cause: Cause = Cause.OK
    latency_ns: int = 0
    against: int = 0

    def answer(self, latency_ns: int) -> None:
        """Count an answered attempt."""
        self.in_flight -= 1
        self.answered += 1
        self.latency_ns = smoothed(self.latency_ns, latency_ns)

    def fail(self) -> None:
        """Count a failed attempt."""
        self.in_flight -= 1
        self.failed += 1

    def blame(self, cause: Cause) -> None:
        """Its end speaks against the master."""
        self.against += 1
        self.streak += 1
        self.last_cause = cause
