"""An objective over windows: what it allows to go wrong, what was used up, and how fast.

Windows are *rolling*, ending at every moment of the run, or *calendar*: one after the other from
its start. What went wrong is downtime, messages, or users' time: see `hasim.measures.ledgers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hasim.measures.ledgers import WHOLE, Ledger
from hasim.units import seconds


@dataclass(frozen=True, slots=True)
class Objective:
    """Of every window, this share shall be well: of time, of messages, of users' time."""

    share: float
    window_ns: int
    maintenance: bool = True
    """Whether downtime of planned switchovers counts."""
    of: str = WHOLE
    """By which sense: one of `hasim.measures.ledgers.senses_of`."""

    @property
    def allowed_ns(self) -> int:
        """The downtime that a window may have, of an objective by time."""
        return round((1.0 - self.share) * self.window_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One window: from when to when, what was bad in it, and what that is of the error budget.

    `bad` and `allowed` are seconds, or messages. `left` is the share of the budget that is left,
    negative beyond it; None if nothing is allowed. `burn_rate` is the share that was bad over the
    share allowed; None likewise. A calendar window that the end of the run cuts short is judged by
    what it has of its budget so far; by message its budget is that of the messages so far.
    """

    started_at_s: float
    ended_at_s: float
    bad: float
    allowed: float
    left: float | None
    burn_rate: float | None
    kept: bool


def calendar(ledger: Ledger, objective: Objective) -> Iterator[Spent]:
    """The windows one after the other; the last may be cut short by the end of the run."""
    for start_ns in range(0, ledger.horizon_ns, objective.window_ns):
        end_ns = min(start_ns + objective.window_ns, ledger.horizon_ns)
        yield _spent(ledger, objective, start_ns, end_ns)


def worst_rolling(ledger: Ledger, objective: Objective) -> Spent | None:
    """The window of which the largest share was bad, the first of those; None if none fits."""
    window_ns = objective.window_ns
    if window_ns > ledger.horizon_ns:
        return None

    def share(end_ns: int) -> float:
        whole = ledger.whole(end_ns - window_ns, end_ns)
        return ledger.bad(end_ns - window_ns, end_ns) / whole if whole else 0.0

    worst_ns = max(ledger.ends(window_ns), key=lambda end_ns: (share(end_ns), -end_ns))
    return _spent(ledger, objective, worst_ns - window_ns, worst_ns)


def _spent(ledger: Ledger, objective: Objective, start_ns: int, end_ns: int) -> Spent:
    bad, whole = ledger.bad(start_ns, end_ns), ledger.whole(start_ns, end_ns)
    allowed = ledger.allowed(objective.share, start_ns, objective.window_ns)
    return Spent(
        started_at_s=seconds(start_ns),
        ended_at_s=seconds(end_ns),
        bad=bad / ledger.unit,
        allowed=allowed / ledger.unit,
        left=1.0 - bad / allowed if allowed else None,
        burn_rate=bad / whole / (1.0 - objective.share) if allowed and whole else None,
        kept=bad <= allowed,
    )
