"""How long the balance of load takes to settle after an operation, over all replications."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hasim.measures import Measured

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
    fault at the same time counts as well.
    """

    operation: int
    done_at_s: float
    do: str
    subject: str
    replications: int
    routed_s: float | None
    settled_s: float | None
    moved: float | None
    lost: float
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
        sent, lost = _sums(runs, row.operation)
        routed = [
            other.routed_s
            for run in runs
            for other in run.operations
            if other.operation == row.operation and other.routed_s is not None
        ]
        level = _level(sent)
        settled = None if level is None else settled_s(sent, level, tolerance)
        before = _shares([counts for offset, counts in sent.items() if offset < 0])
        known = before is not None and level is not None
        keys_moved, keys_ideal = _keys(runs, row.operation)
        found.append(
            Transient(
                operation=row.operation,
                done_at_s=row.done_at_s,
                do=row.do,
                subject=row.subject,
                replications=len(runs),
                routed_s=sum(routed) / len(routed) if routed else None,
                settled_s=settled,
                moved=distance(before, level) if known and before and level else None,
                lost=sum(n for offset, n in lost.items() if offset >= 0) / len(runs),
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
    each were sent at random in these shares, sqrt(2 p (1 - p) / (pi n)) / 2 for each master.
    """
    offsets = sorted(offset for offset in sent if offset >= 0)
    far = 0.0
    for offset in offsets:
        counts = sent[offset]
        total = sum(counts)
        if total == 0:
            continue
        chance = sum(math.sqrt(2 * p * (1 - p) / (math.pi * total)) for p in level) / 2
        if distance([count / total for count in counts], level) > tolerance + CHANCE * chance:
            far = offset + 1
    return far if far <= _first_of_level(offsets) else None


def _sums(
    runs: Sequence[Measured], operation: int
) -> tuple[dict[float, list[int]], dict[float, int]]:
    """Attempts by offset and master, lost messages by offset."""
    by_master: defaultdict[float, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    lost: defaultdict[float, int] = defaultdict(int)
    masters = [row.master for row in runs[0].masters]
    for run in runs:
        for row in run.transients:
            if row.operation == operation:
                by_master[row.offset_s][row.master] += row.sent
                if row.master == masters[0]:
                    lost[row.offset_s] += row.lost
    sent = {offset: [counts[m] for m in masters] for offset, counts in sorted(by_master.items())}
    return sent, dict(lost)


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
