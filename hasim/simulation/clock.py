"""SimPy's clock in integer nanoseconds, and the order of what happens at one instant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simpy.core import Environment
from simpy.events import Event

# At one instant, in this order. SimPy's own priorities (0 and 1) come first:
# they only pass on what has happened.
FAULT = 10
COMPLETION = 20
TIMEOUT = 30
INPUT = 40
WAKE_UP = 50
ARRIVAL = 60


class Call(Event):
    """An event that calls `function(event)` after `delay` nanoseconds; `value` rides along."""

    def __init__(
        self,
        env: Environment,
        delay: int,
        rank: int,
        function: Callable[[Any], None],
        value: Any = None,
    ) -> None:
        self.env = env
        self.callbacks = [function]
        self._value = value
        self._ok = True
        self._defused = False
        env.schedule(self, rank, delay)  # type: ignore[arg-type]  # any int ranks
