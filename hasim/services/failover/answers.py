"""Answers to orders: those that nobody waits for any more change nothing."""

from __future__ import annotations

from hasim.events import (
    AskMaster,
    ConfirmOff,
    DemoteResult,
    FenceResult,
    InputRefused,
    MasterState,
    Output,
    OwnerChanged,
    PromoteResult,
    TransferResult,
)
from hasim.model import Cause, Status
from hasim.services.failover import lifecycle
from hasim.services.failover.course import Course
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.services.failover.orders import AnyAnswer
from hasim.services.failover.returned import Returned
from hasim.services.failover.settings import FailoverSettings
from hasim.services.failover.transfer import lagging_because, torn_because

GONE_ON = "late: its failover has gone on"


class Answers:
    """Matches what masters and the fencing device answer with the failovers that wait for it."""

    def __init__(
        self,
        settings: FailoverSettings,
        known: Known,
        failovers: Failovers,
        course: Course,
        returned: Returned,
    ) -> None:
        self._settings, self._known, self._returned = settings, known, returned
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
        master, order, fences = result.master, result.order, self._course.fences
        newest = fences.fencing.newest(master, order)
        if not (result.confirmed or newest):
            return _refused(result, "late: the device was asked again since")
        waiting = [f for f in self._failovers.active if f.fencing == master]
        if newest:
            fences.fencing.answered(master)
        if not result.confirmed:
            return [out for f in waiting for out in self._not_fenced(now, f)]
        self._known.writers.powered_off(master, order)
        self._returned.powered_off(master)
        out: list[Output] = []
        for failover in list(self._failovers.active):
            if failover.candidate == master and failover.order < order:
                out += self._course.lost(now, failover, f"{master} was powered off")
        for failover in waiting:
            # Not if it may accept writes all the same, by what it was told after that order.
            if master not in fences.fencing.dangerous(failover):
                out += fences.fenced(now, failover, master, f"{master} is off")
        return out

    def off_by_word(self, now: int, item: ConfirmOff) -> list[Output]:
        """An operator says that a master is off: the failovers that wait for that go on.

        It does not restart as a standby, as by a device: when it returns, it is told to stop.
        """
        master = item.master
        concerned = [f for f in self._failovers.active if master in (f.fencing, f.master)]
        text = "" if concerned else f"no failover waits for {master} to be off"
        if self._known.statuses[master] is Status.HEALTHY:
            text = f"{master} is declared healthy"
        if text:
            return [InputRefused(type(item).__name__, "operator", text)]
        self._known.off_by_word.add(master)
        return self._course.fences.off(now, master, f"{master} is off, an operator says")

    def _not_fenced(self, now: int, failover: Failover) -> list[Output]:
        fences = self._course.fences
        if failover.state == lifecycle.ABORTING:
            why = f"{failover.fencing} was not powered off"
            return fences.recalled(now, failover, "recalled", why)
        return fences.refused(now, failover, "the fencing device reports failure")

    def _transferred(self, now: int, result: TransferResult) -> list[Output]:
        """The target of a transfer answers."""
        failover = self._waiting(result, lifecycle.CATCHING_UP, lifecycle.TRANSFERRING)
        if failover is None:
            return _refused(result, GONE_ON)
        if result.cause is not Cause.OK:
            return self._course.roll_back(now, failover, "refused", f"transfer: {result.cause}")
        torn = torn_because(result.copies, failover.partitions)
        if torn:
            return self._course.roll_back(now, failover, "torn", torn)
        held = "verified: " + ", ".join(
            f"{c.partition} at write {c.position}" for c in result.copies
        )
        lagging = lagging_because(result.copies, self._settings.max_lag_ns)
        if lagging and failover.state != lifecycle.CATCHING_UP and not failover.anyway:
            return self._course.roll_back(now, failover, "lagging", lagging)
        if failover.state == lifecycle.CATCHING_UP:
            return self._course.handover.caught_up(now, failover, held)
        out = self._course.advance(now, failover, "transferred", held)
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
        return [] if self._settings.promotion == "by-role" else self._took_over(now, failover)

    def says_its_role(self, now: int, said: MasterState) -> list[Output]:
        """A master says what it accepts: a promotion that is known by that alone."""
        out: list[Output] = []
        for failover in list(self._failovers.active):
            waits = failover.state == lifecycle.PROMOTING and failover.candidate == said.master
            if waits and self._settings.promotion == "by-role":
                accepted = {
                    own.partition
                    for own in said.knows
                    if own.owner == said.master and own.epoch == failover.epoch
                }
                if accepted.issuperset(failover.partitions):
                    out += self._took_over(now, failover)
        return out

    def _took_over(self, now: int, failover: Failover) -> list[Output]:
        """The candidate accepts writes."""
        out = self._course.advance(
            now, failover, "promoted", f"{failover.candidate} accepts writes"
        )
        failover.expires_ns = None
        self._course.progress.allow(now, failover, self._settings.redirect_timeout_ns)
        if not failover.planned:
            self._course.policy.block.moved(now, failover)
        for partition in failover.partitions:
            self._known.owners.change(partition, failover.candidate)
            self._known.waited_for.pop(partition, None)
            out.append(OwnerChanged(partition, failover.candidate, failover.epoch, failover.id))
        return out + self._returned.promoted(now, failover)

    def _demoted(self, now: int, result: DemoteResult) -> list[Output]:
        """The target of a demotion answers; that it obeys is news however late it comes."""
        if not result.failover:  # of no failover's: see `Returned`. What does it accept now?
            return [AskMaster(result.target, self._known.orders.term)]
        told = self._failovers.get(result.failover)
        if result.cause is Cause.OK:
            self._known.writers.stopped(result.target, told.partitions, result.epoch)
            self._returned.confirmed(told, result.target, result.epoch)
        out: list[Output] = []
        match told.state:
            case lifecycle.HANDING_OVER if result.target == told.master:
                out += self._handed_over(now, told, result)
            case lifecycle.FENCING if result.target == told.fencing:
                out += self._stays(now, told, result)
            case lifecycle.ROLLING_BACK if (
                told.candidate == result.target and result.epoch > told.epoch
            ):
                out += self._taken_back(now, told, result)
            case _ if result.cause is not Cause.OK:  # that of an old owner, or late
                out += _refused(result, GONE_ON)
        obeys = result.cause is Cause.OK
        why = f"{result.target} " + ("confirms its demotion" if obeys else "accepts nothing of it")
        return out + self._course.fences.stopped(now, result.target, why)

    def _handed_over(self, now: int, failover: Failover, result: DemoteResult) -> list[Output]:
        if result.epoch != failover.epoch or result.cause is not Cause.OK:
            return []  # it is told again
        return self._course.handover.handed_over(now, failover)

    def _stays(self, now: int, failover: Failover, result: DemoteResult) -> list[Output]:
        """Who was told to step down does not; that it does is news for whoever waits for that."""
        fences = self._course.fences
        why, fencing = f"demotion: {result.cause}", fences.fencing
        told_again = fencing.TELLS and not fencing.spared(result.target)  # after a pause
        waits = told_again or fencing.under_way(now, result.target)
        if result.cause is Cause.REFUSED and not waits:
            return fences.order(now, failover, result.target, why)
        return [] if result.cause is Cause.OK else fences.refused(now, failover, why)

    def _taken_back(self, now: int, failover: Failover, result: DemoteResult) -> list[Output]:
        if result.cause is Cause.OK:
            return self._course.rolled_back(now, failover, f"{result.target} confirms its demotion")
        refused = f"demotion: {result.cause}" if result.cause is Cause.REFUSED else ""
        return self._course.unconfirmed(now, failover, f"demotion: {result.cause}", refused)

    def _waiting(self, answer: TransferResult | PromoteResult, *states: str) -> Failover | None:
        """The failover, if this is the answer that it waits for in one of these states."""
        failover = self._failovers.in_state(answer.failover, *states)
        return failover if failover is not None and failover.order == answer.order else None


def _refused(answer: AnyAnswer, why: str) -> list[Output]:
    sender = "fencing device" if isinstance(answer, FenceResult) else answer.target
    return [InputRefused(type(answer).__name__, sender, why)]
