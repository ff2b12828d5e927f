"""What is wrong with alerts and routing."""

from __future__ import annotations

import dataclasses
from typing import Any

from hasim.model import Status
from hasim.services.monitoring.alerts import AlertBook
from hasim.services.routing import service as routing
from hasim.services.routing.publisher import RoutingPublisher
from tests.defects.registry import Patch, defect


@defect
def alerts_are_never_resolved(patch: Patch) -> None:
    patch.setattr(AlertBook, "catch_up", lambda self, until, at=None: [])
    patch.setattr(AlertBook, "next_due", lambda self: None)


@defect
def the_hold_of_alerts_is_ignored(patch: Patch) -> None:
    put = AlertBook.set

    def at_once(self: Any, *args: Any, keep_ns: int = 0, **more: Any) -> Any:
        return put(self, *args, keep_ns=0, **more)

    patch.setattr(AlertBook, "set", at_once)


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


@defect
def a_recovering_master_stays_routed(patch: Patch) -> None:
    patch.setattr(routing, "NOT_ELIGIBLE", (Status.FAILED, Status.MAINTENANCE))


@defect
def an_alert_that_fires_again_keeps_its_clear_time(patch: Patch) -> None:
    advance = AlertBook._advance

    def keeps(self: Any, now: int, condition: Any, at: int) -> Any:
        name = condition.subject, condition.key
        first_ns = self.__dict__.setdefault("first_ns", {})
        clears = condition.firing and condition.seen and not condition.holds
        if clears and name in first_ns:
            condition.seen, condition.since_ns = False, first_ns[name]
        out = advance(self, now, condition, at)
        if clears:
            first_ns.setdefault(name, condition.since_ns)
        if not condition.firing:
            first_ns.pop(name, None)
        return out

    patch.setattr(AlertBook, "_advance", keeps)
