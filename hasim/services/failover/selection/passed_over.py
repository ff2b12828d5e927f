"""Why it is none of the others: master by master, in words, and by reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hasim.events import PassedOver
from hasim.model import Master, Status

MOST_TOLD = 8
"""So many masters that were passed over are told one by one."""


def passed_over(
    masters: Iterable[Master],
    statuses: Mapping[str, Status],
    unfit: Mapping[str, str],
    chosen: str | None,
) -> list[tuple[str, str]]:
    """Each master but the chosen one, and why it was not.

    `unfit` has the reasons of those that are declared healthy.
    """
    found = []
    for master in masters:
        if master.id == chosen:
            continue
        status = statuses[master.id]
        why = status.value if status is not Status.HEALTHY else "ranks lower"
        found.append((master.id, unfit.get(master.id, why)))
    return found


def told(others: Sequence[tuple[str, str]]) -> str:
    """In words: ``; passed over: m2 (failed), m3 (ranks lower)``. Of many, the first are told."""
    if not others:
        return ""
    said = [f"{master} ({why})" for master, why in others[:MOST_TOLD]]
    more = len(others) - MOST_TOLD
    return "; passed over: " + ", ".join([*said, *([f"and {more} more"] if more > 0 else [])])


def grouped(others: Sequence[tuple[str, str]]) -> tuple[PassedOver, ...]:
    """By reason, in the order in which the reasons come up."""
    by_reason: dict[str, list[str]] = {}
    for master, why in others:
        by_reason.setdefault(why, []).append(master)
    return tuple(PassedOver(why, tuple(masters)) for why, masters in by_reason.items())
