"""Load of one master as a gateway sees it."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.model import Cause

LATENCY_GAIN = 8
"""The moving average takes 1/8 of each new sample (as TCP's smoothed RTT, RFC 6298)."""


@dataclass(slots=True)
class Load:
    """Counters of attempts at one master since the start; latency in nanoseconds."""

    in_flight: int = 0
    sent: int = 0
    answered: int = 0
    failed: int = 0
    streak: int = 0
    last_cause: Cause = Cause.OK
    latency_ns: int = 0

    def answer(self, latency_ns: int) -> None:
        """Count an answered attempt."""
        self.in_flight -= 1
        self.answered += 1
        self.streak = 0
        self.latency_ns += (
            (latency_ns - self.latency_ns) // LATENCY_GAIN if self.latency_ns else latency_ns
        )

    def fail(self, cause: Cause) -> None:
        """Count a failed attempt. A full queue or a wrong address is no sign of a dead master."""
        self.in_flight -= 1
        self.failed += 1
        if cause not in (Cause.REJECTED, Cause.NOT_OWNER):
            self.streak += 1
            self.last_cause = cause
