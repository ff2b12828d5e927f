"""A cold master: slower for a while after its return, until its caches are filled."""

from __future__ import annotations

from collections.abc import Callable

from hasim.simulation.clock import FAULT, Call, Clock
from hasim.simulation.settings.masters import ColdSettings

STEPS = 10
"""The way back to full speed is a staircase of so many steps."""


class Cold:
    """By what factor a master is slower since it came back.

    Service takes `factor` times as long at first, and less and less, linearly, until `for` is
    over: in steps, each at its middle.
    """

    def __init__(self, env: Clock, settings: ColdSettings | None) -> None:
        self._env = env
        self._settings = settings
        self._step = STEPS
        self._next: Call | None = None
        self._changed: Callable[[], None] = lambda: None

    @property
    def speed(self) -> float:
        """The present speed, as a share of the full one."""
        if self._settings is None or self._step == STEPS:
            return 1.0
        left = 1.0 - (self._step + 0.5) / STEPS
        return 1.0 / (1.0 + (self._settings.factor - 1.0) * left)

    def begin(self, changed: Callable[[], None]) -> None:
        """The master is back; `changed` is called at each step from now on."""
        if self._settings is not None:
            self._step, self._changed = 0, changed
            self._wait()

    def forget(self) -> None:
        """It has died: nothing gets warmer."""
        if self._next is not None:
            self._next.cancel()
        self._step, self._next = STEPS, None

    def _wait(self) -> None:
        assert self._settings is not None
        self._next = Call(self._env, self._settings.for_ns // STEPS, FAULT, self._climb)

    def _climb(self, _: Call) -> None:
        self._step, self._next = self._step + 1, None
        if self._step < STEPS:
            self._wait()
        self._changed()
