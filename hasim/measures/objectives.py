"""An objective over windows: what downtime it allows, what was used up, and how fast.

Windows are *rolling*, ending at every moment of the run, or *calendar*: one after the other from
its start. Downtime of planned switchovers counts, or is left out as maintenance that was announced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hasim.burn import Downs
from hasim.measures.availability import DownRow
from hasim.units import nanoseconds, seconds


@dataclass(frozen=True, slots=True)
class Objective:
    """The service shall be up for this share of every window."""

    share: float
    window_ns: int
    maintenance: bool = True
    """Whether downtime of planned switchovers counts."""

    @property
    def allowed_ns(self) -> int:
        """The downtime that a window may have."""
        return round((1.0 - self.share) * self.window_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One window: from when to when, its downtime, and what that is of the error budget.

    `left` is the share of the budget that is left, negative beyond it; None if nothing is allowed.
    `burn_rate` is the share down over the share allowed; None likewise. A calendar window that
    the end of the run cuts short is judged by what it has of its budget so far.
    """

    started_at_s: float
    ended_at_s: float
    down_s: float
    allowed_s: float
    left: float | None
    burn_rate: float | None
    kept: bool


def downs_of_rows(rows: Sequence[DownRow], *, maintenance: bool = True) -> Downs:
    """The times down, planned ones left out or not."""
    return Downs.of(
        (nanoseconds(row.started_at_s), nanoseconds(row.ended_at_s))
        for row in rows
        if maintenance or not row.planned
    )


def calendar(rows: Sequence[DownRow], objective: Objective, horizon_s: float) -> Iterator[Spent]:
    """The windows one after the other; the last may be cut short by the end of the run."""
    downs = downs_of_rows(rows, maintenance=objective.maintenance)
    horizon_ns = nanoseconds(horizon_s)
    for start_ns in range(0, horizon_ns, objective.window_ns):
        end_ns = min(start_ns + objective.window_ns, horizon_ns)
        yield _spent(downs, objective, start_ns, end_ns)


def worst_rolling(rows: Sequence[DownRow], objective: Objective, horizon_s: float) -> Spent | None:
    """The window with the most downtime, of all that lie in the run; None if it is shorter.

    Downtime in a moving window turns only where an edge of a time down enters or leaves, so the
    greatest is at one of these.
    """
    horizon_ns, window_ns = nanoseconds(horizon_s), objective.window_ns
    if window_ns > horizon_ns:
        return None
    downs = downs_of_rows(rows, maintenance=objective.maintenance)
    edges = {window_ns, horizon_ns}
    for moment in (*downs.starts, *downs.ends):
        edges |= {moment, moment + window_ns}
    ends = sorted(edge for edge in edges if window_ns <= edge <= horizon_ns)
    worst_ns = max(ends, key=lambda end: (downs.within(end, window_ns), -end))
    return _spent(downs, objective, worst_ns - window_ns, worst_ns)


def _spent(downs: Downs, objective: Objective, start_ns: int, end_ns: int) -> Spent:
    down_ns, allowed_ns = downs.total(end_ns) - downs.total(start_ns), objective.allowed_ns
    share_down = down_ns / (end_ns - start_ns)
    return Spent(
        started_at_s=seconds(start_ns),
        ended_at_s=seconds(end_ns),
        down_s=seconds(down_ns),
        allowed_s=seconds(allowed_ns),
        left=1.0 - down_ns / allowed_ns if allowed_ns else None,
        burn_rate=share_down / (1.0 - objective.share) if allowed_ns else None,
        kept=down_ns <= allowed_ns,
    )
