"""What is wrong with fencing."""

from __future__ import annotations

import dataclasses
from typing import Any

from hasim.events import FenceResult
from hasim.model import Status
from hasim.services.failover.answers import Answers
from hasim.services.failover.fencing.confirmed import Confirmed
from hasim.services.failover.interruptions import Interruptions
from hasim.services.failover.policy import Policy
from tests.defects.registry import Patch, defect


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


@defect
def giving_up_is_for_ever(patch: Patch) -> None:
    patch.setattr(Policy, "gave_up", lambda self, now, master: None)


@defect
def a_late_confirmation_is_not_believed(patch: Patch) -> None:
    fenced = Answers._fenced

    def newest_alone(self: Any, now: int, result: FenceResult) -> Any:
        newest = self._course.fences.fencing.newest(result.master, result.order)
        return fenced(self, now, result) if newest else []

    patch.setattr(Answers, "_fenced", newest_alone)


@defect
def who_owns_nothing_any_more_counts_as_recovered(patch: Patch) -> None:
    def is_over(self: Any, failover: Any) -> bool:
        healthy = self._known.statuses[failover.master] is Status.HEALTHY
        return not failover.planned and healthy

    patch.setattr(Policy, "is_over", is_over)
