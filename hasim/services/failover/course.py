"""The course of a failover: what each state orders, and what leads on to the next.

The lifecycle table says which steps are legal; here they are taken. Whatever is ordered has a
deadline, so that a failover never stands still because an answer was lost.
"""

from __future__ import annotations

from hasim.events import (
    Demote,
    DiscardTransfer,
    FailoverChanged,
    Output,
    Promote,
    TransferState,
)
from hasim.model import Status
from hasim.services.failover import lifecycle
from hasim.services.failover.audit import AuditTrail
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.fencing import Fencing
from hasim.services.failover.known import Known
from hasim.services.failover.orders import AnyOrder
from hasim.services.failover.policy import Policy
from hasim.services.failover.selection import eligible, select
from hasim.services.failover.settings import FailoverSettings


class Course:
    """Carries failovers from step to step; the orchestrator tells it what has happened."""

    def __init__(
        self,
        settings: FailoverSettings,
        known: Known,
        failovers: Failovers,
        fencing: Fencing,
        policy: Policy,
    ) -> None:
        self.trail = AuditTrail()
        self._settings, self._known, self._failovers = settings, known, failovers
        self.trail = AuditTrail()
        self._settings, self._known, self._failovers = settings, known, failovers
        self.fencing, self._policy = fencing, policy

    def advance(self, now: int, failover: Failover, trigger: str, reason: str) -> list[Output]:
        """Take one step of the lifecycle; an illegal one raises and changes nothing."""
        old, new = failover.state, lifecycle.advance(failover.state, trigger)
        failover.state = new
        failover.deadline_ns = None
        if not failover.active:
            failover.ended_ns = now
            self._failovers.end(failover)
        self.trail.add(now, failover, old, trigger, reason)
        changed = FailoverChanged(
            failover.id,
            failover.master,
            failover.partitions,
            old,
            new,
            trigger,
            failover.candidate,
            reason,
        )
        return [changed]

    # -- fencing -------------------------------------------------------------------

    def begin(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """A new failover: fence whoever may accept writes, then choose a backup."""
        out = self.advance(now, failover, "declare", reason)
        dangerous = self.fencing.dangerous(failover)
        if not dangerous:
            off = f"{failover.master} is off or a standby already"
            why = off if self.fencing.used else "fencing mode is none"
            out += self.advance(now, failover, "no-fencing", why)
            return out + self.choose(now, failover)
        out += self.advance(now, failover, "fence", f"power off {dangerous[0]}")
        return out + self.fencing.order(now, failover, dangerous[0])

    def fence_again(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """An order failed, or nobody answered: the next one, if there may be one."""
        if self.fencing.exhausted(failover):
            self._policy.gave_up(now, failover.master)
            failover.fencing = ""
            return self.advance(
                now, failover, "give-up", f"{failover.fence_orders} fencing orders failed"
            )
        out = self.advance(now, failover, "not-fenced", reason)
        return out + self.fencing.order(now, failover, failover.fencing)

    def fenced(self, now: int, failover: Failover, master: str) -> list[Output]:
        """One whom it waited for is off; the next one, or a backup is chosen."""
        failover.fencing, failover.fence_orders = "", 0
        if master not in failover.tried:
            failover.tried.append(master)  # it is off, whatever its status still says
        reason, left = f"{master} is off", self.fencing.dangerous(failover)
        if left:
            out = self.advance(now, failover, "one-fenced", reason)
            return out + self.fencing.order(now, failover, left[0])
        out = self.advance(now, failover, "fenced", reason)
        return out + self.choose(now, failover)

    def again(self, now: int, failover: Failover) -> list[Output]:
        """Another term has begun: what the state waits for is ordered once more, under that."""
        match failover.state:
            case lifecycle.FENCING:
                self.fencing.due_ns.pop(failover.fencing, None)
                return self.fencing.order(now, failover, failover.fencing)
            case lifecycle.TRANSFERRING:
                return self.transfer(now, failover)
            case lifecycle.PROMOTING:
                return self.promote(now, failover)
            case lifecycle.ROLLING_BACK:
                return self._demote(now, failover)
            case lifecycle.REDIRECTING:
                failover.deadline_ns = now + self._settings.redirect_timeout_ns
            case _:  # waiting
                failover.deadline_ns = now
        return []

    # -- selection -----------------------------------------------------------------

    def backup_of(self, failed: str, exclude: tuple[str, ...] = ()) -> str | None:
        """The backup that would take over from `failed`, or None if nobody is eligible."""
        # A master that is being failed over itself is about to be fenced.
        busy = {f.master for f in self._failovers.active if f.master != failed}
        candidates = eligible(
            self._known.masters.values(), self._known.statuses, busy.union(exclude)
        )
        chosen = select(candidates, self._settings.selection, self._known.owners.counts())
        return None if chosen is None else chosen.id

    def choose(self, now: int, failover: Failover) -> list[Output]:
        """The best backup that has not been tried; if there is none, wait."""
        chosen = self.backup_of(failover.master, tuple(failover.tried))
        if chosen is None:
            failover.candidate = ""
            reason = "no eligible backup"
            if failover.tried:
                reason += f" besides {', '.join(failover.tried)}, which failed"
            out = self.advance(now, failover, "no-candidate", reason)
            failover.deadline_ns = now + self._settings.retry_interval_ns
            return out
        failover.candidate = chosen
        failover.tried.append(chosen)
        rules = ", ".join(self._settings.selection)
        out = self.advance(now, failover, "selected", f"{chosen} by {rules}")
        return out + self.transfer(now, failover)

    def look_again(self, now: int, failover: Failover) -> list[Output]:
        """Waiting goes on until somebody is eligible; those that failed get another chance."""
        chosen = self.backup_of(failover.master)
        if chosen is None:
            failover.deadline_ns = now + self._settings.retry_interval_ns
            return []
        return self.wait_over(now, failover, chosen)

    def wait_over(self, now: int, failover: Failover, healthy: str) -> list[Output]:
        """A master is healthy: it may take over, or it is the owner, and all is well."""
        if self._policy.is_over(failover, healthy):
            return self.advance(
                now, failover, "owner-recovered", f"{healthy} is healthy again and still owns"
            )
        failover.tried.clear()
        out = self.advance(now, failover, "candidate-appeared", f"{healthy} is healthy")
        return out + self.choose(now, failover)

    # -- transfer and promotion ----------------------------------------------------

    def transfer(self, now: int, failover: Failover) -> list[Output]:
        """Order the transfer of all partitions to the candidate, from whoever may hold a copy."""
        failover.deadline_ns = now + self._settings.transfer_timeout_ns
        # Not from the failed master: what is dead, hung or powered off cannot be read.
        sources = tuple(
            master
            for master, status in self._known.statuses.items()
            if master not in (failover.candidate, failover.master) and status is not Status.FAILED
        )
        order = TransferState(failover.id, failover.partitions, failover.candidate, sources)
        return self._order(failover, order)

    def promote(self, now: int, failover: Failover) -> list[Output]:
        """Order the candidate to accept writes, under an epoch that nobody has had before."""
        failover.epoch = epoch = self._known.next_epoch(failover.partitions)
        candidate, partitions = failover.candidate, failover.partitions
        out = self._order(failover, Promote(failover.id, partitions, candidate, epoch))
        for partition in partitions:
            # From the order on, not from the answer: that may get lost.
            self._known.writers.told_to_promote(candidate, partition, epoch, failover.order)
        failover.promotion_sent = True
        failover.deadline_ns = now + self._settings.promote_timeout_ns
        return out

    def _order(self, failover: Failover, order: AnyOrder) -> list[Output]:
        """Order it under the next number, which the failover waits for from now on."""
        numbered = self._known.orders.issue(order)
        failover.order = numbered.order
        return [numbered]

    # -- rolling back --------------------------------------------------------------

    def roll_back(self, now: int, failover: Failover, trigger: str, reason: str) -> list[Output]:
        """Take back what the candidate was told, before the next one gets its turn."""
        out = self.advance(now, failover, trigger, reason)
        if not failover.promotion_sent:
            out += self._order(
                failover, DiscardTransfer(failover.id, failover.partitions, failover.candidate)
            )
            return out + self.rolled_back(now, failover, "nothing was promoted")
        return out + self._demote(now, failover)

    def _demote(self, now: int, failover: Failover) -> list[Output]:
        """Order the candidate to accept nothing."""
        failover.deadline_ns = now + self._settings.demote_timeout_ns
        # The epoch after the promoted one: the demotion overrides it, a late promotion loses.
        demote = Demote(failover.id, failover.partitions, failover.candidate, failover.epoch + 1)
        return self._order(failover, demote)

    def rolled_back(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """The candidate accepts nothing: the next one."""
        failover.promotion_sent = False
        out = self.advance(now, failover, "rolled-back", reason)
        return out + self.choose(now, failover)

    def unconfirmed(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """Nobody knows whether the candidate accepts writes: it is fenced, if there is fencing."""
        failover.promotion_sent = False
        if not self.fencing.used:
            return self.rolled_back(now, failover, f"{reason}; no fencing to make sure")
        out = self.advance(now, failover, "unconfirmed", reason)
        return out + self.fencing.order(now, failover, failover.candidate)

    def lost(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """The candidate was powered off: what it was to do is lost, and nothing is promoted."""
        if failover.state == lifecycle.ROLLING_BACK:
            return self.rolled_back(now, failover, reason)
        if failover.state not in (lifecycle.TRANSFERRING, lifecycle.PROMOTING):
            return []
        failover.promotion_sent = False
        return self.roll_back(now, failover, "candidate-failed", reason)

    # -- deadlines -----------------------------------------------------------------

    def timed_out(self, now: int, failover: Failover) -> list[Output]:
        """The deadline of the state has come."""
        match failover.state:
            case lifecycle.FENCING:
                return self.fence_again(now, failover, "no answer from the fencing device")
            case lifecycle.TRANSFERRING | lifecycle.PROMOTING:
                return self.roll_back(now, failover, "timed-out", f"{failover.state}: no answer")
            case lifecycle.ROLLING_BACK:
                return self.unconfirmed(now, failover, "demotion: no answer")
            case lifecycle.REDIRECTING:
                # The owner serves, and whoever asks the old one is told so: no reason to undo it.
                return self.advance(
                    now, failover, "timed-out", "a gateway has not acknowledged the routing"
                )
            case _:  # waiting: look again
                return self.look_again(now, failover)
