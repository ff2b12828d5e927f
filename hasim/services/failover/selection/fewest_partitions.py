"""By what is owned already, so that partitions do not gather on one master."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.services.failover.selection.candidate import Candidate, least


def by_fewest_partitions(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that own the fewest partitions, so that they do not gather on one master.

    (Pacemaker's default placement: among nodes of equal score the one with the fewest resources.)
    """
    return least(candidates, lambda one: one.owned)
