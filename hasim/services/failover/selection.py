"""Selection: which backup takes over, by rules that are applied one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hasim.model import Master

Rule = Callable[[Sequence[Master]], list[Master]]


def by_priority(candidates: Sequence[Master]) -> list[Master]:
    """The candidates with the lowest priority number (Redis Sentinel replica-priority)."""
    best = min(master.priority for master in candidates)
    return [master for master in candidates if master.priority == best]


RULES: dict[str, Rule] = {"priority": by_priority}


def select(candidates: Sequence[Master], rules: Sequence[str]) -> Master | None:
    """The first of the candidates that all rules leave; None if there are none."""
    left = list(candidates)
    for rule in rules:
        if len(left) > 1:
            left = RULES[rule](left)
    return left[0] if left else None
