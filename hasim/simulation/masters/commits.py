"""Writes that a master has done, and does not acknowledge before others have them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from hasim.simulation.clock import Clock
from hasim.simulation.masters.job import UNWRITTEN, Job

FOREVER = 2**62
"""A wait that no run outlasts: standbys that are waited for are not there."""


class Commits(ABC):
    """How long the answer to a write waits for standbys, on top of the service (nanoseconds).

    `wait_ns`: from the write until they have it; 0: nobody is waited for. A write that has waited
    for `give_up_ns` in vain ends that: `in_vain` sees to it. There is one log for all partitions:
    whoever is waited for is so with each of them.
    """

    env: Clock
    primaries: dict[str, int]
    _serving: dict[Job, None]

    def __init__(self) -> None:
        self.wait_ns, self.give_up_ns = 0, FOREVER
        self.in_vain: Callable[[], None] = lambda: None

    @property
    def commits_after_ns(self) -> int:
        """How long a write that begins to wait now waits, if nothing changes."""
        return min(self.wait_ns, self.give_up_ns)

    def wait_for_copies(self, wait_ns: int, give_up_ns: int) -> None:
        """Writes wait for so long from now on, those that wait already included."""
        if (wait_ns, give_up_ns) != (self.wait_ns, self.give_up_ns):
            self.wait_ns, self.give_up_ns = wait_ns, give_up_ns
            self._wait_anew()

    def _wait_anew(self) -> None:
        for job in self._serving:
            if job.written_ns != UNWRITTEN:
                self._run(job)

    @abstractmethod
    def _run(self, job: Job) -> None:
        """Let a job go on: until it is written, or its wait is over."""

    def _waits(self, job: Job) -> bool:
        """Whether a write that is done is not acknowledged yet: its copies are waited for."""
        if not self.wait_ns or job.partition not in self.primaries or job.faulty:
            return False
        return job.written_ns == UNWRITTEN or self.wait_ns > self.give_up_ns

    def _wait(self, job: Job) -> None:
        """It begins to wait, or it has waited in vain: then all of them go on."""
        if job.written_ns == UNWRITTEN:
            job.written_ns = self.env.now
            self._run(job)
        else:
            self.in_vain()

    def _left_ns(self, job: Job) -> int:
        """How long a write waits yet that has begun to."""
        return max(0, job.written_ns + self.commits_after_ns - self.env.now)
