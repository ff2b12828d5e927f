"""What comes between while a failover is under way: the owner is back, or fails; an operator."""

from __future__ import annotations

from hasim.events import Output
from hasim.services.failover import lifecycle
from hasim.services.failover.course import Course
from hasim.services.failover.failover import Failover
from hasim.services.failover.known import Known
from hasim.services.failover.policy import Policy


class Interruptions:
    """Takes failovers back, or turns them into others, in whatever state they are."""

    def __init__(self, known: Known, policy: Policy, course: Course) -> None:
        self._known, self._policy, self._course = known, policy, course

    def owner_recovered(self, now: int, failover: Failover) -> list[Output]:
        """The owner is healthy again: before a promotion is known, the failover is taken back."""
        reason = f"{failover.master} is healthy again and still owns"
        if failover.planned and failover.state in (lifecycle.HELD, lifecycle.WAITING):
            return self._course.advance(now, failover, "owner-recovered", reason)
        if not (self._policy.is_over(failover) or self._serves_some(failover)):
            return []
        match failover.state:
            case lifecycle.HELD | lifecycle.WAITING:
                return self._course.advance(now, failover, "owner-recovered", reason)
            case lifecycle.FENCING if failover.fencing == failover.master:
                return self._course.fences.stop(now, failover, "owner-recovered", reason)
            case lifecycle.TRANSFERRING | lifecycle.PROMOTING:
                return self._course.roll_back(now, failover, "owner-recovered", reason)
            case _:  # where it goes on from there, it is looked at again
                return []

    def _serves_some(self, failover: Failover) -> bool:
        """Whether an owner that is about to be powered off serves some of what it owns.

        It is spared then; what it does not accept is failed over when it says so.
        """
        known, owner = self._known, failover.master
        return (
            failover.state == lifecycle.FENCING
            and not failover.planned
            and all(known.owners.of(partition) == owner for partition in failover.partitions)
            and known.accepts_any(failover)
        )

    def owner_failed(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """The owner has failed while its failover was under way."""
        if failover.state == lifecycle.ABORTING:
            return self._course.fences.go_on(now, failover, reason)
        if not failover.planned or failover.state in lifecycle.PROMOTED:
            return []  # promoted anew, it is failed over when this failover has ended
        stops = failover.state in (lifecycle.FENCING, lifecycle.ROLLING_BACK)
        if failover.state == lifecycle.HELD or stops or not self._known.accepts_any(failover):
            # It accepts nothing any more, or is being stopped: what is under way does without it.
            failover.planned = False
            failover.tried.append(failover.master)
            return []
        if failover.state in (lifecycle.TRANSFERRING, lifecycle.PROMOTING):
            # It is the candidate itself, to which all was given back.
            return self._course.roll_back(now, failover, "candidate-failed", reason)
        return self._course.unplanned(now, failover, reason)

    def abort(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """Somebody calls it off, or wants the next candidate where one has begun.

        Raises IllegalTransitionError in a state in which there is nothing to take back.
        """
        match failover.state:
            case lifecycle.HELD | lifecycle.WAITING:
                return self._course.advance(now, failover, "called-off", reason)
            case lifecycle.FENCING:
                return self._course.fences.stop(now, failover, "called-off", reason)
            case lifecycle.HANDING_OVER:
                return self._course.handover.give_back(now, failover, "called-off", reason)
            case _:
                return self._course.roll_back(now, failover, "operator", reason)
