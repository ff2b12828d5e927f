"""SimPy's clock in integer nanoseconds, and the order of what happens at one instant."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, cast

from simpy.core import Environment
from simpy.events import Event

# At one instant, in this order. SimPy's own priorities (0 and 1) come first:
# they only pass on what has happened.
FAULT = 10
COMPLETION = 20
ANSWER = 25
TIMEOUT = 30
LINE = 35
INPUT = 40
WAKE_UP = 50
HEDGE = 55
ARRIVAL = 60

# Within a rank by key: first what is no message, in the order in which it was scheduled
# (key 0), then deep probes by number, then messages by message and attempt. Timeouts
# have no keys: they expire in the order of sending.
KEY_BITS = 48
MESSAGES = 1 << 40
"""The key of a message's attempt is this plus its draw: message * attempts + attempt."""
HEDGED = 1 << 41
"""Added to the draw of an attempt: the draw of the second attempt beside it (hedging)."""
PROBES = 1 << 46
"""The key of a load probe is this plus its number (see `load_probes`)."""


class Clock(Environment):
    """A SimPy environment whose time is integer nanoseconds."""

    _now: int

    def __init__(self) -> None:
        super().__init__(initial_time=0)

    @property
    def now(self) -> int:
        """The present time in nanoseconds."""
        return self._now

    def next_event(self) -> tuple[int, int]:
        """Time and priority of the next event; a time beyond all times if there is none."""
        if not self._queue:
            return sys.maxsize, 0
        time, priority, _, _ = self._queue[0]
        return cast(int, time), priority

    def move(self, now: int) -> None:
        """Something happened at `now` that is no event, before the next event."""
        self._now = now


class Call(Event):
    """An event that calls `function(event)` after `delay` nanoseconds; `load` rides along.

    Without a function it is something that a process waits for.
    """

    def __init__(
        self,
        env: Clock,
        delay: int,
        rank: int,
        function: Callable[[Any], None] | None,
        load: Any = None,
        key: int = 0,
    ) -> None:
        self.env = env
        self.callbacks = [] if function is None else [function]
        self.load = load
        self._value = None
        self._ok = True
        self._defused = False
        env.schedule(self, rank << KEY_BITS | key, delay)  # type: ignore[arg-type]  # any int
