"""A switchover to a named master: begun if that may take over, else refused with the reason."""

from __future__ import annotations

from hasim.events import InputRefused, Output, SwitchOver
from hasim.model import Status
from hasim.services.failover.course import Course
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known


class Switchovers:
    """Takes the operator's orders; a failover that is planned carries them out."""

    def __init__(self, known: Known, failovers: Failovers, course: Course) -> None:
        self._known, self._failovers, self._course = known, failovers, course

    def order(self, now: int, asked: SwitchOver) -> list[Output]:
        """Begin to hand over, or say why not."""
        owners = self._known.owners
        partitions = asked.partitions or owners.owned(asked.master or "")
        sources = sorted({owners.of(partition) for partition in partitions})
        why = self._why_not(asked, partitions, sources)
        if why:
            return [InputRefused("SwitchOver", asked.to, why)]
        failover = self._failovers.start(now, sources[0], partitions)
        failover.planned, failover.patient, failover.target = True, False, asked.to
        return self._course.begin(now, failover, f"{asked.reason}: switchover to {asked.to}")

    def _why_not(self, asked: SwitchOver, partitions: tuple[str, ...], sources: list[str]) -> str:
        known = self._known
        if (asked.master is None) == (not asked.partitions):
            return "needs either a master or partitions that are handed over"
        if len(sources) != 1:
            several = f"are with {' and '.join(sources)}" if sources else "own nothing"
            return f"{', '.join(partitions) or asked.master} {several}: expected one owner"
        (owner,) = sources
        status = known.statuses[owner]
        if status not in (Status.HEALTHY, Status.MAINTENANCE):
            return f"{owner}, which should hand over, is {status.value}"
        if not all(known.writers.accepts(owner, partition) for partition in partitions):
            return f"{owner} does not accept the writes of all that it should hand over"
        under_way = self._failovers.of(owner)
        if under_way is not None:
            return f"failover {under_way.id} of {owner} is under way"
        why = self._course.choice.why_not(owner, asked.to, partitions)
        return f"{asked.to} cannot take over: {why}" if why else ""
