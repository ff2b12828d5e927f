"""Failback: whoever owned a partition at the start gets it back once it has proven its health."""

from __future__ import annotations

from typing import NamedTuple

from hasim.model import Status
from hasim.services.agenda import NEVER
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.services.failover.settings import FailoverSettings


class Displaced(NamedTuple):
    """Partitions of `home` that `owner` has."""

    owner: str
    home: str
    partitions: tuple[str, ...]


class Failback:
    """Finds what is due to go back (VRRP preemption; Pacemaker's location scores and stickiness).

    `healthy_ns` says since when a master has been declared healthy without a break, or when
    what it has lost was last tried to be given back.
    """

    def __init__(self, settings: FailoverSettings, known: Known, failovers: Failovers) -> None:
        self.healthy_ns: dict[str, int] = {}
        self._settings, self._known, self._failovers = settings, known, failovers

    def judged(self, now: int, master: str, status: Status) -> None:
        """The verdict on a master has changed; a mere suspicion breaks its health, too."""
        if status is Status.HEALTHY:
            self.healthy_ns.setdefault(master, now)
        else:
            self.healthy_ns.pop(master, None)

    def next_ns(self) -> int:
        """When something may go back next (nanoseconds); `NEVER` if nothing may."""
        displaced = self._displaced()
        return min(map(self._due_ns, displaced)) if displaced else NEVER

    def due(self, now: int) -> list[Displaced]:
        """What goes back now; tried again, if that fails, after the same time.

        That is never at once: what fails for a reason that lasts would be tried without an end.
        """
        settings = self._settings
        pause_ns = max(settings.failback_after_ns, settings.retry_interval_ns)
        found = [each for each in self._displaced() if self._due_ns(each) <= now]
        for each in found:
            self.healthy_ns[each.home] = now + pause_ns - settings.failback_after_ns
        return found

    def _due_ns(self, found: Displaced) -> int:
        return self.healthy_ns[found.home] + self._settings.failback_after_ns

    def _displaced(self) -> list[Displaced]:
        """What healthy masters have lost to others that are healthy, and no failover moves."""
        known = self._known
        if self._settings.failback != "automatic":
            return []
        busy = {f.master for f in self._failovers.active}
        found: dict[tuple[str, str], list[str]] = {}
        for partition, home in known.homes.items():
            owner = known.owners.of(partition)
            fit = home in self.healthy_ns and known.statuses[owner] is Status.HEALTHY
            fit = fit and self._outweighs(home, owner)
            if owner != home and fit and not busy & {owner, home}:
                found.setdefault((owner, home), []).append(partition)
        return [Displaced(owner, home, tuple(own)) for (owner, home), own in found.items()]

    def _outweighs(self, home: str, owner: str) -> bool:
        """Whether the first owner ranks before the present one by more than what sticks."""
        stickiness, masters = self._settings.stickiness, self._known.masters
        ahead = masters[owner].priority - masters[home].priority
        return stickiness is None or ahead > stickiness
