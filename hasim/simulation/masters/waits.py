"""How long what comes to a master waits for a worker; counted if a scenario asks for it."""

from __future__ import annotations

from typing import NamedTuple


class Waited(NamedTuple):
    """What the workers of a master took since the start of the run, and who waited for them."""

    started: int
    """Attempts (and deep probes) that a worker took."""
    waited: int
    """Those of them that had been in the queue."""
    waited_ns: int
    """For how long these were, summed (nanoseconds)."""
    queued_ns: int
    """The same of all that were in the queue: also of those lost in it, or there still."""


class Waits:
    """Counts, on the reference plane."""

    def __init__(self) -> None:
        self.counted = False
        """Whether it is wanted: then nothing of a run is left to foresight that would skip it."""
        self._started = self._waited = self._waited_ns = 0
        self._queued = self._queued_ns = self._metered_ns = 0

    def start(self) -> None:
        """A worker takes one."""
        self._started += 1

    def queue(self, now: int) -> None:
        """One more is in the queue."""
        self._meter(now)
        self._queued += 1

    def leave(self, now: int, since_ns: int) -> None:
        """The one that was there since then leaves the queue for a worker."""
        self._meter(now)
        self._queued -= 1
        self._waited += 1
        self._waited_ns += now - since_ns

    def lose(self, now: int) -> None:
        """All that were in the queue are lost."""
        self._meter(now)
        self._queued = 0

    def found(self, now: int) -> Waited:
        """All up to now."""
        self._meter(now)
        return Waited(self._started, self._waited, self._waited_ns, self._queued_ns)

    def _meter(self, now: int) -> None:
        """The time of all that are in the queue, up to now: its length, summed over time."""
        self._queued_ns += self._queued * (now - self._metered_ns)
        self._metered_ns = now
