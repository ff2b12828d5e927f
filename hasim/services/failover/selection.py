"""Selection: who may take over, and who of them does, by rules applied one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from hasim.model import Master, Status
from hasim.settings.registry import Named

MOST_TOLD = 8
"""So many masters that were passed over are told one by one."""
Rule = Callable[[Sequence[Master], Mapping[str, int]], list[Master]]
"""From the candidates and how many partitions each master owns to the candidates left."""


def by_priority(candidates: Sequence[Master], owned: Mapping[str, int]) -> list[Master]:
    """The candidates with the lowest priority number (Redis Sentinel replica-priority)."""
    best = min(master.priority for master in candidates)
    return [master for master in candidates if master.priority == best]


def by_fewest_partitions(candidates: Sequence[Master], owned: Mapping[str, int]) -> list[Master]:
    """The candidates that own the fewest partitions, so that they do not gather on one master.

    (Pacemaker's default placement: among nodes of equal score the one with the fewest resources.)
    """
    fewest = min(owned.get(master.id, 0) for master in candidates)
    return [master for master in candidates if owned.get(master.id, 0) == fewest]


RULES: Named[Rule] = Named(
    "a rule of selection", {"priority": by_priority, "fewest-partitions": by_fewest_partitions}
)
"""By name; ``RULES.register("my-own", my_rule)`` adds one of a user's own."""


def eligible(
    masters: Iterable[Master], statuses: Mapping[str, Status], unfit: Collection[str]
) -> list[Master]:
    """Who may take over: declared healthy, and not among the `unfit` (tried, or failed over)."""
    return [
        master
        for master in masters
        if statuses[master.id] is Status.HEALTHY and master.id not in unfit
    ]


def passed_over(
    masters: Iterable[Master],
    statuses: Mapping[str, Status],
    unfit: Mapping[str, str],
    chosen: str | None,
) -> str:
    """Why each master but the chosen one was not: ``m2 (failed), m3 (ranks lower)``.

    `unfit` has the reasons of those that are declared healthy. Of many, the first are told.
    """
    told = []
    for master in masters:
        if master.id == chosen:
            continue
        status = statuses[master.id]
        why = status.value if status is not Status.HEALTHY else "ranks lower"
        told.append(f"{master.id} ({unfit.get(master.id, why)})")
    more = len(told) - MOST_TOLD
    return ", ".join([*told[:MOST_TOLD], *([f"and {more} more"] if more > 0 else [])])


def select(
    candidates: Sequence[Master], rules: Sequence[str], owned: Mapping[str, int]
) -> Master | None:
    """The first of the candidates that all rules leave; None if there are none.

    `owned` says how many partitions a master owns; who is not in it owns none.
    """
    left = list(candidates)
    for rule in rules:
        if len(left) > 1:
            left = RULES.known[rule](left, owned)
    return left[0] if left else None
