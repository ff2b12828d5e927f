"""By distance: who is nearest to the clients."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.services.failover.selection.candidate import Candidate, least


def by_nearest(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates with the shortest round trip from the gateways, by the mean over these."""
    return least(candidates, lambda one: one.rtt_ns)
