"""How long the balance of load takes to settle after an operation, over all replications."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hasim.measures import Measured
from hasim.study.estimates.statistics import (
    Floats,
    Interval,
    jackknife_interval,
    mean_interval,
    unknown,
)

TOLERANCE = 0.05
"""The balance has settled when it is within this of its new level, beside chance."""
CHANCE = 4
"""For two masters, a second in 700 is further away than this by chance (3.2 deviations)."""
LEVEL_PART = 3
"""The new level is that of the last third of what is known after the operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transient:
    """One operation of a cell.

    `before` and `after` are the shares of attempts of each master, in the cluster's order.
    The distance of two such balances is half the sum of their differences: the share of
    the load that would have to move. `settled_s` is the time from the operation until the
    balance, second by second, stays within the tolerance of its new level (None: it does
    not, or too little is known); `moved` the distance between before and after; `lost` the
    messages of a replication, on average, that ended without an answer in the seconds
    looked at: up to 120, or to the next operation. `keys_moved` is the share of keys whose master
    the changes of routing up to the next operation changed, `keys_ideal` the least that
    had to (None: no algorithm keeps a key at a master; see `hasim.measures.churn`). A
    fault at the same time counts as well. `low` and `high` are the bounds of the 95 % interval
    (infinite with one replication): of `routed_s` as a mean of the replications in which every
    gateway came to use the new routing, of `lost` as a mean, of `moved` by the jackknife. Since
    chance alone makes a distance, its lower bound is less by as much, and 0 at least.
    """

    operation: int
    done_at_s: float
    do: str
    subject: str
    replications: int
    routed_s: float | None
    routed_low_s: float
    routed_high_s: float
    settled_s: float | None
    moved: float | None
    moved_low: float
    moved_high: float
    lost: float | None
    lost_low: float
    lost_high: float
    keys_moved: float | None
    keys_ideal: float | None
    before: tuple[float, ...] | None
    after: tuple[float, ...] | None


def transients(runs: Sequence[Measured], tolerance: float = TOLERANCE) -> list[Transient]:
    """Each operation of one cell; what its replications sent is added up, second by second."""
    if not runs or not runs[0].operations:
        return []
    found = []
    for row in runs[0].operations:
        sent = _sums(runs, row.operation)
        routed = mean_interval(
            [
                other.routed_s
                for run in runs
                for other in run.operations
                if other.operation == row.operation and other.routed_s is not None
            ]
        )
        level = _level(sent)
        settled = None if level is None else settled_s(sent, level, tolerance)
        before = _shares([counts for offset, counts in sent.items() if offset < 0])
        moved = unknown(0, "") if level is None else _moved(runs, row.operation, sent)
        lost = mean_interval([_lost(run, row.operation) for run in runs])
        keys_moved, keys_ideal = _keys(runs, row.operation)
        found.append(
            Transient(
                operation=row.operation,
                done_at_s=row.done_at_s,
                do=row.do,
                subject=row.subject,
                replications=len(runs),
                routed_s=routed.value,
                routed_low_s=routed.low,
                routed_high_s=routed.high,
                settled_s=settled,
                moved=moved.value,
                moved_low=moved.low,
                moved_high=moved.high,
                lost=lost.value,
                lost_low=max(0.0, lost.low) if len(runs) > 1 else lost.low,
                lost_high=lost.high,
                keys_moved=keys_moved,
                keys_ideal=keys_ideal,
                before=None if before is None else tuple(before),
                after=None if level is None else tuple(level),
            )
        )
    return found


