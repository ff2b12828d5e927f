"""Answers to orders: those that nobody waits for any more change nothing."""

from __future__ import annotations

from hasim.events import (
    DemoteResult,
    FenceResult,
    Output,
    OwnerChanged,
    PromoteResult,
    TransferResult,
)
from hasim.model import Cause
from hasim.services.failover import lifecycle
from hasim.services.failover.course import Course
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.services.failover.settings import FailoverSettings
from hasim.services.failover.transfer import torn_because


class Answers:
    """Matches what masters and the fencing device answer with the failovers that wait for it."""

    def __init__(
        self, settings: FailoverSettings, known: Known, failovers: Failovers, course: Course
    ) -> None:
        self._settings, self._known = settings, known
        self._failovers, self._course = failovers, course

    def fenced(self, now: int, result: FenceResult) -> list[Output]:
        """The fencing device answers."""
        fencing = [f for f in self._failovers.active if f.fencing == result.master]
        self._course.fencing.answered(result.master)
        if not result.confirmed:
            failure = "the fencing device reports failure"
            return [out for f in fencing for out in self._course.fence_again(now, f, failure)]
        self._known.writers.powered_off(result.master)
        out: list[Output] = []
        for failover in list(self._failovers.active):
            if failover.candidate == result.master:
                out += self._course.lost(now, failover, f"{result.master} was powered off")
        for failover in fencing:
            out += self._course.fenced(now, failover, result.master)
        return out

    def transferred(self, now: int, result: TransferResult) -> list[Output]:
        """The target of a transfer answers."""
        failover = self._failovers.in_state(result.failover, lifecycle.TRANSFERRING)
        if failover is None or failover.candidate != result.target:
            return []
        if result.cause is not Cause.OK:
            return self._course.roll_back(now, failover, "refused", f"transfer: {result.cause}")
        torn = torn_because(result.copies, failover.partitions)
        if torn:
            return self._course.roll_back(now, failover, "torn", torn)
        held = ", ".join(f"{c.partition} at write {c.position}" for c in result.copies)
        out = self._course.advance(now, failover, "transferred", f"verified: {held}")
        return out + self._course.promote(now, failover)

    def promoted(self, now: int, result: PromoteResult) -> list[Output]:
        """The target of a promotion answers."""
        failover = self._failovers.in_state(result.failover, lifecycle.PROMOTING)
        if failover is None or (failover.candidate, failover.epoch) != (
            result.target,
            result.epoch,
        ):
            return []  # of an earlier promotion
        if result.cause is not Cause.OK:
            # A refusal says that nothing was promoted; a connection that broke says nothing.
            failover.promotion_sent = result.cause is Cause.RESET
            if not failover.promotion_sent:
                self._known.writers.stopped(result.target, failover.partitions, failover.epoch + 1)
            return self._course.roll_back(now, failover, "refused", f"promotion: {result.cause}")
        out = self._course.advance(
            now, failover, "promoted", f"{failover.candidate} accepts writes"
        )
        failover.deadline_ns = now + self._settings.redirect_timeout_ns
        for partition in failover.partitions:
            self._known.owners.change(partition, failover.candidate)
            out.append(OwnerChanged(partition, failover.candidate, failover.epoch, failover.id))
        return out

    def demoted(self, now: int, result: DemoteResult) -> list[Output]:
        """The target of a demotion answers."""
        if result.cause is Cause.OK:
            told = self._failovers.get(result.failover)
            self._known.writers.stopped(result.target, told.partitions, result.epoch)
        failover = self._failovers.in_state(result.failover, lifecycle.ROLLING_BACK)
        if failover is None or (failover.candidate, failover.epoch + 1) != (
            result.target,
            result.epoch,
        ):
            return []  # of an earlier demotion
        if result.cause is Cause.OK:
            return self._course.rolled_back(now, failover, f"{result.target} confirms its demotion")
        return self._course.unconfirmed(now, failover, f"demotion: {result.cause}")
