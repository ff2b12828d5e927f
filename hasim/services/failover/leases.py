"""Questions for leases: they are granted, and tell who has stopped accepting writes meanwhile."""

from __future__ import annotations

from hasim.events import AskMaster, LeaseAsked, Output
from hasim.services.failover.course import Course
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.services.failover.reactions import Reactions
from hasim.services.failover.returned import Returned


class Leases:
    """Answers masters that ask for a lease, where fencing goes by leases."""

    def __init__(
        self,
        known: Known,
        failovers: Failovers,
        course: Course,
        returned: Returned,
        reactions: Reactions,
    ) -> None:
        self._known, self._failovers, self._course = known, failovers, course
        self._returned, self._reactions = returned, reactions

    def asked(self, now: int, item: LeaseAsked) -> list[Output]:
        """A master asks: if its lease had run out, it is a standby of everything by now.

        Whether it had before this term has heard of it, or before it was promoted last, only the
        master knows: it is asked, and asked again until it answers, since a question or its answer
        may get lost.
        """
        fencing = self._course.fences.fencing
        out: list[Output] = []
        unsure, lapsed = fencing.unsure(item.master), fencing.asked(now, item)
        if unsure or (lapsed and fencing.promoted_since(item.master)):
            self._known.unsure.add(item.master)
        elif lapsed:
            out += self._lapsed(now, item.master)
        if item.master in self._known.silent | self._known.unsure:
            out.append(AskMaster(item.master, self._known.orders.term))
        return out + fencing.grant(now, item)

    def _lapsed(self, now: int, master: str) -> list[Output]:
        known, reason = self._known, f"the lease of {master} had run out"
        known.writers.lapsed(master, (order.number for order in known.orders.open))
        self._returned.powered_off(master)
        out = self._course.fences.off(now, master, reason)
        for failover in list(self._failovers.active):
            if failover.candidate == master:
                # A promotion that nobody has answered may yet come to it.
                sure = not any(known.writers.accepts(master, p) for p in failover.partitions)
                out += self._course.lost(now, failover, reason, sure=sure)
        # All that it owns, though a failover of a part of that may be under way.
        why = f"{reason}: a standby now"
        return out + self._reactions.accepts_nothing(now, master, why)
