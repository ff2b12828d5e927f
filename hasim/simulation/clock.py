"""SimPy's clock in integer nanoseconds, and the order of what happens at one instant."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from simpy.core import Environment

# At one instant, in this order; why: ARCHITECTURE.md, "Time". SimPy's own priorities (0 and 1)
# come before all but the first: they only pass on what has happened.
FIRST = -1
FAULT = 10
COMPLETION = 20
ANSWER = 25
LIMIT = 28
TIMEOUT = 30
LINE = 35
INPUT = 40
HANDOVER = 45
WAKE_UP = 50
HEDGE = 55
ARRIVAL = 60

# Within a rank by key: first what is no message, in the order in which it was scheduled
# (key 0), then health checks by number (their answers by what `Probes.key` says), then messages
# by message and attempt. Timeouts go by the order in which clients began to wait, lines by the
# number of their gateway.
KEY_BITS = 48
KEY = (1 << KEY_BITS) - 1
"""The bits of a priority that are the key."""
MESSAGES = 1 << 40
"""The key of a message's attempt is this plus its draw: message * attempts + attempt."""
TIER = 1 << 43
"""Added to all these once for each tier before that of the message."""
PROBES = 1 << 46
"""The key of a load probe is this plus its number (see `load_probes`)."""


class Clock(Environment):
    """A SimPy environment whose time is integer nanoseconds."""

    # A slot, and `now` another name of it: SimPy's property is a call, and asked for all the time.
    # Who makes something happen that is no event, before the next one, sets it.
    __slots__ = ("_now", "reached")
    _now: int
    now: int
    reached: int
    """How far this instant has come: the last priority in order of all that has happened in it.

    What happens may bring about what ranks before it, at the same time.
    """
    # Any int is a priority, and a `Call` an event.
    _queue: list[tuple[int, int, int, Any]]  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self.reached = FIRST << KEY_BITS

    @property
    def queue(self) -> list[tuple[int, int, int, Any]]:
        """What is to happen, as a heap: time, priority, number, event."""
        return self._queue

    def step(self) -> None:
        """As SimPy's, but a `Call` is just called."""
        if self._queue:
            time, priority, _, event = self._queue[0]
            if time > self.now or priority > self.reached:
                self.reached = priority
            if type(event) is Call:
                heappop(self._queue)
                self.now = time
                event.callbacks(event)
                return
        super().step()


Clock.now = vars(Clock)["_now"]


def cancelled(_: Any) -> None:
    """What a cancelled `Call` calls: it happens, and nothing comes of it."""


class Call:
    """Calls `function(call)` after `delay` nanoseconds; `load` rides along.

    In SimPy's queue, and lighter than its events, since there is one for every crossing of
    a packet; nobody can wait for it.
    """

    __slots__ = ("callbacks", "load")

    def __init__(
        self,
        env: Clock,
        delay: int,
        rank: int,
        function: Callable[[Any], None],
        load: Any = None,
        key: int = 0,
    ) -> None:
        self.callbacks = function  # SimPy's events have a list of them
        self.load = load
        # As `env.schedule` does.
        priority = rank << KEY_BITS | key
        heappush(env._queue, (env._now + delay, priority, next(env._eid), self))

    def cancel(self) -> None:
        """It will not happen."""
        self.callbacks = cancelled


class Timer:
    """One timer that calls `function` and can be set to another time before."""

    def __init__(self, env: Clock, function: Callable[[], None]) -> None:
        self.env = env
        self._function = function
        self._call: Call | None = None
        self.at: int | None = None

    def set(self, at: int | None) -> None:
        """Ring at this time in nanoseconds, or now if that is past; None changes nothing."""
        if at is None or at == self.at:
            return
        if self._call is not None:
            self._call.cancel()
        self.at = at
        self._call = Call(self.env, max(0, at - self.env.now), WAKE_UP, self._ring)

    def stop(self) -> None:
        """Do not ring."""
        if self._call is not None:
            self._call.cancel()
        self.at = self._call = None

    def _ring(self, _: Call) -> None:
        self.at = self._call = None
        self._function()
