"""The steps of fencing: order, order again after a pause, take back, give up."""

from __future__ import annotations

from collections.abc import Callable

from hasim.events import Output
from hasim.services.agenda import NEVER
from hasim.services.failover import lifecycle
from hasim.services.failover.failover import Failover
from hasim.services.failover.fencing.fencing import Fencing
from hasim.services.failover.known import Known
from hasim.services.failover.policy import Policy
from hasim.services.failover.progress import Progress
from hasim.services.failover.returned import Returned
from hasim.services.failover.settings import FailoverSettings
from hasim.units import format_duration


class Fences:
    """Takes failovers through their fencing; `then` goes on when whoever had to be off is off."""

    def __init__(
        self,
        settings: FailoverSettings,
        known: Known,
        progress: Progress,
        fencing: Fencing,
        policy: Policy,
        returned: Returned,
        then: Callable[[int, Failover], list[Output]],
    ) -> None:
        self.fencing = fencing
        self._settings, self._known = settings, known
        self._progress, self._policy, self._returned = progress, policy, returned
        self._then = then

    def begin(self, now: int, failover: Failover) -> list[Output]:
        """Fence whoever may accept writes; if there is nobody, go on at once."""
        dangerous = self.fencing.dangerous(failover)
        if not dangerous:
            off = f"{failover.master} is off or a standby already"
            why = off if self.fencing.USED else "nobody is fenced"
            out = self._progress.advance(now, failover, "no-fencing", why)
            return out + self._then(now, failover)
        failover.fence_orders = failover.fence_pause_ns = 0
        why = f"{dangerous[0]} may accept writes"
        out = self._progress.advance(now, failover, "fence", why)
        return out + self.order(now, failover, dangerous[0])

    def order(self, now: int, failover: Failover, master: str, refused: str = "") -> list[Output]:
        """See to it that a master is off, or tell it to stop where it may not be struck."""
        again_ns = self._settings.demote_retry_ns
        out = self.fencing.order(now, failover, master, again_ns, refused)
        return out + self._look(now, failover)

    def _look(self, now: int, failover: Failover) -> list[Output]:
        """If it is off by now, though nobody has answered, go on."""
        master = failover.fencing
        why = self.fencing.proven(now, master)
        if not why:
            return []
        # All that it was told until now has come to it before its end, or never will.
        self._known.writers.powered_off(master, self._known.orders.issued + 1)
        return self.fenced(now, failover, master, why)

    def failed(self, now: int, failover: Failover) -> list[Output]:
        """Whoever was only told to step down is declared failed: it is powered off at once."""
        if self.fencing.under_way(now, failover.fencing) or failover.fence_pause_ns:
            return []
        return self.order(now, failover, failover.fencing)

    def refused(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """The device, or a master that was told to step down, says no: again after a pause."""
        if self.fencing.ENOUGH:
            return self.unfenced(now, failover, reason)
        if self.fencing.exhausted(failover):
            return self.give_up(now, failover, f"{failover.fence_orders} fencing orders failed")
        pause_ns = self.fencing.pause_ns(failover)
        text = f"{reason}; again in {format_duration(pause_ns)}"
        out = self._progress.advance(now, failover, "not-fenced", text)
        over_ns = self.fencing.over_ns(failover.fencing)
        failover.deadline_ns = min(now + pause_ns, over_ns if over_ns > now else NEVER)
        return out

    def stopped(self, now: int, master: str, reason: str) -> list[Output]:
        """A master has said what it accepts: who waits for it in vain goes on.

        Not while the device may strike it: it would strike who is promoted by then.
        """
        return [] if self.fencing.outstanding(master) else self.off(now, master, reason)

    def off(self, now: int, master: str, reason: str) -> list[Output]:
        """A master is no danger any more: those that fence it go on."""
        waiting = self.fencing.in_vain(master)
        return [out for failover in waiting for out in self.fenced(now, failover, master, reason)]

    def healthy(self, now: int, failover: Failover) -> list[Output]:
        """Who is fenced is declared healthy: it is told to stop, where nobody may strike it."""
        if self.fencing.under_way(now, failover.fencing) or failover.fence_pause_ns:
            return []
        return self.order(now, failover, failover.fencing)

    def timed_out(self, now: int, failover: Failover) -> list[Output]:
        """Nobody answered, or the pause is over: the next order, if there may be one."""
        if proven := self._look(now, failover):
            return proven
        if failover.expires_ns is not None and now >= failover.expires_ns:
            return self.give_up(now, failover, "the time of the failover is over")
        if self.fencing.exhausted(failover):
            return self.give_up(now, failover, f"{failover.fence_orders} fencing orders failed")
        if self.fencing.ENOUGH:
            return self.unfenced(now, failover, "no answer from the fencing device")
        out: list[Output] = []
        if self.fencing.awaited(failover.fencing):
            why = "no answer from the fencing device"
            out = self._progress.advance(now, failover, "not-fenced", why)
        return out + self.order(now, failover, failover.fencing)

    def give_up(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """It ends, and is begun again after a while."""
        over = self._policy.is_over(failover)
        if over:
            reason = f"{failover.master} is healthy and still owns; {reason}"
        else:
            self._policy.gave_up(now, failover.master)
        failover.fencing = ""
        out = self._progress.advance(
            now, failover, "owner-recovered" if over else "give-up", reason
        )
        return out + self._tell_others(now, failover)

    def _tell_others(self, now: int, failover: Failover) -> list[Output]:
        """Whoever it leaves that may accept writes beside the owner shall stop."""
        others = [m for m in self.fencing.dangerous(failover) if m != failover.master]
        return [out for master in others for out in self._returned.claimed(now, master)]

    def fenced(self, now: int, failover: Failover, master: str, reason: str) -> list[Output]:
        """One whom it waited for is off; the next one, or a backup is chosen."""
        failover.fencing, failover.fence_orders, failover.fence_pause_ns = "", 0, 0
        if master not in failover.tried:
            failover.tried.append(master)  # it is off, whatever its status still says
        left = self.fencing.dangerous(failover)
        over = self._policy.is_over(failover)
        if left and not over:
            out = self._progress.advance(now, failover, "one-fenced", reason)
            return out + self.order(now, failover, left[0])
        out = self._progress.advance(now, failover, "fenced", reason)
        out += self._then(now, failover)
        return out + (self._tell_others(now, failover) if over else [])

    def unfenced(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """One effort was made, and is enough: whoever may accept writes is told to stop later."""
        failover.fencing = ""
        out = self._progress.advance(now, failover, "unfenced", reason)
        return out + self._then(now, failover)

    def stop(self, now: int, failover: Failover, trigger: str, reason: str) -> list[Output]:
        """The owner shall not be powered off: take the order back, if one is under way."""
        if not self.fencing.outstanding(failover.fencing):
            return self.recalled(now, failover, trigger, reason)
        out = self._progress.advance(now, failover, "recall", reason)
        return out + self.fencing.recall(now, failover)

    def recalled(self, now: int, failover: Failover, trigger: str, reason: str) -> list[Output]:
        """No order is under way, or it was taken back and came to nothing, as far as anybody says.

        Of orders that nobody has answered it may have struck all the same, and its master may have
        restarted as a standby: that is asked what it accepts. So is an owner that serves only some
        of what it owns.
        """
        master, failover.fencing = failover.fencing, ""
        out = self._progress.advance(now, failover, trigger, reason)
        partly = master == failover.master and not self._known.still_owns(master)
        asks = partly or self.fencing.outstanding(master)
        return out + (self._returned.ask(now, master) if asks else [])

    def go_on(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """The owner has failed again before its fence was taken back."""
        assert failover.state == lifecycle.ABORTING
        out = self._progress.advance(now, failover, "owner-failed", reason)
        return out + self.order(now, failover, failover.fencing)
