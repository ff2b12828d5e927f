"""By load: who has the fewest requests for each worker."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.services.failover.selection.candidate import Candidate, least


def by_least_loaded(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates with the fewest requests in flight for each worker, as gateways report."""
    return least(candidates, lambda one: one.load)