def _keys(runs: Sequence[Measured], operation: int) -> tuple[float | None, float | None]:
    """The share of keys that moved after an operation and before the next, and the ideal one."""
    rows = []
    for run in runs:
        times = [row.done_at_s for row in run.operations] + [run.horizon_s]
        begin, end = times[operation - 1], times[operation]
        rows += [row for row in run.churn if begin <= row.at_s < end]
    keys = sum(row.keys for row in rows)
    if not keys:
        return None, None
    return sum(r.moved for r in rows) / keys, sum(r.ideal * r.keys for r in rows) / keys


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """Half the sum of the differences of two balances (total variation)."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / 2


def settled_s(
    sent: dict[float, list[int]], level: Sequence[float], tolerance: float
) -> float | None:
    """Seconds until the balance stays within `tolerance` of `level`, chance aside; None if never.

    Chance: `CHANCE` times the distance that a second's messages would have on average if
    each were sent at random in these shares (`_by_chance`).
    """
    offsets = sorted(offset for offset in sent if offset >= 0)
    far = 0.0
    for offset in offsets:
        counts = sent[offset]
        total = sum(counts)
        if total == 0:
            continue
        chance = CHANCE * _by_chance(level, 1 / total)
        if distance([count / total for count in counts], level) > tolerance + chance:
            far = offset + 1
    return far if far <= _first_of_level(offsets) else None


def _sums(runs: Sequence[Measured], operation: int) -> dict[float, list[int]]:
    """Attempts by offset and master."""
    by_master: defaultdict[float, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    masters = [row.master for row in runs[0].masters]
    for run in runs:
        for row in run.transients:
            if row.operation == operation:
                by_master[row.offset_s][row.master] += row.sent
    return {offset: [counts[m] for m in masters] for offset, counts in sorted(by_master.items())}


def _lost(run: Measured, operation: int) -> int:
    """Messages of one replication that ended without an answer after an operation."""
    first = run.masters[0].master  # the rows of all masters have the same number
    rows = (r for r in run.transients if r.operation == operation and r.master == first)
    return sum(row.lost for row in rows if row.offset_s >= 0)


def _moved(runs: Sequence[Measured], operation: int, sent: dict[float, list[int]]) -> Interval:
    """The distance between the balance before an operation and the new one."""
    first = _first_of_level([offset for offset in sent if offset >= 0])
    number = {row.master: place for place, row in enumerate(runs[0].masters)}
    counts = np.zeros((len(runs), 2, len(number)))
    for run, of_run in zip(runs, counts, strict=True):
        for row in run.transients:
            if row.operation == operation and (row.offset_s < 0 or row.offset_s >= first):
                of_run[int(row.offset_s >= 0), number[row.master]] += row.sent

    def statistic(totals: Floats) -> Floats:
        sides = totals.reshape(*totals.shape[:-1], 2, len(number))
        shares = sides / sides.sum(axis=-1, keepdims=True)
        distances: Floats = np.abs(shares[..., 0, :] - shares[..., 1, :]).sum(axis=-1) / 2
        return distances

    found = jackknife_interval(counts.reshape(len(runs), -1), statistic)
    if found.value is None or not math.isfinite(found.low):
        return found
    sides = counts.sum(axis=0)
    shares = (sides.sum(axis=0) / sides.sum()).tolist()
    chance = _by_chance(shares, float((1 / sides.sum(axis=1)).sum()))
    return replace(found, low=max(0.0, found.low - chance), high=min(1.0, found.high))


def _by_chance(shares: Sequence[float], variance: float) -> float:
    """The distance, on average, that attempts sent at random in these shares make.

    `variance`: 1/n if n of them are compared with the shares, 1/n + 1/m if with m others. For
    each master half of sqrt(2 p (1 - p) variance / pi), the mean of a normal one's size.
    """
    return sum(math.sqrt(2 * p * (1 - p) * variance / math.pi) for p in shares) / 2


def _first_of_level(offsets: Sequence[float]) -> float:
    """Where the last third of the seconds begins."""
    return offsets[-1] + 1 - len(offsets) / LEVEL_PART


def _level(sent: dict[float, list[int]]) -> list[float] | None:
    """The shares of the last third after the operation."""
    offsets = sorted(offset for offset in sent if offset >= 0)
    if len(offsets) < LEVEL_PART:
        return None
    first = _first_of_level(offsets)
    return _shares([sent[offset] for offset in offsets if offset >= first])


def _shares(rows: Sequence[Sequence[int]]) -> list[float] | None:
    sums = [sum(column) for column in zip(*rows, strict=True)]
    total = sum(sums)
    return [part / total for part in sums] if total else None
