"""The audit trail: every step of every failover, in order; steps are added, and never changed.

Those of the last failovers that have ended are kept (`failovers.KEPT`). A snapshot has the steps of
failovers under way alone: those of one that has ended are in its audit record
(`FailoverConcluded`), which went out when it did.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hasim.events import Attempt, FailoverConcluded, PassedOver, Phase
from hasim.services.failover import lifecycle
from hasim.services.failover.failover import Failover

CHOICES = ("selected", "catch-up", "no-candidate")
"""The triggers with which a candidate is chosen, or is not."""
LEFT = lifecycle.TERMINAL | {lifecycle.ROLLING_BACK, lifecycle.DECLARED, lifecycle.SELECTING}
"""The states in which a candidate is none any more."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One attempt or step: when (nanoseconds), what, with whom, and why."""

    t_ns: int
    failover: int
    old: str
    new: str
    trigger: str
    candidate: str
    reason: str
    passed_over: tuple[PassedOver, ...] = ()


class AuditTrail:
    """What a failover is changed to is never read from here."""

    def __init__(self, entries: Iterable[AuditEntry] = ()) -> None:
        self._entries: dict[int, AuditEntry] = {}
        """By a number that grows, so that the steps of one can be taken out."""
        self._numbers: dict[int, list[int]] = {}
        """By failover, those of its steps."""
        self._last = 0
        for entry in entries:
            self._append(entry)

    @property
    def entries(self) -> list[AuditEntry]:
        """The steps that are kept, oldest first."""
        return list(self._entries.values())

    def add(
        self,
        now: int,
        failover: Failover,
        old: str,
        trigger: str,
        reason: str,
        passed_over: tuple[PassedOver, ...] = (),
    ) -> None:
        """A failover has left the state `old` for the one in which it is."""
        entry = AuditEntry(
            now, failover.id, old, failover.state, trigger, failover.candidate, reason, passed_over
        )
        self._append(entry)

    def _append(self, entry: AuditEntry) -> None:
        self._last += 1
        self._entries[self._last] = entry
        self._numbers.setdefault(entry.failover, []).append(self._last)

    def forget(self, failovers: Iterable[int]) -> None:
        """The steps of these are kept no longer."""
        for failover in failovers:
            for number in self._numbers.pop(failover, ()):
                del self._entries[number]

    def of(self, failovers: Iterable[Failover]) -> list[AuditEntry]:
        """The steps of some failovers, one after the other."""
        return [entry for one in failovers for entry in self._of(one.id)]

    def _of(self, failover: int) -> list[AuditEntry]:
        return [self._entries[number] for number in self._numbers.get(failover, ())]

    def concluded(self, failover: Failover) -> FailoverConcluded:
        """The record of one that has ended, by its steps."""
        steps = self._of(failover.id)
        first, last = steps[0], steps[-1]
        return FailoverConcluded(
            failover.id,
            failover.master,
            failover.partitions,
            failover.planned,
            first.reason,
            first.t_ns,
            last.t_ns,
            last.new,
            last.reason,
            failover.candidate if last.new == lifecycle.COMPLETED else "",
            tuple(
                _attempt(step, steps[place + 1 :])
                for place, step in enumerate(steps)
                if step.trigger in CHOICES
            ),
            tuple(
                Phase(step.new, step.t_ns, after.t_ns, after.trigger, after.reason)
                for step, after in itertools.pairwise(steps)
            ),
        )


def _attempt(chosen: AuditEntry, later: Sequence[AuditEntry]) -> Attempt:
    """What became of a candidate, by the steps after its choice."""
    ended = chosen
    if chosen.candidate:
        ended = next((s for s in later if s.trigger == "promoted" or s.new in LEFT), chosen)
    return Attempt(chosen.t_ns, chosen.candidate, chosen.passed_over, ended.trigger, ended.reason)
