"""What the orchestrator does about events of the other services: verdicts, routing."""

from __future__ import annotations

from hasim.events import Output, RoutingConverged, StatusChanged
from hasim.model import Status
from hasim.services.failover import lifecycle
from hasim.services.failover.course import Course
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.interruptions import Interruptions
from hasim.services.failover.known import Known
from hasim.services.failover.learned import orphans, owns_already
from hasim.services.failover.policy import Policy
from hasim.services.failover.returned import Returned

CANDIDATE_AT_WORK = (
    *(lifecycle.CATCHING_UP, lifecycle.HANDING_OVER),
    *(lifecycle.TRANSFERRING, lifecycle.PROMOTING),
)
"""The states in which somebody has been chosen to take over, and is not the owner yet."""


class Reactions:
    """Begins failovers on a verdict, takes them back on another, and ends them with the routing."""

    def __init__(
        self,
        known: Known,
        failovers: Failovers,
        policy: Policy,
        returned: Returned,
        course: Course,
        interruptions: Interruptions,
    ) -> None:
        self._known, self._failovers = known, failovers
        self._policy, self._returned, self._course = policy, returned, course
        self._interruptions = interruptions

    def begin(self, now: int, master: str, reason: str, *, planned: bool) -> list[Output]:
        """A failover of a master that owns something, unless one is under way.

        `planned`: it hands over by itself, if it accepts anything.
        """
        partitions = self._known.owners.owned(master)
        if not partitions or self._failovers.of(master) is not None:
            return []
        self._policy.begun(master)
        failover = self._failovers.start(now, master, partitions)
        failover.planned = planned and self._known.accepts_any(failover)
        return self._course.begin(now, failover, reason)

    def try_again(self, now: int, master: str) -> list[Output]:
        """After a pause, a failover that ended without an owner for what `master` owns."""
        if self._known.statuses[master] is Status.HEALTHY:
            return self.accepts_nothing(now, master, "retry: it still accepts no writes")
        lives = self._known.statuses[master] is Status.MAINTENANCE
        return self.begin(now, master, "retry: still failed", planned=lives)

    def acknowledged(self, now: int, master: str) -> list[Output]:
        """The last failovers of a master were looked into: what they block may begin."""
        self._policy.block.acknowledge(master)
        held = [failover for failover in self._failovers.active if failover.state == lifecycle.HELD]
        return [out for failover in held for out in self._course.release(now, failover)]

    def accepts_nothing(self, now: int, master: str, why: str = "") -> list[Output]:
        """It is known what a master accepts: what it owns beside that is failed over."""
        own = orphans(self._known, self._failovers, master)
        if not own:
            return []
        self._policy.begun(master)
        failover = self._failovers.start(now, master, own)
        return self._course.begin(now, failover, why or f"{master} accepts no writes")

    def give_back(
        self, now: int, owner: str, home: str, partitions: tuple[str, ...]
    ) -> list[Output]:
        """A planned switchover to whoever owned the partitions at the start, or none."""
        failover = self._failovers.start(now, owner, partitions)
        failover.planned, failover.patient, failover.target = True, False, home
        why = f"failback: {home} is healthy for long enough"
        return self._course.begin(now, failover, why)

    def judged(self, now: int, event: StatusChanged) -> list[Output]:
        """The verdict on a master has changed."""
        if event.new in (Status.RECOVERING, Status.HEALTHY):
            self._known.off_by_word.discard(event.master)
        match event.new:
            case Status.FAILED:
                self._known.diagnoses[event.master] = event.diagnosis
                return self._failed(now, event)
            case Status.HEALTHY:
                return self._healthy(now, event)
            case Status.RECOVERING:
                return self._returned.heard_of(now, event.master)
            case Status.MAINTENANCE:
                lives = event.old not in (Status.FAILED, Status.RECOVERING)
                reason = "operator: out of service"
                out = self.begin(now, event.master, reason, planned=lives)
                return out + self._left(now, event.master, reason)
            case _:
                return []

    def _failed(self, now: int, event: StatusChanged) -> list[Output]:
        reason = f"declared failed: {event.reason}"
        self._returned.failed(event.master)
        own = self._failovers.of(event.master)
        if own is None:
            out = self.begin(now, event.master, reason, planned=False)
        else:
            out = self._interruptions.owner_failed(now, own, reason)
        for failover in list(self._failovers.active):
            if failover.state == lifecycle.FENCING and failover.fencing == event.master:
                out += self._course.fences.failed(now, failover)
        return out + self._left(now, event.master, event.reason)

    def _left(self, now: int, candidate: str, reason: str) -> list[Output]:
        """A candidate that is not fit any more is left, whoever's failover has chosen it."""
        out: list[Output] = []
        for failover in list(self._failovers.active):
            if failover.master == candidate or failover.candidate != candidate:
                continue
            if failover.state == lifecycle.VERIFYING:
                out += self._course.verification.look(now, failover)
            elif self.leaves(failover):
                out += self.candidate_gone(now, failover, reason)
        return out

    def leaves(self, failover: Failover) -> bool:
        """Whether a failover does something else when its candidate fails."""
        taken_back = failover.state == lifecycle.ROLLING_BACK
        return failover.state in CANDIDATE_AT_WORK or (
            taken_back and owns_already(self._known, failover)
        )

    def candidate_gone(self, now: int, failover: Failover, reason: str) -> list[Output]:
        """It is left; unless it owns already, and has a failover of its own for that."""
        if owns_already(self._known, failover):
            why = f"{failover.candidate} was promoted, and failed since"
            return self._course.advance(now, failover, "superseded", why)
        return self._course.roll_back(now, failover, "candidate-failed", reason)

    def _healthy(self, now: int, event: StatusChanged) -> list[Output]:
        self._policy.healthy_again(event.master)
        out = self._returned.heard_of(now, event.master)
        own = self._failovers.of(event.master)
        if own is not None:
            out += self._interruptions.owner_recovered(now, own)
            own = self._failovers.of(event.master)
        # It is struck for nobody else: what it was told by the way, it is told to stop.
        spared = self._known.still_owns(event.master) if own is None else own.fencing == ""
        if spared:
            taken_back = self._course.fences.fencing.take_back(event.master)
            out += taken_back
            if taken_back:
                self._known.silent.add(event.master)  # it may have been struck all the same
        if event.master in self._known.silent:
            out += self._returned.ask(now, event.master)
        for failover in list(self._failovers.active):
            if failover.state == lifecycle.VERIFYING and failover.candidate == event.master:
                out += self._course.verification.look(now, failover)
            elif failover.state == lifecycle.FENCING and failover.fencing == event.master:
                out += self._course.fences.healthy(now, failover)
            elif failover.state == lifecycle.WAITING:
                out += self._course.wait_over(now, failover, event.master)
        if orphans(self._known, self._failovers, event.master):
            self._policy.gave_up(now, event.master)  # or what was under way was called off
        return out

    def routed(self, now: int, event: RoutingConverged) -> list[Output]:
        """Every gateway has a routing table."""
        redirecting = [f for f in self._failovers.active if f.state == lifecycle.REDIRECTING]
        reason = f"every gateway has routing {event.version}"
        return [
            out
            for failover in redirecting
            for out in self._course.verification.begin(now, failover, "redirected", reason)
        ]
