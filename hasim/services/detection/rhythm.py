"""The rhythm in which a master is probed, for a driver that can foresee how probes end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How the probing of a master whose verdict is settled goes on; times in nanoseconds.

    Probe number `probe` is sent at `next_ns`, each further one `wait_ns` after the one before it
    ended, or by a clock with that period: then `next_ns` belongs to its tick `tick_ns`. The
    wait after a probe is longer by `jitter_ns` of its number. One without an answer after
    `timeout_ns` has failed. It goes on like that as long as they all pass, or (not `passing`)
    as long as they all fail. `under_way`: an earlier probe is, and `next_ns` holds if that times
    out.
    """

    probe: int
    next_ns: int
    wait_ns: int
    timeout_ns: int
    passing: bool
    under_way: bool
    tick_ns: int | None = None
    jitter_ns: Callable[[int], int] | None = None
