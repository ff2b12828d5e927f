"""By priority: the lowest number first."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.services.failover.selection.candidate import Candidate, least


def by_priority(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates with the lowest priority number (Redis Sentinel replica-priority)."""
    return least(candidates, lambda one: one.master.priority)
