"""What leadership is: which of several control planes asks for a term, and acts under it.

An election finds one of the observers; that it may act is granted by masters and gateways
(`hasim.services.accession`). So an election that goes wrong makes two ask, and one of them act.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hasim.events import Input, Output, StatusChanged
from hasim.model import Cluster
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import Chance
from hasim.settings import settings


@settings
class LeaderSettings:
    """The base of each kind of leadership's settings."""


class Leader(Protocol):
    """One observer's part in finding who acts; a sans-IO machine.

    It is made of its settings and a dataclass, so that it can be frozen; `meet` tells it who it is.
    `leads` says whether this observer shall ask for a term, or keep the one that it has.
    """

    settings: Any
    leads: bool
    ballot: int
    """The number of the latest election that it knows of; the first leader's is 1."""

    @property
    def alone(self) -> bool:
        """Whether there are no elections: who acts is written in the configuration."""
        return False

    def meet(self, me: str, cluster: Cluster, chance: Chance) -> None:
        """Its own name, the cluster, of whose observers the first leads first, and chance."""

    def begin(self, now: int, *, born: bool) -> list[Output]:
        """Start, with the cluster (`born`) or among others at work."""
        return []

    def outbid(self, now: int) -> None:
        """Masters or gateways obey a later term: somebody else leads."""
        self.leads = False

    def judged(self, now: int, event: StatusChanged) -> tuple[bool, list[Output]]:
        """A verdict of its own: whether it waits for an election, and what is sent."""
        return False, []

    def step(self, now: int, item: Input) -> list[Output]:
        """Take what another observer says, or a wake-up."""
        return []

    def released(self) -> list[StatusChanged]:
        """The verdicts that have waited and wait no more; each is told once."""
        return []

    def owns(self, now: int, owners: Mapping[str, bool]) -> list[Output]:
        """This observer knows of masters whether they own anything: what the others are told."""
        return []

    def next_ns(self) -> int:
        """When it wants to be woken (nanoseconds); `NEVER`: not at all."""
        return NEVER
