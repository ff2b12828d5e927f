"""What counting failed messages is: when there are enough of them to be a failed check."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from hasim.events import MasterTraffic
from hasim.model import Cause

OVERTAKEN = -1
"""A newer report of the same gateway came before, so that this one says nothing."""


class Counting(Protocol):
    """Counts the failed messages of one master; a dataclass, so that it can be frozen.

    Gateways report what they have counted since they started, so that a report that is lost is
    made good by the next one. Times are nanoseconds.
    """

    last_cause: Cause

    @abstractmethod
    def update(self, now: int, gateway: str, sequence: int, traffic: MasterTraffic) -> int:
        """Take a gateway's report; returns how many failed checks it adds, or OVERTAKEN."""

    @abstractmethod
    def restarted(self, gateway: str) -> None:
        """A new process of a gateway counts from 0, and knows of no run of the old one."""

    @abstractmethod
    def standing(self) -> int:
        """Failed messages that nothing has refuted."""

    @abstractmethod
    def insists(self, now: int) -> bool:
        """Whether they are as much as a failed check and fresh: no check that passes refutes it."""

    @abstractmethod
    def excuse(self, *, forgive: bool) -> None:
        """The master is acquitted: what stands is no failed check any more.

        `forgive`: and does not count on; otherwise it is no longer fresh, and what was not answered
        since is added to it.
        """

    @abstractmethod
    def words(self) -> str:
        """What was counted, for a reader."""
