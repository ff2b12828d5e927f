"""Policy: whether a failover goes on, is called off, or is begun again.

A verdict begins one at once (`orchestrator`). What stands here is what follows if it cannot
finish: it is begun again after a while, as long as its master has not come back as the owner
that it was.
"""

from __future__ import annotations

from hasim.services.failover.failover import Failover
from hasim.services.failover.known import Known
from hasim.services.failover.settings import FailoverSettings


class Policy:
    """When to begin again, by master (`retry_ns`), and when there is no need any more."""

    def __init__(self, settings: FailoverSettings, known: Known) -> None:
        self.retry_ns: dict[str, int] = {}
        self._settings, self._known = settings, known

    def gave_up(self, now: int, master: str) -> None:
        """The failover of `master` ended without an owner for its partitions."""
        self.retry_ns[master] = now + self._settings.retry_interval_ns

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

    def is_over(self, failover: Failover, healthy: str) -> bool:
        """Whether a failover that waits is needless, now that `healthy` is."""
        return healthy == failover.master and self._known.still_owns(healthy)
