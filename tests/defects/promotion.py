"""What is wrong with promotions, and with what follows."""

from __future__ import annotations

import dataclasses
from typing import Any

from hasim.events import Promote, PromoteResult
from hasim.model import Cause
from hasim.services.failover import lifecycle, orchestrator
from hasim.services.failover.answers import Answers
from hasim.services.failover.audit import AuditTrail
from hasim.services.failover.course import Course
from hasim.services.failover.known import Known
from hasim.services.failover.orchestrator import FailoverOrchestrator
from hasim.services.failover.orders import Orders
from hasim.services.failover.progress import Progress
from hasim.services.failover.reactions import Reactions
from hasim.services.failover.returned import Returned
from tests.defects.registry import Patch, defect


@defect
def the_epoch_is_not_raised(patch: Patch) -> None:
    patch.setattr(Known, "next_epoch", lambda self, of: max(self.epochs[p] for p in of))


@defect
def a_promotion_is_ordered_twice(patch: Patch) -> None:
    promote = Course.promote

    def twice(self: Any, now: int, failover: Any) -> Any:
        out = promote(self, now, failover)
        return out + [o for o in out if isinstance(o, Promote)]

    patch.setattr(Course, "promote", twice)


@defect
def a_late_answer_is_believed(patch: Patch) -> None:
    def waiting(self: Any, answer: Any, *states: str) -> Any:
        failover = self._failovers.get(answer.failover)
        return failover if failover.state in states else None

    patch.setattr(Answers, "_waiting", waiting)


@defect
def a_foreign_answer_is_believed(patch: Patch) -> None:
    settle = Orders.settle

    def credulous(self: Any, answer: Any) -> str:
        why = settle(self, answer)
        return "" if "term" in why else why

    patch.setattr(Orders, "settle", credulous)


@defect
def a_candidate_that_fails_is_not_left(patch: Patch) -> None:
    failed = Reactions._failed

    def stays(self: Any, now: int, event: Any) -> Any:
        active, self._failovers.active = self._failovers.active, list(self._failovers.active)
        kept = [f for f in active if f.candidate == event.master]
        for failover in kept:
            failover.candidate += "?"
        try:
            return failed(self, now, event)
        finally:
            for failover in kept:
                failover.candidate = failover.candidate.removesuffix("?")

    patch.setattr(Reactions, "_failed", stays)


@defect
def waiting_has_no_deadline(patch: Patch) -> None:
    nobody = Course._nobody

    def hangs(self: Any, now: int, failover: Any) -> Any:
        out = nobody(self, now, failover)
        failover.deadline_ns = 2**62 if failover.state == lifecycle.WAITING else None
        return out

    patch.setattr(Course, "_nobody", hangs)
    patch.setattr(Course, "wait_over", lambda self, now, failover, healthy: [])


@defect
def a_demotion_is_forgotten(patch: Patch) -> None:
    patch.setattr(Returned, "begin", lambda self, now, failover, stale: [])


@defect
def audit_time_runs_back(patch: Patch) -> None:
    add = AuditTrail.add
    patch.setattr(AuditTrail, "add", lambda self, now, *more: add(self, max(0, now - 1), *more))


@defect
def restore_loses_epochs(patch: Patch) -> None:
    def restore(cls: Any, settings: Any, cluster: Any, data: Any, **more: Any) -> Any:
        epochs = dict.fromkeys(data["epochs"], 1)
        return original(settings, cluster, {**data, "epochs": epochs}, **more)

    original = FailoverOrchestrator.restore
    patch.setattr(orchestrator.FailoverOrchestrator, "restore", classmethod(restore))


@defect
def restore_loses_orders(patch: Patch) -> None:
    def restore(cls: Any, settings: Any, cluster: Any, data: Any, **more: Any) -> Any:
        return original(settings, cluster, {**data, "orders_issued": 0}, **more)

    original = FailoverOrchestrator.restore
    patch.setattr(orchestrator.FailoverOrchestrator, "restore", classmethod(restore))


@defect
def a_doubled_answer_is_believed(patch: Patch) -> None:
    settle = Orders.settle

    def credulous(self: Any, answer: Any) -> str:
        why = settle(self, answer)
        return "" if why.startswith("doubled") else why

    patch.setattr(Orders, "settle", credulous)


@defect
def a_broken_connection_counts_as_a_refusal(patch: Patch) -> None:
    promoted = Answers._promoted

    def sure(self: Any, now: int, result: PromoteResult) -> Any:
        if result.cause is Cause.RESET:
            result = dataclasses.replace(result, cause=Cause.REFUSED)
        return promoted(self, now, result)

    patch.setattr(Answers, "_promoted", sure)


@defect
def a_demotion_is_told_once_only(patch: Patch) -> None:
    tell = Returned._tell

    def once(self: Any, now: int, failover: Any) -> Any:
        out = tell(self, now, failover)
        failover.tell_ns = None
        return out

    patch.setattr(Returned, "_tell", once)
    patch.setattr(Returned, "heard_of", lambda self, now, master: [])


@defect
def a_timer_is_lost_when_it_is_set_again(patch: Patch) -> None:
    allow = Progress.allow

    def loses(now: int, failover: Any, within_ns: int, again_ns: int = 0) -> None:
        before = failover.deadline_ns
        allow(now, failover, within_ns, again_ns)
        if before is not None:
            failover.deadline_ns = None

    patch.setattr(Progress, "allow", staticmethod(loses))
