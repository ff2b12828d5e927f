"""What a worker of a master is busy with."""

from __future__ import annotations

from typing import Protocol

from hasim.model import Cause
from hasim.simulation.clock import Call

UNWRITTEN = -1
"""It does not wait for copies of what it has written."""
NOT_ASKED, ASKING, ANSWERED, FAILED = range(4)
"""Whether the next tier was asked on behalf of a job, and what came of it."""


class Job(Protocol):
    """Something a worker is busy with: an attempt of a message, or a deep probe.

    `faulty`: what it asks for is wrong in itself, which is the client's error.
    """

    key: int
    demand_ns: int
    error_draw: float
    faulty: bool
    partition: str | None
    queued_ns: int
    remaining_ns: int
    resumed_ns: int
    completion: Call | None
    asks: bool
    """Whether a master that asks the next tier does so for it."""
    asked: int
    """How far that is: one of `NOT_ASKED`, `ASKING`, `ANSWERED`, `FAILED`."""
    written_ns: int
    """Since when it waits for copies of what it has written; `UNWRITTEN`: not."""

    def reply(self, cause: Cause) -> bool:
        """The master answers: whether that will be there before the client gives up."""
        ...
