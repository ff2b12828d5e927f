"""A world that stops wherever somebody wants it to, and goes on from there."""

from __future__ import annotations

import threading
from typing import Any

from hasim.simulation.clock import FIRST, Call
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import begin
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.faults import AnyFault
from hasim.simulation.world import World


class _Closed(BaseException):
    """Nobody wants to see the rest."""


class Paced:
    """One replication, run up to one moment after the other.

    A data plane runs a world to its end in one go. So the world runs in a thread of its own, and
    waits there while it is looked at: never do both at once. Stops change nothing: the journal is
    that of a run without any, but for faults that were injected.
    """

    def __init__(
        self, settings: WorldSettings, recorded: Recorded, *, seed: int, replication: int
    ) -> None:
        self.world = World(settings, recorded, seed=seed, replication=replication)
        self.horizon_ns = settings.horizon_ns
        self._go, self._reached = threading.Semaphore(0), threading.Semaphore(0)
        self._until_ns, self._closed = 0, False
        self._error: BaseException | None = None
        self.over = False
        """Whether the horizon was reached."""
        self._thread = threading.Thread(target=self._run, name="world", daemon=True)
        self._thread.start()
        self._wait()

    @property
    def now_ns(self) -> int:
        """The present of the world."""
        return self.world.env.now

    def advance(self, to_ns: int) -> None:
        """Run the world up to (and without) a moment; to its end, if that lies beyond it.

        What the world raises is raised here.
        """
        if self.over or to_ns <= self.now_ns:
            return
        self._until_ns = to_ns
        self._go.release()
        self._wait()

    def inject(self, fault: AnyFault) -> tuple[str, ...]:
        """A fault strikes now, whatever its schedule says; the names of whom."""
        return () if self.over else self.world.injector.inject(fault)

    def close(self) -> None:
        """Let go of the world; it does not go on."""
        self._closed = True
        self._go.release()
        self._thread.join()

    def _wait(self) -> None:
        self._reached.acquire()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            begin(self.world)
            Call(self.world.env, 0, FIRST, self._stop)
            self.world.messages.run(self.horizon_ns)
            self.world.settle()
        except _Closed:
            return
        except BaseException as error:
            self._error = error
        self.over = True
        self._reached.release()

    def _stop(self, _: Any) -> None:
        self._reached.release()
        self._go.acquire()
        if self._closed:
            raise _Closed
        if self._until_ns < self.horizon_ns:
            Call(self.world.env, self._until_ns - self.now_ns, FIRST, self._stop)
