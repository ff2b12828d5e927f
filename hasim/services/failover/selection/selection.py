"""Who of the candidates takes over: promotion rules first, then the rules that are set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from hasim.model import Master, Status
from hasim.services.failover.selection.candidate import Candidate, least
from hasim.services.failover.selection.rules import RULES

PREFERENCE = {"prefer": 0, "neutral": 1, "prefer-not": 2}
"""Promotion rules that allow a promotion, in their order; ``must-not`` does not."""


def eligible(
    masters: Iterable[Master], statuses: Mapping[str, Status], unfit: Collection[str]
) -> list[Master]:
    """Who may take over: declared healthy, and not among the `unfit` (tried, or failed over)."""
    return [
        master
        for master in masters
        if statuses[master.id] is Status.HEALTHY and master.id not in unfit
    ]


def select(candidates: Sequence[Candidate], rules: Sequence[str]) -> Master | None:
    """The first of the candidates that all rules leave; None if there are none.

    Whoever is preferred by its promotion rule goes before the rules (orchestrator's promotion
    rules, Pacemaker's location scores).
    """
    left = list(candidates)
    if left:
        left = least(left, lambda one: PREFERENCE[one.master.promotion_rule])
    for rule in rules:
        if len(left) > 1:
            left = RULES.known[rule](left)
    return left[0].master if left else None
