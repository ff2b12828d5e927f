"""Policy: whether a failover begins, is held, is called off, or is begun again."""

from __future__ import annotations

from typing import NamedTuple

from hasim.model import Status
from hasim.services.failover import lifecycle
from hasim.services.failover.block import Block
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.services.failover.settings import FailoverSettings

AT_WORK = (
    *(lifecycle.FENCING, lifecycle.ABORTING, lifecycle.CATCHING_UP, lifecycle.HANDING_OVER),
    *(lifecycle.TRANSFERRING, lifecycle.PROMOTING, lifecycle.ROLLING_BACK),
)
"""The states in which a failover takes one of the places of those that run at the same time."""


class Hold(NamedTuple):
    """Why a failover does not begin yet, by which trigger, and when to look again (nanoseconds)."""

    trigger: str
    reason: str
    until_ns: int


class Policy:
    """When to begin, and to begin again (`retry_ns`, by master); when there is no need any more."""

    def __init__(self, settings: FailoverSettings, known: Known, failovers: Failovers) -> None:
        self.retry_ns: dict[str, int] = {}
        self.block = Block(settings, known)
        self._settings, self._known, self._failovers = settings, known, failovers

    def hold(self, now: int, failover: Failover) -> Hold | None:
        """Why a failover must wait before it begins; None: it begins now."""
        settings = self._settings
        delayed_ns = failover.started_ns + settings.delay_ns
        if now < delayed_ns and not failover.planned:
            return Hold("hold", "the delay between verdict and failover", delayed_ns)
        blocked_ns = self.block.until_ns(failover)
        if now < blocked_ns and not failover.planned:
            return Hold("block", self.block.reason(now, failover), blocked_ns)
        running = [f for f in self._failovers.active if f.state in AT_WORK]
        if settings.parallel and len(running) >= settings.parallel:
            text = f"{len(running)} failovers run already"
            return Hold("hold", text, now + settings.retry_interval_ns)
        return None

    def gave_up(self, now: int, master: str) -> None:
        """The failover of `master` ended without an owner for its partitions.

        If it is to be begun again already, that stands.
        """
        if self._settings.retry == "after-interval":
            self.retry_ns.setdefault(master, now + self._settings.retry_interval_ns)

    def begun(self, master: str) -> None:
        """A failover of `master` is under way."""
        self.retry_ns.pop(master, None)

    def healthy_again(self, master: str) -> None:
        """A master came back. If it no longer accepts what it owns, it is a standby like any
        other, and its partitions still wait for somebody to take them."""
        if self._known.still_owns(master):
            self.retry_ns.pop(master, None)

    def due(self, now: int) -> list[str]:
        """The masters whose failover is begun again now; each is told once."""
        masters = [master for master, at in self.retry_ns.items() if now >= at]
        for master in masters:
            del self.retry_ns[master]
        return masters

    def is_over(self, failover: Failover) -> bool:
        """Whether a failover is needless: the owner is healthy, and is still the owner.

        It may be no longer if a term has begun since: the candidate had taken over, unheard.
        """
        known, master = self._known, failover.master
        return (
            not failover.planned
            and known.statuses[master] is Status.HEALTHY
            and all(known.owners.of(partition) == master for partition in failover.partitions)
            and known.still_owns(master)
        )
