"""What is wrong with gateways."""

from __future__ import annotations

from typing import Any

from hasim.services.gateway import dispatcher
from hasim.services.gateway.choice import Choice
from hasim.services.gateway.guards import outliers
from hasim.services.gateway.guards.gate import CANCELLED, FAILED
from hasim.services.gateway.reports import Reports
from hasim.services.gateway.service import GatewayService
from tests.defects.registry import Patch, defect


@defect
def in_flight_leaks_when_cancelled(patch: Patch) -> None:
    patch.setattr(Reports, "cancelled", lambda self, index: None)


@defect
def in_flight_leaks_after_failures(patch: Patch) -> None:
    ended = Choice.ended

    def leaks(self: Any, now: int, index: int, elapsed_ns: int, kind: int) -> None:
        ended(self, now, index, elapsed_ns, kind)
        if kind == FAILED:
            self.fleet.in_flight[index] += 1

    patch.setattr(Choice, "ended", leaks)


@defect
def owned_messages_go_to_an_ineligible_owner(patch: Patch) -> None:
    admit = Choice.admit

    def any_owner(self: Any, now: int, owner: int, *, pinned: bool = False) -> int:
        before = self._standing.eligible
        if owner >= 0:
            self._standing.eligible = [True] * len(before)
        try:
            return admit(self, now, owner, pinned=pinned)
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


@defect
def in_flight_leaks_in_the_fleet(patch: Patch) -> None:
    ended = Choice.ended

    def leaks(self: Any, now: int, index: int, elapsed_ns: int, kind: int) -> None:
        ended(self, now, index, elapsed_ns, kind)
        if kind == CANCELLED:
            self.fleet.in_flight[index] += 1

    patch.setattr(Choice, "ended", leaks)


@defect
def a_hedge_goes_to_the_same_master(patch: Patch) -> None:
    select = GatewayService.select_master

    def anywhere(self: Any, *args: Any, strict: bool = False, **more: Any) -> Any:
        return select(self, *args, **{**more, "avoid": ()} if strict else more)

    patch.setattr(GatewayService, "select_master", anywhere)


@defect
def ejection_goes_beyond_its_cap(patch: Patch) -> None:
    patch.setattr(outliers, "may_eject", lambda rules, guards, members: True)
