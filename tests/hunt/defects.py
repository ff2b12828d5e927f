"""Small defects for the services, put in one at a time: what a hunt must find.

Each is a function that is given pytest's `MonkeyPatch` and replaces one method, or one name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from hasim.events import FenceResult, ProbeReply, Promote
from hasim.model import Cause, Status
from hasim.services.detection.court import Court
from hasim.services.detection.detectors.detector import Opinion
from hasim.services.detection.detectors.threshold import Threshold
from hasim.services.detection.evidence.probes import Probes
from hasim.services.failover import answers, course, lifecycle, orchestrator
from hasim.services.failover.answers import Answers
from hasim.services.failover.audit import AuditTrail
from hasim.services.failover.course import Course
from hasim.services.failover.fencing.confirmed import Confirmed
from hasim.services.failover.interruptions import Interruptions
from hasim.services.failover.known import Known
from hasim.services.failover.orchestrator import FailoverOrchestrator
from hasim.services.failover.orders import Orders
from hasim.services.failover.reactions import Reactions
from hasim.services.failover.returned import Returned
from hasim.services.gateway import dispatcher
from hasim.services.gateway.choice import Choice
from hasim.services.gateway.guards.gate import FAILED
from hasim.services.monitoring.alerts import AlertBook
from hasim.services.routing import service as routing
from hasim.services.routing.publisher import RoutingPublisher

Patch = pytest.MonkeyPatch
Defect = Callable[[Patch], None]
DEFECTS: dict[str, Defect] = {}


def defect(put: Defect) -> Defect:
    """Add one under the name of its function."""
    DEFECTS[put.__name__.replace("_", " ")] = put
    return put


# -- fencing --------------------------------------------------------------------------------


@defect
def nothing_is_fenced(patch: Patch) -> None:
    patch.setattr(Confirmed, "dangerous", lambda self, failover: [])


@defect
def one_fencing_order_too_many(patch: Patch) -> None:
    def exhausted(self: Any, failover: Any) -> bool:
        return failover.fence_orders > self.settings.attempts

    patch.setattr(Confirmed, "exhausted", exhausted)


@defect
def a_refusal_of_the_device_is_taken_for_a_confirmation(patch: Patch) -> None:
    fenced = Answers._fenced

    def credulous(self: Any, now: int, result: FenceResult) -> Any:
        return fenced(self, now, dataclasses.replace(result, confirmed=True))

    patch.setattr(Answers, "_fenced", credulous)


@defect
def a_returning_owner_is_powered_off(patch: Patch) -> None:
    patch.setattr(Interruptions, "owner_recovered", lambda self, now, failover: [])


# -- transfer, selection, promotion -----------------------------------------------------------


@defect
def a_torn_transfer_is_accepted(patch: Patch) -> None:
    patch.setattr(answers, "torn_because", lambda copies, partitions: "")


@defect
def the_limit_of_lag_is_ignored(patch: Patch) -> None:
    patch.setattr(answers, "lagging_because", lambda copies, most: "")


@defect
def the_failed_owner_is_read_from(patch: Patch) -> None:
    transfer = Course.transfer

    def reads(self: Any, now: int, failover: Any) -> Any:
        (order,) = transfer(self, now, failover)
        return [dataclasses.replace(order, sources=(*order.sources, failover.master))]

    patch.setattr(Course, "transfer", reads)


def _fit(*statuses: Status) -> Callable[..., Any]:
    def eligible(masters: Any, known: Any, unfit: Any) -> Any:
        return [m for m in masters if known[m.id] in statuses and m.id not in unfit]

    return eligible


@defect
def suspects_are_promoted(patch: Patch) -> None:
    patch.setattr(course, "eligible", _fit(Status.HEALTHY, Status.SUSPECT))


@defect
def failed_candidates_are_promoted(patch: Patch) -> None:
    patch.setattr(course, "eligible", _fit(*Status))


@defect
def the_same_candidate_is_tried_again(patch: Patch) -> None:
    backup_of = Course.backup_of

    def again(self: Any, failed: str, exclude: Any = ()) -> Any:
        return backup_of(self, failed, (failed,))

    patch.setattr(Course, "backup_of", again)


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
    def restore(cls: Any, settings: Any, cluster: Any, data: Any) -> Any:
        epochs = dict.fromkeys(data["epochs"], 1)
        return original(settings, cluster, {**data, "epochs": epochs})

    original = FailoverOrchestrator.restore
    patch.setattr(orchestrator.FailoverOrchestrator, "restore", classmethod(restore))


@defect
def restore_loses_orders(patch: Patch) -> None:
    def restore(cls: Any, settings: Any, cluster: Any, data: Any) -> Any:
        return original(settings, cluster, {**data, "orders_issued": 0})

    original = FailoverOrchestrator.restore
    patch.setattr(orchestrator.FailoverOrchestrator, "restore", classmethod(restore))


# -- detection ----------------------------------------------------------------------------


@defect
def fall_is_off_by_one(patch: Patch) -> None:
    def opinion(self: Any, now: int) -> Opinion:
        if self.failed_in_row > self.settings.fall:
            return Opinion.CONVICT
        return Opinion.SUSPECT if self.failed_in_row else Opinion.TRUST

    patch.setattr(Threshold, "opinion", opinion)


@defect
def the_failed_run_is_not_reset(patch: Patch) -> None:
    patch.setattr(Threshold, "cleared", lambda self, now: None)


@defect
def the_passed_run_is_not_reset(patch: Patch) -> None:
    hear = Court._hear_failure

    def keeps(self: Any, now: int, health: Any, source: Any, cause: Cause) -> None:
        before = health.passed_in_row
        hear(self, now, health, source, cause)
        health.passed_in_row = before

    patch.setattr(Court, "_hear_failure", keeps)


@defect
def doubt_does_not_interrupt_the_passed_run(patch: Patch) -> None:
    patch.setattr(Court, "doubted", lambda self, master: None)


@defect
def a_late_probe_reply_is_accepted(patch: Patch) -> None:
    step = Probes.step

    def late(self: Any, now: int, item: Any) -> Any:
        probing = self.of_masters.get(getattr(item, "master", ""))
        if isinstance(item, ProbeReply) and probing is not None and item.probe <= probing.sent:
            return self._ended(now, item.master, probing, item.cause)
        return step(self, now, item)

    patch.setattr(Probes, "step", late)


# -- alerts -------------------------------------------------------------------------------


@defect
def alerts_are_never_resolved(patch: Patch) -> None:
    patch.setattr(AlertBook, "resolve_due", lambda self, until, at=None: [])
    patch.setattr(AlertBook, "next_due", lambda self: None)


@defect
def the_hold_of_alerts_is_ignored(patch: Patch) -> None:
    clear = AlertBook.clear

    def at_once(self: Any, now: int, subject: str) -> Any:
        out = clear(self, now, subject)
        return out + self.resolve_due(now + self._hold_ns, at=now)

    patch.setattr(AlertBook, "clear", at_once)


# -- routing ------------------------------------------------------------------------------


@defect
def a_failed_master_stays_routed(patch: Patch) -> None:
    patch.setattr(routing, "NOT_ELIGIBLE", (Status.RECOVERING, Status.MAINTENANCE))


@defect
def an_old_acknowledgement_converges(patch: Patch) -> None:
    acknowledged = RoutingPublisher.acknowledged

    def any_will_do(self: Any, ack: Any) -> Any:
        newest = dataclasses.replace(
            ack,
            version=self.table.version,
            term=self.table.term,
            incarnation=self._incarnations[ack.gateway],
        )
        return acknowledged(self, newest)

    patch.setattr(RoutingPublisher, "acknowledged", any_will_do)


@defect
def routing_is_never_sent_again(patch: Patch) -> None:
    patch.setattr(
        RoutingPublisher, "on_wakeup", lambda self, now: self.__dict__.update(_resend_at=None) or []
    )


@defect
def a_restarted_gateway_is_not_told(patch: Patch) -> None:
    def began(self: Any, now: int, gateway: str, incarnation: int) -> Any:
        self._incarnations[gateway] = incarnation
        return []

    patch.setattr(RoutingPublisher, "_began", began)


# -- gateways -----------------------------------------------------------------------------


@defect
def in_flight_leaks_when_cancelled(patch: Patch) -> None:
    ended = Choice.ended

    def leaks(self: Any, now: int, index: int, elapsed_ns: int, kind: int) -> None:
        ended(self, now, index, elapsed_ns, kind)
        if kind == FAILED:
            self.fleet.in_flight[index] += 1

    patch.setattr(Choice, "ended", leaks)


@defect
def owned_messages_go_to_an_ineligible_owner(patch: Patch) -> None:
    admit = Choice.admit

    def any_owner(self: Any, now: int, owner: int) -> int:
        before = self._standing.eligible
        if owner >= 0:
            self._standing.eligible = [True] * len(before)
        try:
            return admit(self, now, owner)
        finally:
            self._standing.eligible = before

    patch.setattr(Choice, "admit", any_owner)


@defect
def the_retry_budget_leaks(patch: Patch) -> None:
    patch.setattr(dispatcher, "withdraw", lambda budget: None)
    patch.setattr(dispatcher, "release", lambda budget: None)


@defect
def a_retry_goes_to_the_same_master(patch: Patch) -> None:
    patch.setattr(dispatcher, "stays", lambda outer, inner, number: dispatcher.CLINGS)
