"""The driver: runs the control plane under SimPy, owns its one timer, keeps the journal.

What any driver has to do: ARCHITECTURE.md, "A machine and its driver" and "Written before sent".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from hasim.events import Effect, Input, Output, WakeUp
from hasim.journal import EVENT_TYPES, Journal, Lane, Record, new_record
from hasim.services.control_plane import ControlPlane
from hasim.simulation.clock import Call, Clock, Timer

WOKEN = WakeUp()
"""There is nothing in one, so that one is enough."""


class Driver:
    """Feeds inputs, journals them with what comes out, performs effects, sets the timer.

    What performs the effects hands its answers to this driver, so it is built later: `perform`
    is set before the start.
    """

    perform: Callable[[Effect], None]

    def __init__(
        self, env: Clock, observer: str, control_plane: ControlPlane, journal: Journal
    ) -> None:
        self.env = env
        self.observer = observer
        self.control_plane = control_plane
        self._journal = journal
        self._timer = Timer(env, partial(self.feed, WOKEN))

    def start(self) -> None:
        """Start the control plane."""
        now = self.env.now
        self._take(now, self.control_plane.start(now))
        self._timer.set(self.control_plane.next_wakeup())

    def feed(self, item: Input) -> None:
        """Hand one input to the control plane, now."""
        now, control_plane = self.env.now, self.control_plane
        self._journal.records.append(new_record(Record, (now, "input", item, self.observer)))
        outputs = control_plane.step(now, item)
        if outputs:
            self._take(now, outputs)
        at = control_plane.next_wakeup()
        if at != self._timer.at:
            self._timer.set(at)

    def receive(self, call: Call) -> None:
        """The input that a call carries has arrived."""
        self.feed(call.load)

    def _take(self, now: int, outputs: list[Output]) -> None:
        append, observer = self._journal.records.append, self.observer
        for output in outputs:
            lane: Lane = "event" if type(output) in EVENT_TYPES else "effect"
            append(new_record(Record, (now, lane, output, observer)))
        for output in outputs:
            if type(output) not in EVENT_TYPES:
                # By type it is an effect, which the checker of types cannot follow.
                self.perform(cast(Effect, output))
