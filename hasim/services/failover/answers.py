"""Answers to orders: those that nobody waits for any more change nothing."""

from __future__ import annotations

from hasim.events import (
    AskMaster,
    DemoteResult,
    FenceResult,
    InputRefused,
    Output,
    OwnerChanged,
    PromoteResult,
    TransferResult,
)
from hasim.model import Cause
from hasim.services.failover import lifecycle
from hasim.services.failover.course import Course
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.services.failover.orders import AnyAnswer
from hasim.services.failover.settings import FailoverSettings
from hasim.services.failover.transfer import torn_because

GONE_ON = "late: its failover has gone on"


class Answers:
    """Matches what masters and the fencing device answer with the failovers that wait for it."""

    def __init__(
        self, settings: FailoverSettings, known: Known, failovers: Failovers, course: Course
    ) -> None:
        self._settings, self._known = settings, known
        self._failovers, self._course = failovers, course

    def take(self, now: int, answer: AnyAnswer) -> list[Output]:
        """Take one answer to each order; what is doubled, late or foreign is refused."""
        why = self._known.orders.settle(answer)
        if why:
            return _refused(answer, why)
        match answer:
            case FenceResult():
                return self._fenced(now, answer)
            case TransferResult():
                return self._transferred(now, answer)
            case PromoteResult():
                return self._promoted(now, answer)
            case DemoteResult():
                return self._demoted(now, answer)

    def _fenced(self, now: int, result: FenceResult) -> list[Output]:
        """The fencing device answers; that a master was off is news however late it comes."""
        master, order = result.master, result.order
        newest = self._course.fencing.last.get(master) == order
        if not (result.confirmed or newest):
            return _refused(result, "late: the device was asked again since")
        fencing = [f for f in self._failovers.active if f.fencing == master]
        if newest:
            self._course.fencing.answered(master)
        if not result.confirmed:
            failure = "the fencing device reports failure"
            return [out for f in fencing for out in self._course.fence_again(now, f, failure)]
        self._known.writers.powered_off(master, order)
        out: list[Output] = []
        for failover in list(self._failovers.active):
            if failover.candidate == master and failover.order < order:
                out += self._course.lost(now, failover, f"{master} was powered off")
        for failover in fencing:
            # Not if it may accept writes all the same, by what it was told after that order.
            if master not in self._course.fencing.dangerous(failover):
                out += self._course.fenced(now, failover, master)
        return out

    def _transferred(self, now: int, result: TransferResult) -> list[Output]:
        """The target of a transfer answers."""
        failover = self._waiting(result, lifecycle.TRANSFERRING)
        if failover is None:
            return _refused(result, GONE_ON)
        if result.cause is not Cause.OK:
            return self._course.roll_back(now, failover, "refused", f"transfer: {result.cause}")
        torn = torn_because(result.copies, failover.partitions)
        if torn:
            return self._course.roll_back(now, failover, "torn", torn)
        held = ", ".join(f"{c.partition} at write {c.position}" for c in result.copies)
        out = self._course.advance(now, failover, "transferred", f"verified: {held}")
        return out + self._course.promote(now, failover)

    def _promoted(self, now: int, result: PromoteResult) -> list[Output]:
        """The target of a promotion answers."""
        failover = self._waiting(result, lifecycle.PROMOTING)
        if failover is None:
            return _refused(result, GONE_ON)
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

    def _demoted(self, now: int, result: DemoteResult) -> list[Output]:
        """The target of a demotion answers; that it obeys is news however late it comes."""
        if not result.failover:  # of no failover's: see `Returned`. What does it accept now?
            return [AskMaster(result.target, self._known.orders.term)]
        if result.cause is Cause.OK:
            told = self._failovers.get(result.failover)
            self._known.writers.stopped(result.target, told.partitions, result.epoch)
        failover = self._waiting(result, lifecycle.ROLLING_BACK)
        if failover is None:  # that of an old owner, or late
            return [] if result.cause is Cause.OK else _refused(result, GONE_ON)
        if result.cause is Cause.OK:
            return self._course.rolled_back(now, failover, f"{result.target} confirms its demotion")
        return self._course.unconfirmed(now, failover, f"demotion: {result.cause}")

    def _waiting(
        self, answer: TransferResult | PromoteResult | DemoteResult, state: str
    ) -> Failover | None:
        """The failover, if this is the answer that it waits for in `state`."""
        failover = self._failovers.in_state(answer.failover, state)
        return failover if failover is not None and failover.order == answer.order else None


def _refused(answer: AnyAnswer, why: str) -> list[Output]:
    sender = "fencing device" if isinstance(answer, FenceResult) else answer.target
    return [InputRefused(type(answer).__name__, sender, why)]
