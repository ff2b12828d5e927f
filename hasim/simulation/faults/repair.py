"""Repair crews: who mends what is broken, and how many at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from hasim.simulation.clock import FAULT, Call, Clock

Cured = Callable[[], None]


class Crews:
    """So many repairs at once, first come first served; 0: as many as there are faults.

    The machine repair model: a fault that finds every crew busy waits, and its own duration
    begins when a crew turns to it (Feller, An Introduction to Probability Theory and Its
    Applications 1, 1968, XVII.5; repairmen).
    """

    def __init__(self, env: Clock, number: int) -> None:
        self._env = env
        self._number = number
        self._busy = 0
        self._waiting: deque[tuple[int, Cured]] = deque()

    def mend(self, duration_ns: int, cured: Cured) -> None:
        """Call `cured` when a crew has worked for `duration_ns`."""
        if self._number and self._busy == self._number:
            self._waiting.append((duration_ns, cured))
            return
        self._busy += 1
        Call(self._env, duration_ns, FAULT, lambda _: self._done(cured))

    def _done(self, cured: Cured) -> None:
        cured()
        self._busy -= 1
        if self._waiting:
            self.mend(*self._waiting.popleft())
