"""The failover orchestrator: fence, transfer, promote, redirect; roll back."""

from __future__ import annotations

from typing import Any, ClassVar

from hasim.events import (
    AcknowledgeFailover,
    ConfirmOff,
    DemoteResult,
    Event,
    ExecuteFailover,
    FenceResult,
    GatewayReport,
    Input,
    InputRefused,
    LeaseAsked,
    MasterState,
    Output,
    PromoteResult,
    RemoveMaster,
    ReplicaReport,
    RollBackFailover,
    RoutingConverged,
    StatusChanged,
    SwitchOver,
    TransferResult,
    WakeUp,
)
from hasim.model import Cluster, Status
from hasim.services.accession import Heard
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import chance_of
from hasim.services.door import Door, InputError
from hasim.services.failover import lifecycle
from hasim.services.failover.answers import Answers
from hasim.services.failover.audit import AuditEntry, AuditTrail
from hasim.services.failover.course import Course
from hasim.services.failover.failback import Failback
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.failures import one_more
from hasim.services.failover.inquiry import Inquiry
from hasim.services.failover.interruptions import Interruptions
from hasim.services.failover.known import Known
from hasim.services.failover.learned import heard_late, note
from hasim.services.failover.leases import Leases
from hasim.services.failover.orders import AnyAnswer
from hasim.services.failover.policy import Policy
from hasim.services.failover.reactions import Reactions
from hasim.services.failover.returned import Returned
from hasim.services.failover.settings import FailoverSettings
from hasim.services.failover.succession import Succession
from hasim.services.failover.switchover import Switchovers
from hasim.services.frozen import freeze, thaw
from hasim.services.possible import check


