"""Which of many curves have a name of their own, so that a figure of 36 cells can be read."""

from __future__ import annotations

from collections.abc import Sequence

MOST_LINES = 10
"""So many curves are all named; of more, only some."""
OTHERS = "#bbbbbb"


def named(middles: Sequence[float]) -> dict[int, str]:
    """By the place of each curve that is named, what is said after its name.

    All of up to `MOST_LINES`; of more the first, and those whose middle (less is better, infinite
    if it is beyond what was seen) is the least and the greatest.
    """
    if len(middles) <= MOST_LINES:
        return dict.fromkeys(range(len(middles)), "")
    places = range(len(middles))
    best = min(places, key=lambda place: middles[place])
    worst = max(places, key=lambda place: middles[place])
    found: dict[int, list[str]] = {}
    for place, what in ((0, "the first"), (best, "best p50"), (worst, "worst p50")):
        found.setdefault(place, []).append(what)
    if middles[best] == middles[worst]:
        found = {0: ["the first; p50 equal for all"]}
    return {place: f" ({', '.join(words)})" for place, words in sorted(found.items())}


def others(count: int) -> str:
    """What the curves without a name are called together."""
    return "1 other" if count == 1 else f"{count} others"


def middle(points: Sequence[tuple[float, float]]) -> float:
    """Where a growing curve of (x, share) reaches one half; infinite if it does not."""
    return next((x for x, share in points if share >= 0.5), float("inf"))
