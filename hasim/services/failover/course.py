"""The course of a failover: what each state orders, and what leads on to the next.

The lifecycle table says which steps are legal; here they are taken. Whatever is ordered has a
deadline, so that a failover never stands still because an answer was lost.
"""

from __future__ import annotations

from hasim.events import (
    AskMaster,
    Demote,
    DiscardTransfer,
    Output,
    PassedOver,
    Promote,
    TransferState,
)
from hasim.model import Status
from hasim.services.failover import lifecycle
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.fences import Fences
from hasim.services.failover.handover import Handover
from hasim.services.failover.inquiry import Inquiry
from hasim.services.failover.known import Known
from hasim.services.failover.orders import AnyOrder
from hasim.services.failover.policy import Policy
from hasim.services.failover.progress import Progress
from hasim.services.failover.registry import FENCINGS
from hasim.services.failover.returned import Returned
from hasim.services.failover.selection.choice import Choice
from hasim.services.failover.selection.passed_over import grouped, told
from hasim.services.failover.settings import FailoverSettings
from hasim.services.failover.verification import Verification


class Course:
    """Carries failovers from step to step; the orchestrator tells it what has happened."""

    def __init__(
        self,
        settings: FailoverSettings,
        known: Known,
        failovers: Failovers,
        policy: Policy,
        returned: Returned,
        inquiry: Inquiry,
    ) -> None:
        self.progress = Progress(failovers, known.orders)
        fencing = FENCINGS.class_for(settings.fencing)(settings.fencing)
        fencing.meet(known, failovers)
        self.fences = Fences(settings, known, self.progress, fencing, policy, returned, self.choose)
        self.handover = Handover(settings, known, self.progress, self.transfer)
        self.verification = Verification(settings, known, self.progress, policy)
        self.choice = Choice(settings, known, failovers)
        self._settings, self._known, self._failovers = settings, known, failovers
        self.policy, self._returned, self._inquiry = policy, returned, inquiry

    def advance(
        self,
        now: int,
        failover: Failover,
        trigger: str,
        reason: str,
        passed_over: tuple[PassedOver, ...] = (),
    ) -> list[Output]:
        """Take one step of the lifecycle; an illegal one raises and changes nothing."""
        return self.progress.advance(now, failover, trigger, reason, passed_over)

    def begin(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """A new failover; one that has promoted what this one moves is over."""
        out: list[Output] = []
        for other in self._failovers.promoted(failover.partitions):
            why = f"{failover.master} is failed over: {reason}"
            out += self.advance(now, other, "not-verified", why)
        return out + self.advance(now, failover, "declare", reason) + self.decide(now, failover)

    def decide(self, now: int, failover: Failover) -> list[Output]:
        """Declared: wait as the policy says, or begin."""
        hold = self.policy.hold(now, failover)
        if hold is not None:
            out = self.advance(now, failover, hold.trigger, hold.reason)
            failover.deadline_ns = hold.until_ns
            return out
        failover.expires_ns = now + self._settings.limit_ns
        if failover.planned:
            out = self.advance(now, failover, "planned", f"{failover.master} hands over")
            return out + self.choose(now, failover)
        failover.tried.append(failover.master)
        return self.fences.begin(now, failover)

    def release(self, now: int, failover: Failover) -> list[Output]:
        """Held until now: look whether it may begin."""
        hold = self.policy.hold(now, failover)
        if hold is not None:
            failover.deadline_ns = hold.until_ns
            return []
        out = self.advance(now, failover, "released", "nothing holds it any more")
        return out + self.decide(now, failover)

    def unplanned(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """The owner does not hand over: it is failed over like one that was declared failed."""
        out: list[Output] = []
        if failover.state == lifecycle.CATCHING_UP:
            out += self._discard(failover)
        failover.planned = False
        failover.tried.clear()
        out += self.advance(now, failover, "owner-failed", reason)
        return out + self.decide(now, failover)

    def again(self, now: int, failover: Failover) -> list[Output]:
        """Another term has begun: what the state waits for is ordered once more, under that."""
        failover.until_ns = None
        match failover.state:
            case lifecycle.FENCING:
                return self.fences.order(now, failover, failover.fencing)
            case lifecycle.HANDING_OVER:
                return self.handover.tell(now, failover)
            case lifecycle.CATCHING_UP | lifecycle.TRANSFERRING:
                return self.transfer(now, failover)
            case lifecycle.PROMOTING:
                return self.promote(now, failover)
            case lifecycle.ROLLING_BACK:
                return self._tell_candidate(now, failover)
            case lifecycle.REDIRECTING:
                self.progress.allow(now, failover, self._settings.redirect_timeout_ns)
            case lifecycle.VERIFYING:
                self.progress.allow(now, failover, self._settings.verify_timeout_ns)
            case _:  # held, waiting, or nothing is under way that could be ordered again
                failover.deadline_ns = now
        return []

    # -- selection -----------------------------------------------------------------

    def choose(self, now: int, failover: Failover) -> list[Output]:
        """The best backup that has not been tried; if there is none, wait."""
        if self.policy.is_over(failover):
            reason = f"{failover.master} is healthy again and still owns"
            return self.advance(now, failover, "owner-recovered", reason)
        if failover.expires_ns is not None and now >= failover.expires_ns:
            return self.fences.give_up(now, failover, "the time of the failover is over")
        most, tried = self._settings.most_candidates, set(failover.tried) - {failover.master}
        if most and len(tried) >= most and not failover.planned:
            why = f"{', '.join(sorted(tried))} did not take over, and no more are tried"
            return self.fences.give_up(now, failover, why)
        chosen = self._candidate(failover)
        if chosen is None:
            return self._nobody(now, failover)
        reason = f"{chosen} by {', '.join(self._settings.selection)}"
        if failover.anyway:
            reason += ", though nobody passes"
        others = self.choice.passed_over(failover, chosen)
        reason += told(others)
        failover.candidate = chosen
        failover.tried.append(chosen)
        if failover.planned and chosen != failover.master and self._known.accepts_any(failover):
            out = self.advance(now, failover, "catch-up", reason, grouped(others))
        else:
            out = self.advance(now, failover, "selected", reason, grouped(others))
        return out + self.transfer(now, failover)

    def _candidate(self, failover: Failover) -> str | None:
        """The best that has not been tried; the owner itself where it has handed over in vain.

        Or where nobody else is left, and it is well again after it was fenced.
        """
        master, tried, partitions = failover.master, tuple(failover.tried), failover.partitions
        others = tuple(other for other in self._known.masters if other != master)
        if not failover.planned:
            chosen = self.choice.backup_of(master, tried, partitions, anyway=failover.anyway)
            # It counts as tried since it failed, and once more when it was chosen.
            again = tried.count(master) == 1 and not self._known.accepts_any(failover)
            return chosen or (self.choice.backup_of(master, others, partitions) if again else None)
        # Who has a target moves to that one, whatever rules of selection would prefer.
        avoided = (other for other in others if failover.target not in ("", other))
        chosen = self.choice.backup_of(master, (*tried, master, *avoided), partitions)
        if chosen is not None:
            return chosen
        return master if failover.asked and master not in tried else None

    def _nobody(self, now: int, failover: Failover) -> list[Output]:
        failover.candidate = ""
        reason = "no eligible backup"
        if failover.tried:
            reason += f" besides {', '.join(failover.tried)}, which failed"
        others = self.choice.passed_over(failover, None)
        reason += told(others)
        if not failover.planned and not failover.anyway and self._settings.if_none == "promote":
            failover.anyway, failover.tried = True, [failover.master]
            if self._candidate(failover) is not None:
                return self.choose(now, failover)
        if not failover.planned and self._settings.if_none == "fail":
            return self.fences.give_up(now, failover, reason)
        if failover.planned and not failover.patient and not failover.asked:
            return self.advance(now, failover, "called-off", reason)
        if self._settings.most_candidates and not failover.planned:
            return self.fences.give_up(now, failover, reason)
        out = self.advance(now, failover, "no-candidate", reason, grouped(others))
        if self._settings.wait_ns:
            failover.until_ns = now + self._settings.wait_ns
        self._wait_on(now, failover)
        return out

    def _wait_on(self, now: int, failover: Failover) -> None:
        """Look again after a while, and when it has waited for long enough."""
        again_ns = now + self._settings.retry_interval_ns
        failover.deadline_ns = min(again_ns, failover.until_ns or again_ns)

    def look_again(self, now: int, failover: Failover) -> list[Output]:
        """Waiting goes on until somebody is eligible; those that failed get another chance."""
        if failover.until_ns is not None and now >= failover.until_ns:
            return self.fences.give_up(now, failover, "nobody could take over in time")
        exclude = (failover.master,) if failover.planned else ()
        chosen = self.choice.backup_of(failover.master, exclude, failover.partitions)
        if chosen is None:
            self._wait_on(now, failover)
            return []
        return self.wait_over(now, failover, chosen)

    def wait_over(self, now: int, failover: Failover, healthy: str) -> list[Output]:
        """A master is healthy: it may take over, or it is the owner, and all is well."""
        if self.policy.is_over(failover):
            reason = f"{failover.master} is healthy again and still owns"
            return self.advance(now, failover, "owner-recovered", reason)
        if failover.planned and healthy == failover.master:
            return []
        failover.tried.clear()
        failover.expires_ns = now + self._settings.limit_ns
        out = self.advance(now, failover, "candidate-appeared", f"{healthy} is healthy")
        return out + self.choose(now, failover)

    # -- transfer and promotion ----------------------------------------------------

    def transfer(self, now: int, failover: Failover) -> list[Output]:
        """Order the transfer of all partitions to the candidate, from whoever may hold a copy."""
        if self._settings.transfer == "none" and not failover.planned:
            out = self.advance(
                now, failover, "transferred", "it has what it has: nothing is fetched"
            )
            return out + self.promote(now, failover)
        self.progress.allow(now, failover, self._settings.transfer_timeout_ns)
        # Not from a failed master: what is dead, hung or powered off cannot be read. An owner that
        # was fenced and is well again may hold the only copy, unless a verdict on it only waits.
        known, owner = self._known, failover.master
        well = known.statuses[owner] is Status.HEALTHY and owner not in known.failed_ns
        dead = "" if failover.planned or well else failover.master
        sources = tuple(
            master
            for master, status in self._known.statuses.items()
            if master not in (failover.candidate, dead) and status is not Status.FAILED
        )
        order = TransferState(failover.id, failover.partitions, failover.candidate, sources)
        return self._order(failover, order)

    def promote(self, now: int, failover: Failover) -> list[Output]:
        """Order the candidate to accept writes, under an epoch that nobody has had before."""
        failover.epoch = epoch = self._known.next_epoch(failover.partitions)
        candidate, partitions = failover.candidate, failover.partitions
        applies = failover.planned or self._settings.unapplied != "discard"
        order = Promote(failover.id, partitions, candidate, epoch, apply=applies)
        out = self._order(failover, order)
        for partition in partitions:
            # From the order on, not from the answer: that may get lost.
            self._known.writers.told_to_promote(candidate, partition, epoch, failover.order)
            if self.fences.fencing.DEPOSES:
                self._known.writers.deposed(partition, candidate)
        failover.promotion_sent = True
        self._inquiry.allow(now, failover)
        return out

    def _order(self, failover: Failover, order: AnyOrder) -> list[Output]:
        """Order it under the next number, which the failover waits for from now on."""
        numbered = self._known.orders.issue(order)
        failover.order = numbered.order
        return [numbered]

    def _discard(self, failover: Failover) -> list[Output]:
        discard = DiscardTransfer(failover.id, failover.partitions, failover.candidate)
        return self._order(failover, discard)

    # -- rolling back --------------------------------------------------------------

    def roll_back(self, now: int, failover: Failover, trigger: str, reason: str) -> list[Output]:
        """Take back what the candidate was told, before the next one gets its turn."""
        out = self.advance(now, failover, trigger, reason)
        if failover.state != lifecycle.ROLLING_BACK:
            return out
        if not failover.promotion_sent:
            out += self._discard(failover)
            return out + self.rolled_back(now, failover, "nothing was promoted")
        return out + self._tell_candidate(now, failover)

    def _tell_candidate(self, now: int, failover: Failover) -> list[Output]:
        settings = self._settings
        self.progress.allow(now, failover, settings.demote_timeout_ns, settings.demote_retry_ns)
        # The epoch after the promoted one: the demotion overrides it, a late promotion loses.
        epoch = self._known.outbid(failover.partitions, failover.epoch + 1)
        demote = Demote(failover.id, failover.partitions, failover.candidate, epoch)
        return self._order(failover, demote)

    def rolled_back(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """The candidate accepts nothing: the owner if it is healthy, or the next one."""
        failover.promotion_sent = False
        if self.policy.is_over(failover):
            return self.advance(now, failover, "owner-recovered", reason)
        out = self.advance(now, failover, "rolled-back", reason)
        return out + self.choose(now, failover)

    def unconfirmed(
        self, now: int, failover: Failover, reason: str, refused: str = ""
    ) -> list[Output]:
        """Nobody knows whether the candidate accepts writes: it is fenced, if there is fencing.

        `refused`: what its host has answered, where nobody listens.
        """
        failover.promotion_sent = False
        candidate, epoch = failover.candidate, failover.epoch + 1
        if not self.fences.fencing.USED:
            text = f"{reason}; no fencing to make sure"
            out = self._returned.begin(now, failover, {candidate: epoch})
            return out + self.rolled_back(now, failover, text)
        out = self.advance(now, failover, "unconfirmed", reason)
        return out + self.fences.order(now, failover, candidate, refused)

    def lost(self, now: int, failover: Failover, reason: str, *, sure: bool = True) -> list[Output]:
        """The candidate was powered off: what it was to do is lost, and nothing is promoted.

        Unless `sure` of that, it is told to stop, as whenever a promotion is taken back.
        """
        if failover.state == lifecycle.ROLLING_BACK:
            return self.rolled_back(now, failover, reason) if sure else []
        if failover.state not in (
            lifecycle.CATCHING_UP,
            lifecycle.HANDING_OVER,
            lifecycle.TRANSFERRING,
            lifecycle.PROMOTING,
        ):
            return []
        failover.promotion_sent = failover.promotion_sent and not sure
        return self.roll_back(now, failover, "candidate-failed", reason)

    # -- deadlines -----------------------------------------------------------------

    def timed_out(self, now: int, failover: Failover) -> list[Output]:
        """The deadline of the state has come."""
        match failover.state:
            case lifecycle.HELD:
                return self.release(now, failover)
            case lifecycle.FENCING:
                return self.fences.timed_out(now, failover)
            case lifecycle.ABORTING:
                why = "no answer from the fencing device"
                return self.fences.recalled(now, failover, "timed-out", why)
            case lifecycle.HANDING_OVER:
                return self._handover_timed_out(now, failover)
            case lifecycle.PROMOTING if self._inquiry.wanted and now < (failover.until_ns or 0):
                self._inquiry.allow(now, failover)
                return [AskMaster(failover.candidate, self._known.orders.term)]
            case lifecycle.CATCHING_UP | lifecycle.TRANSFERRING | lifecycle.PROMOTING:
                return self.roll_back(now, failover, "timed-out", f"{failover.state}: no answer")
            case lifecycle.ROLLING_BACK:
                return self._demotion_timed_out(now, failover)
            case lifecycle.REDIRECTING:
                # The owner serves, and whoever asks the old one is told so: no reason to undo it.
                why = "a gateway has not acknowledged the routing"
                return self.verification.begin(now, failover, "timed-out", why)
            case lifecycle.VERIFYING:
                return self.verification.timed_out(now, failover)
            case _:  # waiting: look again
                return self.look_again(now, failover)

    def _handover_timed_out(self, now: int, failover: Failover) -> list[Output]:
        """It is told again, until nobody knows any more what it does."""
        if failover.until_ns is not None and now < failover.until_ns:
            return self.handover.timed_out(now, failover)
        why = f"{failover.master} does not say that it has stopped"
        if self._known.statuses[failover.master] is Status.HEALTHY:
            return self.handover.give_back(now, failover, "give-back", why)
        return self.unplanned(now, failover, why)

    def _demotion_timed_out(self, now: int, failover: Failover) -> list[Output]:
        until_ns = failover.until_ns
        if until_ns is None or now >= until_ns:
            return self.unconfirmed(now, failover, "demotion: no answer")
        out = self.advance(now, failover, "told-again", "no answer")
        failover.until_ns = until_ns
        return out + self._tell_candidate(now, failover)
