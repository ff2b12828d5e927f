"""The rules of an attempt's life: plain functions, which stand once for all who need them.

The dispatcher calls them, and the compiled data plane compiles the very same functions.
Times in nanoseconds.
"""

from __future__ import annotations

NEVER = 2**62
"""A time that does not come."""
HEDGED = 1 << 41
"""Added to the number of an attempt: that of the second attempt beside it (hedging)."""


def still_waits(now: int, since_ns: int, timeout_ns: int) -> bool:
    """Whether a client that began to wait then, for an answer or for room, has not given up.

    What comes at the very end of its patience comes too late.
    """
    return now - since_ns < timeout_ns


def hedge_after(pace_ns: int, after_ns: int) -> int:
    """How long to wait for an answer before a second attempt; 0 if there shall be none.

    `pace_ns` is a quantile of the latest latencies, 0 if it is not known or not wanted.
    """
    return pace_ns if pace_ns > 0 else after_ns


def may_join(waiting: int, most: int) -> bool:
    """Whether one more attempt may wait at the gateway for room at a master."""
    return waiting < most


def looks_at(now: int, opens_ns: int, look_ns: int) -> bool:
    """Whether to look after those who wait at `opens_ns`: if it comes, and nothing before it.

    There may be room then, although nothing ends (see `GatewayService.opens_ns`); `look_ns` is
    when somebody looks anyway.
    """
    return now < opens_ns < look_ns


def is_passed_over(stateless: bool, blocked: bool) -> bool:
    """Whether one who waits need not be looked after, since one before it found no room.

    `blocked`: a stateless one has found none, at whatever master; owned ones have but one
    master, each its own.
    """
    return stateless and blocked
