"""Which cells are best by a measure, which cannot be told apart from it, and what that costs.

The best cell is chosen by the data that it is then compared on. So each comparison is corrected as
if all pairs of cells had been compared (Bonferroni over k (k - 1) / 2 pairs): whichever cell comes
out on top, its comparisons are among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hasim.measures.catalogue import find
from hasim.study.comparing.compare import p_value
from hasim.study.estimates.summary import paired

if TYPE_CHECKING:
    from hasim.measures import Measured
    from hasim.study.estimates.estimate import Estimate

LEVEL = 0.05
"""The probability, over all pairs of cells, of telling any two apart that are equal."""


@dataclass(frozen=True)
class Best:
    """One measure over the cells of a study.

    `cell` has the best estimate; `alike` are those that the data do not tell apart from it, and
    `behind` those that are surely worse, with the paired difference (theirs minus the best one's),
    the nearest first. `unknown` have no estimate.
    """

    measure: str
    cell: int
    estimate: Estimate
    alike: tuple[int, ...]
    behind: tuple[tuple[int, Estimate], ...]
    unknown: tuple[int, ...]

    @property
    def decided(self) -> bool:
        """Whether any cell is surely worse."""
        return bool(self.behind)


def best_by(
    measure: str,
    estimates: Mapping[int, Mapping[str, Estimate]],
    measured: Mapping[int, Sequence[Measured]],
) -> Best | None:
    """The cells (by number) ranked by a measure; None if fewer than two have an estimate.

    Raises LookupError if there is no such measure, ValueError if no value of it is better.
    """
    about = find(measure)
    if about.neutral:
        raise ValueError(f"{measure} is neither better nor worse")
    known = {
        cell: found
        for cell, of_cell in estimates.items()
        if (found := of_cell.get(measure)) is not None and found.value is not None
    }
    if len(known) < 2:
        return None
    sign = -1.0 if about.better == "more" else 1.0
    order = sorted(known, key=lambda cell: sign * (known[cell].value or 0.0))
    pairs = len(known) * (len(known) - 1) / 2
    alike, behind = [], []
    for cell in order[1:]:
        difference = paired(measured[order[0]], measured[cell], measure)
        if _differs(difference, sign) and p_value(difference) * pairs < LEVEL:
            behind.append((cell, difference))
        else:
            alike.append(cell)
    unknown = tuple(cell for cell in estimates if cell not in known)
    return Best(measure, order[0], known[order[0]], tuple(alike), tuple(behind), unknown)


def _differs(difference: Estimate, sign: float) -> bool:
    """Whether it is a difference at all, and in the direction in which it must be."""
    return difference.value is not None and sign * difference.value > 0
