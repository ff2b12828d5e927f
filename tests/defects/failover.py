"""What is wrong with transfers, and with who is chosen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from hasim.model import Status
from hasim.services.failover import answers, transfer
from hasim.services.failover.course import Course
from hasim.services.failover.failback import Failback
from hasim.services.failover.selection import choice
from hasim.services.failover.selection.choice import Choice
from tests.defects.registry import Patch, defect


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
    patch.setattr(choice, "eligible", _fit(Status.HEALTHY, Status.SUSPECT))


@defect
def failed_candidates_are_promoted(patch: Patch) -> None:
    patch.setattr(choice, "eligible", _fit(*Status))


@defect
def the_same_candidate_is_tried_again(patch: Patch) -> None:
    backup_of = Choice.backup_of

    def again(
        self: Any, failed: str, exclude: Any = (), partitions: Any = None, **more: Any
    ) -> Any:
        return backup_of(self, failed, (failed,), partitions, **more)

    patch.setattr(Choice, "backup_of", again)


def _forgiving(change: Callable[[Any], Any]) -> Callable[..., str]:
    torn = transfer.torn_because

    def accepts(copies: Any, partitions: Any) -> str:
        return torn([change(copy) for copy in copies], partitions)

    return accepts


@defect
def fewer_bytes_are_accepted(patch: Patch) -> None:
    whole = _forgiving(lambda c: dataclasses.replace(c, received_bytes=c.source_bytes))
    patch.setattr(answers, "torn_because", whole)


@defect
def the_checksum_is_not_compared(patch: Patch) -> None:
    whole = _forgiving(lambda c: dataclasses.replace(c, received_checksum=c.source_checksum))
    patch.setattr(answers, "torn_because", whole)


@defect
def a_missing_partition_is_ignored(patch: Patch) -> None:
    torn = transfer.torn_because

    def accepts(copies: Any, partitions: Any) -> str:
        return torn(copies, [copy.partition for copy in copies])

    patch.setattr(answers, "torn_because", accepts)


@defect
def failback_goes_to_a_sick_master(patch: Patch) -> None:
    """Who was healthy once is given back what it had, whatever it is now."""

    def judged(self: Any, now: int, master: str, status: Status) -> None:
        self.healthy_ns.setdefault(master, now)

    backup_of = Choice.backup_of

    def home(self: Any, failed: str, exclude: Any = (), partitions: Any = None, **more: Any) -> Any:
        left = [m for m in self._known.masters if m not in exclude]
        sick = len(left) == 1 and self._settings.failback == "automatic" and left[0] != failed
        return left[0] if sick else backup_of(self, failed, exclude, partitions, **more)

    patch.setattr(Failback, "judged", judged)
    patch.setattr(Choice, "backup_of", home)
