"""What a gateway remembers of one master in order to guard against it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Guard:
    """One master as one gateway has come to know it; times in nanoseconds, flags 0 or 1.

    Slow start: `back_ns`, since when it takes part again (-1: from the start), and the
    `credit` that it has earned where turns are counted.
    Outlier ejection: `failures` in a row, `answered` and `failed` in this interval, whether
    it is `ejected` and since when (`ejected_ns`), the `backoff` that the base time is
    multiplied by, and how often it was ejected in all (`ejections`).
    Circuit breaker: `streak` of failures; `opened`, how often in a row it opened (0: closed);
    `open_until_ns`; `trial`, whether the one attempt of the half-open state is under way;
    `since_ns`, the last change of state; `breaks`, how often it opened in all.

    The compiled data plane has a record with the same fields, which is why the guards'
    functions read and write fields instead of calling methods.
    """

    back_ns: int = -1
    failures: int = 0
    answered: int = 0
    failed: int = 0
    ejected: int = 0
    ejected_ns: int = 0
    backoff: int = 0
    ejections: int = 0
    streak: int = 0
    opened: int = 0
    open_until_ns: int = 0
    trial: int = 0
    since_ns: int = 0
    breaks: int = 0
    credit: float = 0.0


def forget(guard: Guard) -> None:
    """The master left the cluster: what was known of it is void. The totals stay."""
    guard.failures = guard.answered = guard.failed = 0
    guard.ejected = guard.ejected_ns = guard.backoff = 0
    guard.streak = guard.opened = guard.open_until_ns = guard.trial = guard.since_ns = 0
    guard.credit = 0.0
