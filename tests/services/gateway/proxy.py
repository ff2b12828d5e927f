"""A proxy around a dispatcher, as a live one would be, with a clock that is no clock.

It has what an asyncio loop would give: calls at a time, in order; connections that answer later
and can be closed; one timer. There is neither simulator nor real time in it.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from hasim.events import SendReport
from hasim.model import Cause
from hasim.services.gateway.dispatcher import Dispatcher, Effects
from hasim.services.gateway.effects import Cancel, Send, Settle

Backend = Callable[[Send], tuple[int, Cause] | None]
"""When a request will be answered (nanoseconds from now), and how; None: never."""


class Loop:
    """Calls functions at their times; those of one time in the order in which they were asked."""

    def __init__(self) -> None:
        self.now = 0
        self._calls: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def call_at(self, time_ns: int, function: Callable[[], None]) -> None:
        """Call it then."""
        heapq.heappush(self._calls, (time_ns, next(self._order), function))

    def run(self) -> None:
        """Until nothing is left to do."""
        while self._calls:
            self.now, _, function = heapq.heappop(self._calls)
            function()


class Proxy:
    """Forwards requests to masters by what its dispatcher says."""

    def __init__(self, loop: Loop, dispatcher: Dispatcher, backend: Backend) -> None:
        self.loop = loop
        self.dispatcher = dispatcher
        self.settled: dict[int, tuple[int, Settle]] = {}
        self.reports: list[SendReport] = []
        self.closed: list[Cancel] = []
        self.sent: list[tuple[int, Send]] = []
        self._backend = backend
        self._timer_ns: int | None = None

    def request(self, number: int, partition: str | None = None, **more: Any) -> None:
        """A client's request has come in."""
        self._perform(self.dispatcher.arrived(self.loop.now, number, partition, **more))

    def rerouted(self) -> None:
        """Its gateway service has applied another routing table."""
        self._perform(self.dispatcher.rerouted(self.loop.now))

    def _perform(self, effects: Effects) -> None:
        now = self.loop.now
        for effect in effects:
            if isinstance(effect, Send):
                self.sent.append((now, effect))
                self._connect(effect)
            elif isinstance(effect, Cancel):
                self.closed.append(effect)
            elif isinstance(effect, Settle):
                assert effect.message not in self.settled, "it was settled before"
                self.settled[effect.message] = now, effect
            elif isinstance(effect, SendReport):
                self.reports.append(effect)
        self._set_timer()

    def _connect(self, send: Send) -> None:
        found = self._backend(send)
        if found is not None:
            after_ns, cause = found
            self.loop.call_at(self.loop.now + after_ns, lambda: self._answer(send, cause))

    def _answer(self, send: Send, cause: Cause) -> None:
        self._perform(self.dispatcher.answered(self.loop.now, send.attempt, cause))

    def _set_timer(self) -> None:
        """One timer; one that rings too early does no harm."""
        wakeup = self.dispatcher.next_wakeup()
        if wakeup is not None and (self._timer_ns is None or wakeup.time_ns < self._timer_ns):
            self._timer_ns = wakeup.time_ns
            self.loop.call_at(wakeup.time_ns, self._ring)

    def _ring(self) -> None:
        self._timer_ns = None
        # What else comes at this instant comes before wake-ups, as in the control plane.
        self.loop.call_at(self.loop.now, self._wake)

    def _wake(self) -> None:
        while (wakeup := self.dispatcher.next_wakeup()) and wakeup.time_ns <= self.loop.now:
            self._perform(self.dispatcher.woken(self.loop.now))
        self._set_timer()
