"""Planned switchover: a living owner hands over by itself, and nothing is lost.

The candidate fetches what it lacks while the owner goes on serving. Then the owner stops
accepting writes and says so, the candidate fetches the little that came since, and is promoted:
only between these two nobody accepts writes. (Vitess PlannedReparentShard; Redis `FAILOVER`;
Patroni switchover.) Nobody is powered off for it.
"""

from __future__ import annotations

from collections.abc import Callable

from hasim.events import Demote, Output
from hasim.services.failover.failover import Failover
from hasim.services.failover.known import Known
from hasim.services.failover.progress import Progress
from hasim.services.failover.settings import FailoverSettings

Step = Callable[[int, Failover], list[Output]]


class Handover:
    """The steps between the choice of a candidate and its promotion; `transfer` orders a copy."""

    def __init__(
        self, settings: FailoverSettings, known: Known, progress: Progress, transfer: Step
    ) -> None:
        self._settings, self._known = settings, known
        self._progress, self._transfer = progress, transfer

    def caught_up(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """The candidate holds nearly everything: the owner shall stop accepting writes."""
        out = self._progress.advance(now, failover, "caught-up", reason)
        failover.epoch = self._known.next_epoch(failover.partitions)
        failover.asked = True
        return out + self.tell(now, failover)

    def timed_out(self, now: int, failover: Failover) -> list[Output]:
        """No answer yet: it is told again, until nobody knows any more what it does."""
        until_ns = failover.until_ns
        out = self._progress.advance(now, failover, "told-again", "no answer")
        failover.until_ns = until_ns
        return out + self.tell(now, failover)

    def handed_over(self, now: int, failover: Failover) -> list[Output]:
        """The owner accepts no more writes: what came last is fetched."""
        reason = f"{failover.master} accepts no more writes"
        out = self._progress.advance(now, failover, "handed-over", reason)
        return out + self._transfer(now, failover)

    def give_back(self, now: int, failover: Failover, trigger: str, reason: str) -> list[Output]:
        """The owner is promoted anew, since it may have stopped."""
        failover.candidate = failover.master
        failover.tried.append(failover.master)
        out = self._progress.advance(now, failover, trigger, reason)
        return out + self._transfer(now, failover)

    def tell(self, now: int, failover: Failover) -> list[Output]:
        """Order the owner to accept no more writes."""
        settings = self._settings
        self._progress.allow(now, failover, settings.demote_timeout_ns, settings.demote_retry_ns)
        told = Demote(failover.id, failover.partitions, failover.master, failover.epoch)
        return [self._known.orders.issue(told)]
