"""When masters are asked for their role: a promotion, or an old owner, is seen by what they say.

Redis Sentinel believes no answer to SLAVEOF: it sends INFO, every 10 s and in a failover each
second, and sees there who has become a master (redis/src/sentinel.c, sentinelRefreshInstanceInfo).
The idle questions change nothing that hasim keeps: only when they would be asked is reckoned.
"""

from __future__ import annotations

from hasim.services.detection.chance import Chance
from hasim.services.failover.failover import Failover
from hasim.services.failover.known import Known
from hasim.services.failover.progress import Progress
from hasim.services.failover.settings import FailoverSettings


class Inquiry:
    """Says when a master is asked next; times in nanoseconds."""

    def __init__(self, settings: FailoverSettings, known: Known, chance: Chance) -> None:
        self._settings, self._known, self._chance = settings, known, chance

    @property
    def wanted(self) -> bool:
        """Whether a promotion is known by the role alone."""
        return self._settings.promotion == "by-role"

    def allow(self, now: int, failover: Failover) -> None:
        """Until when a promotion is to be known; when to ask for it, if no answer says it."""
        again_ns = self.next_ns(now, failover) - now if self.wanted else 0
        Progress.allow(now, failover, self._settings.promote_timeout_ns, again_ns)

    def next_ns(self, now: int, failover: Failover) -> int:
        """The first question to a candidate after now.

        It is asked at the verdict, if the last time is long enough ago, and from then on at the
        first tick after each interval.
        """
        verdict_ns = self._known.failed_ns.get(failover.master, failover.started_ns)
        idle_ns = self._settings.role_idle_interval_ns + self._settings.role_jitter_ns // 2
        last_ns = verdict_ns - verdict_ns % idle_ns
        asked_ns = max(verdict_ns, last_ns + self._settings.role_interval_ns)
        place = 0
        while asked_ns <= now:
            late_ns = self._late_ns(failover.candidate, failover.id + place)
            asked_ns += self._settings.role_interval_ns + late_ns
            place += 1
        return asked_ns

    def grace_ns(self, master: str, place: int) -> int:
        """How long after its return an old owner is told: it is asked at once, then as ever."""
        grace_ns, idle_ns = self._settings.role_grace_ns, self._settings.role_idle_interval_ns
        if not grace_ns:
            return 0
        return -(-grace_ns // idle_ns) * idle_ns + self._late_ns(master, place)

    def _late_ns(self, master: str, place: int) -> int:
        return int(self._chance.draw(f"roles:{master}", place) * self._settings.role_jitter_ns)
