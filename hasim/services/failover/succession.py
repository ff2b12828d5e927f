"""A term begins: what the control plane before it had under way is gone on with, or is over."""

from __future__ import annotations

from hasim.events import Output, TermBegun
from hasim.model import Status
from hasim.services.accession import Heard
from hasim.services.failover import lifecycle
from hasim.services.failover.course import Course
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.services.failover.learned import (
    in_doubt,
    learn,
    owned_by,
    stopped_for,
    superseded_by,
    takes_again,
)
from hasim.services.failover.reactions import Reactions
from hasim.services.failover.returned import Returned

FENCED = (
    *(lifecycle.TRANSFERRING, lifecycle.PROMOTING, lifecycle.ROLLING_BACK, lifecycle.WAITING),
)
"""The states in which a failover has made sure that nobody else accepts the writes."""
HANDED = (lifecycle.CATCHING_UP, lifecycle.HANDING_OVER)
"""Those in which a planned one counts on its owner to be the only one that does."""
FAILED_BEFORE = "declared failed before the term began"


class Succession:
    """Takes up what was under way, and what nobody looks after."""

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

    def begin(self, now: int, heard: Heard) -> list[Output]:
        """By what masters and gateways have said: go on, and fail over what has to be."""
        known, before = self._known, dict(self._known.epochs)
        jumped = heard.term > known.orders.term + 1
        known.statuses.update(heard.statuses)
        known.orders.begin(heard.term)
        taken_back = self._course.fences.fencing.begin(now)
        self._failovers.begin(heard.term)
        stopped = {f.id: stopped_for(known, f) for f in self._failovers.active}
        owners = learn(known, heard.masters, heard.gateways.values())
        reason = f"{len(heard.masters)} masters and {len(heard.gateways)} gateways have answered"
        out: list[Output] = [TermBegun(heard.term, owners, reason), *taken_back]
        for failover in list(self._failovers.active):
            other = superseded_by(known, failover)
            other = other or takes_again(known, failover, stopped[failover.id])
            reason = f"{other} accepts the writes meanwhile"
            handed = failover.state in HANDED and bool(stopped_for(known, failover))
            counts = handed or failover.state in FENCED
            if not other and self._course.fences.fencing.USED and counts:
                other = in_doubt(known, failover, before, jumped=jumped)
                reason = f"{other} may accept the writes again, and has not answered"
            if not other:
                other = owned_by(known, failover)
                reason = f"{other} was made the owner meanwhile"
            if other:
                out += self._course.advance(now, failover, "superseded", reason)
            elif self._is_gone(heard, failover.candidate) and self._reactions.leaves(failover):
                out += self._reactions.candidate_gone(now, failover, FAILED_BEFORE)
            else:
                out += self._course.again(now, failover)
        for master in heard.masters:
            out += self._reactions.accepts_nothing(now, master)
        for master, status in heard.statuses.items():
            if self._is_gone(heard, master):
                out += self._reactions.begin(now, master, FAILED_BEFORE, planned=False)
            elif status is Status.HEALTHY:
                out += self._returned.heard_of(now, master)
        return out

    @staticmethod
    def _is_gone(heard: Heard, master: str) -> bool:
        """Whether it is declared failed; one that has answered all the same is checked first."""
        return heard.statuses.get(master) is Status.FAILED and master not in heard.masters
