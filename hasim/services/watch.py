"""What gateways count against a master, and what of it they report at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hasim.model import SERVED, Cause

CODES = {cause: code for code, cause in enumerate(Cause)}
"""By cause, its bit in a set of causes; such a set is a whole number."""


def causes_set(causes: Iterable[Cause]) -> int:
    """The set of some causes."""
    return sum(1 << CODES[cause] for cause in frozenset(causes))


UNCONNECTED = causes_set((Cause.REFUSED, Cause.CONNECT_TIMEOUT))
BROKEN = UNCONNECTED | causes_set((Cause.RESET, Cause.ERROR, Cause.TIMEOUT))
"""A full queue or a wrong address is no sign of a dead master."""
ANSWERED = causes_set(SERVED)


@dataclass(frozen=True, slots=True)
class Watch:
    """What gateways count against a master, and report at once rather than regularly.

    `failures`: each failed attempt of a run, up to this many in the run, and the first end that
    refutes a reported run; 0: nothing. With a window (`window_ns`, nanoseconds) there are no runs:
    each failed attempt, unless so many were reported at once within the window.
    `against` and `refuting` are the sets of ends that speak against a master, and for it.
    """

    failures: int = 0
    window_ns: int = 0
    against: int = BROKEN
    refuting: int = ANSWERED


UNWATCHED = Watch()
"""Nothing is reported at once."""


def holds(causes: int, code: int) -> bool:
    """Whether the cause of this number is in a set."""
    return causes >> code & 1 > 0


def is_news(streak: int, failures: int) -> bool:
    """Whether a failure is reported at once: it is among the first so many of a run."""
    return 0 < streak <= failures


def is_end(streak: int, failures: int) -> bool:
    """Whether what refutes a run is: some of the run was reported."""
    return streak > 0 and failures > 0


def is_rare(now: int, mark_ns: int, window_ns: int) -> bool:
    """Whether a failure is, with a window: so many failures ago there was one before it."""
    return now - mark_ns >= window_ns
