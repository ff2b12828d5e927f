"""Limits, then the race, then what is recommended: the whole procedure on any source of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hasim.study.advising.limits import Checked, Rare, check
from hasim.study.advising.race import Ended, LogRatio, compared, race
from hasim.study.advising.sampling import Counted, Source
from hasim.study.advising.terms import Terms


@dataclass(frozen=True)
class Decision:
    """What came out.

    `chosen` is the recommended cell, None if nothing is recommended; `best` the cell with the best
    estimate among the winners, which today's setting may be as good as. `against_today` compares
    the chosen cell with today's (None if that is the same, or there is none).
    """

    terms: Terms
    checked: Mapping[int, Checked]
    ended: Ended | None
    chosen: int | None
    today: int | None
    against_today: LogRatio | None
    taken: Mapping[int, int]
    """Replications of each cell."""

    @property
    def undecided(self) -> tuple[int, ...]:
        """The cells of which the limits could not be decided."""
        return tuple(c for c, one in self.checked.items() if one.standing == "undecided")

    @property
    def feasible(self) -> tuple[int, ...]:
        """The cells that keep all limits."""
        return tuple(c for c, one in self.checked.items() if one.standing == "feasible")

    @property
    def total(self) -> int:
        """Replications of all cells together."""
        return sum(self.taken.values())


def decide(
    cells: Sequence[int],
    terms: Terms,
    source: Source,
    today: int | None = None,
    rare: Rare | None = None,
) -> Decision:
    """Recommend one of the cells, or none.

    Asymptotically, with a probability of 95 % (all but `Terms.error`), what is recommended keeps
    the limits and is worse than the best cell that does, and is not undecided, by no more than the
    indifference. Among equals today's setting wins, then the best estimate. What is too rare for
    runs is asked of `rare`.
    """
    counted = Counted(source)
    checked = check(cells, terms, counted, rare)
    feasible = [c for c in cells if checked[c].standing == "feasible"]
    ended = race(feasible, terms, counted) if feasible else None
    winners = ended.winners if ended is not None else ()
    chosen = today if today in winners else next(iter(winners), None)
    ratio = None
    if ended is not None and chosen is not None and today is not None and chosen != today:
        ratio = compared(chosen, today, terms, counted, ended.replications)
    return Decision(terms, checked, ended, chosen, today, ratio, dict(counted.taken))
