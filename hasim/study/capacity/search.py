"""The border between loads that are carried and loads that are not, by bisection.

A load is shown to be below the border, shown to be above it, or neither. The border is what lies
between the largest of the first and the smallest of the second; loads that were not decided lie in
between, and the search goes on at both sides of them. That there is one border, so that more load
is never better, is taken for granted; what speaks against it is told.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hasim.study.capacity.loads import rounded

SPAN = 2.0**12
"""A border that is farther from where the search begins is not found."""


@dataclass(frozen=True)
class Border:
    """The largest load that was shown to be below, the smallest shown to be above; None: no load.

    `undecided` are the loads between them that were shown to be neither. `crossed`: a load above
    the border was shown to be below it.
    """

    below: float | None
    above: float | None
    undecided: tuple[float, ...] = ()
    crossed: bool = False


def border(
    shown: Callable[[float], bool | None], start: float, *, within: float, most: int
) -> Border:
    """Look for it with at most so many loads; `shown` says whether a load is above the border."""
    seen: dict[float, bool | None] = {}

    def look(load: float) -> bool | None:
        seen[load] = shown(load)
        return seen[load]

    look(start)
    while len(seen) < most and False not in seen.values() and min(seen) > start / SPAN:
        look(rounded(min(seen) / 2))
    while len(seen) < most and True not in seen.values() and max(seen) < start * SPAN:
        look(rounded(max(seen) * 2))
    while len(seen) < most and (gap := _gap(_border(seen), within)) is not None:
        middle = rounded(math.sqrt(gap[0] * gap[1]))
        if middle in seen:
            break
        look(middle)
    return _border(seen)


def _border(seen: dict[float, bool | None]) -> Border:
    above = min((load for load, is_above in seen.items() if is_above), default=None)
    low = [load for load, is_above in seen.items() if is_above is False]
    under = [load for load in low if above is None or load < above]
    below = max(under, default=None)
    between = sorted(
        load
        for load, is_above in seen.items()
        if is_above is None and (below or 0.0) < load < (above or math.inf)
    )
    return Border(below, above, tuple(between), crossed=len(under) < len(low))


def _gap(found: Border, within: float) -> tuple[float, float] | None:
    """Between which two loads to look next; None if the border is known well enough.

    What lies between undecided loads stays undecided; each of the two sides beside them is
    narrowed to half of what is wanted.
    """
    if found.below is None or found.above is None:
        return None
    if not found.undecided:
        whole = (found.below, found.above)
        return whole if whole[1] > whole[0] * (1 + within) else None
    sides = [(found.below, found.undecided[0]), (found.undecided[-1], found.above)]
    wide = [side for side in sides if side[1] > side[0] * (1 + within / 2)]
    return max(wide, key=lambda side: side[1] / side[0], default=None)
