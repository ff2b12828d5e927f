"""By freshness: who has received most of the writes."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.services.failover.selection.candidate import Candidate, least


def by_freshest(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that say that they have received most writes; who says nothing comes last.

    (MHA's latest slave; Redis Sentinel's replication offset, after the priority; Patroni's
    members compare WAL positions.)
    """
    return least(candidates, lambda one: -one.position)
