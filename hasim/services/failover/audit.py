"""The audit trail: every step of every failover, in order; it only grows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hasim.services.failover.failover import Failover


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


class AuditTrail:
    """Append-only; what a failover is changed to is never read from here."""

    def __init__(self, entries: Iterable[AuditEntry] = ()) -> None:
        self.entries = list(entries)

    def add(self, now: int, failover: Failover, old: str, trigger: str, reason: str) -> None:
        """A failover has left the state `old` for the one in which it is."""
        entry = AuditEntry(
            now, failover.id, old, failover.state, trigger, failover.candidate, reason
        )
        self.entries.append(entry)
