"""What a cell's faults cost less or more than another's, run by run.

Run `number` of every cell has the same faults at the same places and, where the rhythm of their
checks is the same, at the same moments: what both runs have in common cancels (common random
numbers; Law, Simulation Modeling and Analysis, 2015, 11.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hasim.study.estimates.statistics import LEVEL, Floats, Interval
from hasim.study.rare.estimate import ALL, FAULTS, Kind, Pair, Run, estimate


@dataclass(frozen=True)
class Runs:
    """All runs of a cell: with one fault (by its kind), two, none, more, and plain ones.

    They are numbered alike in every cell. `more` is by how many faults there are at a time.
    """

    singles: Mapping[str, Sequence[Run]]
    pairs: Sequence[Pair]
    more: Mapping[int, Sequence[Pair]]
    quiet: Sequence[Run]
    plain: Sequence[Run] = ()


def faults_difference(
    kinds: Sequence[Kind], one: Runs, other: Runs, *, causes: Sequence[str], level: float = LEVEL
) -> Interval | None:
    """The unavailability by faults in `other` less that in `one`; their kinds of faults are alike.

    None if runs of the same number do not count alike.
    """
    bases = [_base(runs.quiet, len(causes)) for runs in (one, other)]
    singles: dict[str, list[Run]] = {}
    for kind in kinds:
        both = list(zip(one.singles[kind.name], other.singles[kind.name], strict=True))
        if any((a.chance, a.outcome) != (b.chance, b.outcome) for a, b in both):
            return None
        singles[kind.name] = [
            replace(
                b,
                down_s=tuple(_beyond(b, bases[1]) - _beyond(a, bases[0])),
                open_end=a.open_end or b.open_end,
            )
            for a, b in both
        ]

    def added(order: int, ours: Sequence[Pair], theirs: Sequence[Pair]) -> list[Pair]:
        base, others = ((-1) ** order * own for own in bases)
        return [
            Pair(tuple(_added(b, others) - _added(a, base)), 1.0, 0.0, a.open_end or b.open_end)
            for a, b in zip(ours, theirs, strict=True)
        ]

    pairs = added(2, one.pairs, other.pairs)
    more = {order: added(order, own, other.more[order]) for order, own in one.more.items()}
    found = estimate(kinds, singles, pairs, more=more, causes=causes, level=level)
    return found.parts[FAULTS, ALL]


def _base(quiet: Sequence[Run], causes: int) -> Floats:
    """The share of time down without a fault, by cause."""
    if not quiet:
        return np.zeros(causes)
    spent = sum(run.span_s for run in quiet)
    down_s: Floats = np.array([run.down_s for run in quiet]).sum(axis=0)
    return down_s / spent


def _beyond(run: Run, base: Floats) -> Floats:
    """Seconds down by cause, beyond what is down without a fault."""
    return np.array(run.down_s) - run.span_s * base


def _added(pair: Pair, base: Floats) -> Floats:
    """What a pair adds, with its weight."""
    return (np.array(pair.excess_s) + pair.span_s * base) * pair.weight
