"""By name: the least one."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.services.failover.selection.candidate import Candidate


def by_name(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidate whose name is least, letter by letter, so that no order of a list decides.

    (Redis Sentinel: of replicas that are alike the one with the smallest run id.)
    """
    return [min(candidates, key=lambda one: one.master.id)]
