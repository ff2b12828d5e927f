"""The race among cells that keep the limits: paired log ratios, looks at doubling sizes.

Whatever cell is the best one, only its comparisons can go wrong: that it is dropped, or that
another is called near to it and is not. Of each such pair only one end of the interval can be
wrong. So the error is shared by k - 1 pairs and the looks, one-sided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hasim.study.advising.logarithms import Logarithm, logarithm
from hasim.study.advising.sampling import Source
from hasim.study.advising.terms import Terms
from hasim.study.estimates.statistics import LEVEL, t_quantile

LOOKS = 8
"""The first look, and twice as much work seven times."""
ENOUGH = 600
"""Incidents of each cell before any is dropped: with fewer the jackknife covers too little."""


@dataclass(frozen=True)
class LogRatio:
    """How much larger one cell is than another: the log ratio and its standard error.

    `degrees` of freedom are those of Student's t.
    """

    value: float
    error: float
    degrees: int

    def half(self, level: float) -> float:
        """Half the width of its two-sided interval."""
        return t_quantile(level, self.degrees) * self.error


def log_ratio(one: Logarithm, other: Logarithm) -> LogRatio:
    """The log ratio of `one` to `other`, of the same replications, by the grouped jackknife."""
    groups = len(one.left_out)
    left_out = one.left_out - other.left_out
    value = one.value - other.value
    if not (math.isfinite(value) and np.isfinite(left_out).all()) or groups < 2:
        return LogRatio(math.nan, math.inf, max(1, groups - 1))
    spread = float(((left_out - left_out.mean()) ** 2).sum())
    return LogRatio(value, math.sqrt((groups - 1) / groups * spread), groups - 1)


@dataclass(frozen=True)
class Ended:
    """How a race ended.

    `winners` are shown to be worse than no survivor by more than the indifference, the best
    estimate first; without any, nothing is recommended, and `needed` replications of each survivor
    might tell (None: nothing tells). `dropped` has the look at which a cell was shown to be worse.
    `unknown` cells have too little to be compared.
    """

    winners: tuple[int, ...]
    survivors: tuple[int, ...]
    dropped: Mapping[int, int]
    unknown: tuple[int, ...]
    replications: int
    looks: int
    needed: int | None = None
    few: bool = False
    """Whether some cell had met fewer than `ENOUGH` incidents."""


def race(cells: Sequence[int], terms: Terms, source: Source) -> Ended:
    """Let the cells race until some are shown to be best, or nothing more may be spent."""
    level = 1 - 2 * (terms.error / 2 / (max(1, len(cells) - 1) * LOOKS))
    allowed = math.log1p(terms.indifference)
    alive, dropped = list(cells), dict[int, int]()
    replications, looks = _first(alive, terms, source), 0
    while True:
        source.take(alive, replications)
        logs = {c: logarithm(terms.objective, source.runs(c, replications)) for c in alive}
        last = replications >= terms.most
        if _few(logs) and not last:
            replications = min(terms.most, _grown(logs, replications))
            continue
        looks += 1
        known = [c for c in alive if math.isfinite(logs[c].value)]
        if not _few(logs):
            for cell in _worse(known, logs, level, allowed):
                dropped[cell] = looks
        left = [c for c in known if c not in dropped]
        unknown = tuple(c for c in alive if c not in known)
        winners = () if _few(logs) else _winners(left, logs, level, allowed)
        if winners or last or looks >= LOOKS or not left:
            needed = None if winners else _needed(left, logs, level, allowed, replications)
            few = _few(logs)
            return Ended(winners, tuple(left), dropped, unknown, replications, looks, needed, few)
        alive = [*left, *unknown]
        replications = min(terms.most, 2 * replications)


def compared(one: int, other: int, terms: Terms, source: Source, replications: int) -> LogRatio:
    """How one cell compares with another by the objective, of so many replications of both."""
    source.take([one, other], replications)
    logs = [logarithm(terms.objective, source.runs(c, replications)) for c in (one, other)]
    return log_ratio(*logs)


def bounds(ratio: LogRatio, level: float = LEVEL) -> tuple[float, float, float]:
    """A ratio with the bounds of its interval: 0.8 is a fifth less."""
    if not math.isfinite(ratio.value):
        return math.nan, 0.0, math.inf
    half = ratio.half(level)
    return math.exp(ratio.value), math.exp(ratio.value - half), math.exp(ratio.value + half)


def _first(cells: Sequence[int], terms: Terms, source: Source) -> int:
    """The replications that give every cell enough incidents, as far as the first ones tell."""
    source.take(cells, terms.first)
    logs = {c: logarithm(terms.objective, source.runs(c, terms.first)) for c in cells}
    if not _few(logs):
        return terms.first
    return min(terms.most, _grown(logs, terms.first))


def _few(logs: Mapping[int, Logarithm]) -> bool:
    return any(one.seen is not None and one.seen < ENOUGH for one in logs.values())


def _grown(logs: Mapping[int, Logarithm], replications: int) -> int:
    """Replications for enough incidents; twice as many where none were seen."""
    fewest = min(one.seen for one in logs.values() if one.seen is not None)
    if not fewest:
        return 2 * replications
    return max(replications + 1, math.ceil(1.05 * ENOUGH / fewest * replications))


def _worse(
    cells: Sequence[int], logs: Mapping[int, Logarithm], level: float, allowed: float
) -> list[int]:
    """The cells that some other one is surely better than, and by more than does not matter."""
    found = []
    for cell in cells:
        ratios = (log_ratio(logs[cell], logs[other]) for other in cells if other != cell)
        if any(r.value > allowed and r.value - r.half(level) > 0 for r in ratios):
            found.append(cell)
    return found


def _winners(
    cells: Sequence[int], logs: Mapping[int, Logarithm], level: float, allowed: float
) -> tuple[int, ...]:
    """The cells that are shown to be worse than no other by more than is allowed."""
    found = [c for c in cells if _excess(c, cells, logs, level) <= allowed]
    return tuple(sorted(found, key=lambda c: (logs[c].value, c)))


def _excess(cell: int, cells: Sequence[int], logs: Mapping[int, Logarithm], level: float) -> float:
    """By how much, as a log ratio, a cell may be worse than some other one."""
    ratios = [log_ratio(logs[cell], logs[other]) for other in cells if other != cell]
    ends = [r.value + r.half(level) if math.isfinite(r.value) else math.inf for r in ratios]
    return max(ends, default=0.0)


def _needed(
    cells: Sequence[int],
    logs: Mapping[int, Logarithm],
    level: float,
    allowed: float,
    replications: int,
) -> int | None:
    """Replications after which the best cell is shown to be near to all others, as widths shrink.

    With fewer incidents than `ENOUGH`, at least as many as give those.
    """
    enough = _grown(logs, replications) if _few(logs) else replications + 1
    if not cells:
        return None
    best = min(cells, key=lambda c: (logs[c].value, c))
    factor = 1.0
    for other in cells:
        ratio = log_ratio(logs[best], logs[other])
        if other == best or not math.isfinite(ratio.value):
            continue
        # Where the best one is ahead, half the way decides which of the two is dropped.
        room = max(allowed - ratio.value, -ratio.value)
        factor = max(factor, ratio.half(level) / room)
    return max(enough, math.ceil(replications * factor**2))