class FailoverOrchestrator:
    """Moves the partitions of a master that was declared failed to a backup.

    One failover per failed master at a time; the next candidate after a torn
    transfer or a refused promotion belongs to the same failover. With confirmed
    fencing nothing is promoted before every master that may accept writes for a
    partition (its owner, and whoever was told to promote itself and neither refused
    nor confirmed a demotion) is known to be off.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset(
        {
            *(FenceResult, TransferResult, PromoteResult, DemoteResult, MasterState, WakeUp),
            *(
                ReplicaReport,
                GatewayReport,
                LeaseAsked,
                RemoveMaster,
                ExecuteFailover,
                RollBackFailover,
                ConfirmOff,
                SwitchOver,
                AcknowledgeFailover,
            ),
        }
    )

    def __init__(
        self, settings: FailoverSettings, cluster: Cluster, *, seed: int | None = None
    ) -> None:
        check(cluster, settings)
        self.settings = settings
        self._chance = chance_of(seed, (master.id for master in cluster.masters))
        self._door = Door(cluster)
        self._assemble(Known.at_start(cluster), Failovers())

    def _assemble(self, known: Known, failovers: Failovers) -> None:
        settings = self.settings
        self._known, self._failovers = known, failovers
        self._policy = Policy(settings, known, failovers)
        inquiry = Inquiry(settings, known, self._chance)
        self._returned = Returned(settings, known, failovers, inquiry)
        self._course = Course(settings, known, failovers, self._policy, self._returned, inquiry)
        self._failback = Failback(settings, known, failovers)
        self._interruptions = Interruptions(known, self._policy, self._course)
        self._reactions = Reactions(
            known, failovers, self._policy, self._returned, self._course, self._interruptions
        )
        self._answers = Answers(settings, known, failovers, self._course, self._returned)
        self._switchovers = Switchovers(known, failovers, self._course)
        self._succession = Succession(
            known, failovers, self._course, self._returned, self._reactions
        )
        self._leases = Leases(known, failovers, self._course, self._returned, self._reactions)

    # -- asking ----------------------------------------------------------------

    def select_backup_master(self, failed: str, exclude: tuple[str, ...] = ()) -> str | None:
        """The backup that would take over from `failed`, or None if nobody is eligible.

        Eligible: declared healthy, not in `exclude`, not itself being failed over.
        """
        return self._course.choice.backup_of(failed, exclude)

    def get_active_failovers(self) -> list[Failover]:
        """The failovers that have not ended, oldest first."""
        return list(self._failovers.active)

    def get_failover_history(self) -> list[AuditEntry]:
        """The audit trail of every step, oldest first.

        Of failovers that have ended, the last thousand are kept; each has gone out with its audit
        record (`FailoverConcluded`).
        """
        return self._course.progress.trail.entries

    def owner_of(self, partition: str) -> str:
        """The owner that the orchestrator last confirmed. KeyError for an unknown partition."""
        return self._known.owners.of(partition)

    def get_owning_masters(self) -> dict[str, bool]:
        """Of each master, whether it owns anything, as far as was confirmed."""
        return {master: bool(self._known.owners.owned(master)) for master in self._known.masters}

    def next_wakeup(self) -> int | None:
        """The earliest deadline of a step, or time of something that is done again (ns)."""
        times_ns = [f.deadline_ns for f in self._failovers.active if f.deadline_ns is not None]
        times_ns += self._policy.retry_ns.values()
        earliest_ns = min(self._returned.next_ns(), self._failback.next_ns(), *times_ns)
        return None if earliest_ns == NEVER else earliest_ns

    def healthy(self) -> bool:
        """Whether this service itself is at work: it keeps no failover without a way on."""
        return all(f.deadline_ns is not None for f in self._failovers.active)

    # -- acting ----------------------------------------------------------------

    def execute_failover(self, now: int, master: str, reason: str = "operator") -> list[Output]:
        """Start to move the partitions of `master`.

        A planned switchover if it is declared healthy, or out of service and not known to have
        failed: it hands over by itself, and is not powered off. Nothing happens if it owns
        nothing or is being failed over already. Raises KeyError for an unknown master.
        """
        if master not in self._known.masters:
            raise KeyError(f"unknown master {master!r}; known: {', '.join(self._known.masters)}")
        lives = self._known.statuses[master] in (Status.HEALTHY, Status.MAINTENANCE)
        return self._reactions.begin(now, master, reason, planned=lives)

    def rollback_failover(self, now: int, failover_id: int, reason: str) -> list[Output]:
        """Take back a transfer or promotion under way and try the next candidate.

        Before that it is called off: an order to power off is taken back, an owner that was told
        to hand over goes on. Raises KeyError for an unknown failover and IllegalTransitionError
        in a state in which there is nothing to take back.
        """
        return self._interruptions.abort(now, self._failovers.get(failover_id), reason)

    def transfer_state(self, now: int, failover: Failover) -> list[Output]:
        """Order the transfer of all partitions to the candidate, from whoever may hold a copy.

        Raises IllegalTransitionError, and changes nothing, unless the failover transfers.
        """
        self._check_own(failover)
        if failover.state not in (lifecycle.CATCHING_UP, lifecycle.TRANSFERRING):
            raise lifecycle.IllegalTransitionError(
                f"a failover that is {failover.state!r} transfers nothing; "
                f"expected one that is {lifecycle.TRANSFERRING!r}"
            )
        return self._course.transfer(now, failover)

    def update_failover_status(
        self, now: int, failover: Failover, trigger: str, reason: str
    ) -> list[Output]:
        """Take one step of the lifecycle; what the new state waits for is overdue at once.

        Raises IllegalTransitionError, and changes nothing, for an illegal step, and for one to a
        state that is passed through, in which nobody would take the next step.
        """
        self._check_own(failover)
        new = lifecycle.advance(failover.state, trigger)
        if new in (lifecycle.DECLARED, lifecycle.SELECTING):
            raise lifecycle.IllegalTransitionError(f"{new!r} is passed through, nobody stays there")
        out = self._course.advance(now, failover, trigger, reason)
        if failover.active:
            failover.deadline_ns = now
        return out

    def log_failover_attempt(
        self, now: int, failover: Failover, old: str, trigger: str, reason: str
    ) -> None:
        """Append one line to the audit trail: the step by which the failover is where it is.

        Raises IllegalTransitionError, and changes nothing, if `trigger` does not lead from `old`
        to its state, and ValueError for a time before the last line's.
        """
        self._check_own(failover)
        if lifecycle.advance(old, trigger) != failover.state:
            raise lifecycle.IllegalTransitionError(
                f"{trigger!r} in {old!r} does not lead to {failover.state!r}"
            )
        entries = self._course.progress.trail.entries
        if entries and now < entries[-1].t_ns:
            raise ValueError(f"time runs back: {now} ns, after {entries[-1].t_ns} ns")
        self._course.progress.trail.add(now, failover, old, trigger, reason)

    def note_verdict(self, now: int, event: StatusChanged) -> None:
        """The own detection has come to a verdict, whether or not it is acted upon yet."""
        if event.new is not Status.FAILED:
            self._known.failed_ns.pop(event.master, None)
        elif event.old is not Status.FAILED:
            self._known.failed_ns[event.master] = now
            if event.old is not Status.RECOVERING:
                timeout_ns = self.settings.failure_timeout_ns
                one_more(self._known.failures, now, event.master, timeout_ns)

    def handle_failover_event(self, now: int, event: Event) -> list[Output]:
        """Take an event of another service: verdicts on masters, routing that has converged."""
        self._known.now_ns = now
        match event:
            case StatusChanged():
                self._known.statuses[event.master] = event.new
                self._failback.judged(now, event.master, event.new)
                return self._reactions.judged(now, event)
            case RoutingConverged():
                return self._reactions.routed(now, event)
            case _:
                return []

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds). InputError for one that cannot be."""
        self._door.check(now, item)
        return self.take(now, item)

    def take(self, now: int, item: Input) -> list[Output]:
        """Take one input that has been looked at."""
        self._known.now_ns = now
        match item:
            case GatewayReport() | ReplicaReport():
                return note(self._known, now, item)
            case FenceResult() | TransferResult() | PromoteResult() | DemoteResult():
                return self._on_answer(now, item)
            case LeaseAsked():
                return self._leases.asked(now, item)
            case RemoveMaster():
                return self.execute_failover(now, item.master, "operator: removed")
            case MasterState():
                heard_late(self._known, item)
                out = self._answers.says_its_role(now, item)
                out += self._returned.heard_of(now, item.master)
                out += self._course.fences.stopped(now, item.master, "it says what it accepts")
                return out + self._reactions.accepts_nothing(now, item.master)
            case ConfirmOff():
                return self._answers.off_by_word(now, item)
            case ExecuteFailover():
                return self.execute_failover(now, item.master, item.reason)
            case SwitchOver():
                return self._switchovers.order(now, item)
            case AcknowledgeFailover():
                return self._reactions.acknowledged(now, item.master)
            case RollBackFailover():
                _check_rollback(self._failovers, item.failover)
                return self.rollback_failover(now, item.failover, item.reason)
            case WakeUp():
                return self._on_wakeup(now)
            case _:
                return []

    def accede(self, now: int, heard: Heard) -> list[Output]:
        """A term begins, by what masters and gateways have said: go on with all under way.

        What nobody accepts the writes of, and what failed masters own, is failed over.
        """
        return self._succession.begin(now, heard)

    def resign(self) -> list[Output]:
        """Somebody else acts from now on: orders to power off masters do not outlive the term."""
        fencing = self._course.fences.fencing
        return [out for master in self._known.masters for out in fencing.take_back(master)]

    # -- freezing --------------------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """All of the state that is needed to go on, as plain data (JSON): see `restore`.

        It does not grow with the failovers that have ended: what is to be known of them went out
        with their audit records.
        """
        return {
            **self._known.freeze(),
            "fencing": self._course.fences.fencing.freeze(),
            "claims_ns": freeze(self._returned.claims_ns),
            "retry_ns": freeze(self._policy.retry_ns),
            "healthy_ns": freeze(self._failback.healthy_ns),
            "failovers": freeze(self._failovers.needed(self._known.orders.concern)),
            "last_failover": self._failovers.last,
            "audit": freeze(self._course.progress.trail.of(self._failovers.active)),
        }

    @classmethod
    def restore(
        cls,
        settings: FailoverSettings,
        cluster: Cluster,
        data: dict[str, Any],
        *,
        seed: int | None = None,
    ) -> FailoverOrchestrator:
        """The orchestrator that `freeze` was called on, in the middle of whatever it did."""
        service = cls(settings, cluster, seed=seed)
        service._known.thaw(data)
        failovers = Failovers(thaw(list[Failover], data["failovers"]), data["last_failover"])
        service._assemble(service._known, failovers)
        service._course.fences.fencing.thaw(data["fencing"])
        service._returned.claims_ns = thaw(dict[str, int], data["claims_ns"])
        service._failback.healthy_ns = thaw(dict[str, int], data["healthy_ns"])
        service._policy.retry_ns = thaw(dict[str, int], data["retry_ns"])
        service._course.progress.trail = AuditTrail(thaw(list[AuditEntry], data["audit"]))
        return service

    def _check_own(self, failover: Failover) -> None:
        if self._failovers.get(failover.id) is not failover:
            raise KeyError(f"failover {failover.id} is none of this orchestrator's")

    # -- inside ------------------------------------------------------------------

    def _on_answer(self, now: int, answer: AnyAnswer) -> list[Output]:
        out = self._answers.take(now, answer)
        refused = any(isinstance(each, InputRefused) for each in out)
        if refused or not isinstance(answer, FenceResult) or not answer.confirmed:
            return out
        if self._known.still_owns(answer.master):
            return out
        # It may have been fenced as a candidate, or by an order that came late, and own something.
        why = "powered off: a standby now"
        return out + self._reactions.begin(now, answer.master, why, planned=False)

    def _on_wakeup(self, now: int) -> list[Output]:
        out: list[Output] = []
        for failover in self.get_active_failovers():
            if failover.deadline_ns is not None and now >= failover.deadline_ns:
                out += self._course.timed_out(now, failover)
        for master in self._policy.due(now):
            out += self._reactions.try_again(now, master)
        for owner, home, partitions in self._failback.due(now):
            out += self._reactions.give_back(now, owner, home, partitions)
        return out + self._returned.due(now)


def _check_rollback(failovers: Failovers, number: int) -> None:
    try:
        lifecycle.check_takes_back(failovers.get(number).state)
    except (KeyError, lifecycle.IllegalTransitionError) as error:
        raise InputError(f"RollBackFailover.failover: {error.args[0]}") from None
