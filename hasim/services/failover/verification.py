"""Verification: after a promotion, whether the new owner is healthy."""

from __future__ import annotations

from hasim.events import Output
from hasim.model import Status
from hasim.services.failover.failover import Failover
from hasim.services.failover.known import Known
from hasim.services.failover.policy import Policy
from hasim.services.failover.progress import Progress
from hasim.services.failover.settings import FailoverSettings


class Verification:
    """The last step of a failover: it ends when there is a verdict on the new owner."""

    def __init__(
        self, settings: FailoverSettings, known: Known, progress: Progress, policy: Policy
    ) -> None:
        self._settings, self._known = settings, known
        self._progress, self._policy = progress, policy

    def begin(self, now: int, failover: Failover, trigger: str, reason: str) -> list[Output]:
        """The traffic is redirected: is the new owner healthy?"""
        out = self._progress.advance(now, failover, trigger, reason)
        self._progress.allow(now, failover, self._settings.verify_timeout_ns)
        return out + self.look(now, failover)

    def look(self, now: int, failover: Failover) -> list[Output]:
        """It ends when there is a verdict on the new owner; a failed one is failed over itself."""
        owner = failover.candidate
        status = self._known.statuses[owner]
        if status is Status.HEALTHY:
            return self._progress.advance(now, failover, "verified", f"{owner} is healthy")
        if status in (Status.FAILED, Status.MAINTENANCE):
            if owner == failover.master:  # it was to hand over, and did not
                self._policy.gave_up(now, owner)
            return self._progress.advance(
                now, failover, "not-verified", f"{owner} is {status.value}"
            )
        return []

    def timed_out(self, now: int, failover: Failover) -> list[Output]:
        """There is none."""
        why = f"no verdict on {failover.candidate}"
        return self._progress.advance(now, failover, "timed-out", why)
