"""A master whose queue and workers are in the arrays of the compiled data plane."""

from __future__ import annotations

from typing import Protocol

from hasim.model import Cause
from hasim.simulation.clients.compiled.layout import Memory
from hasim.simulation.clients.compiled.waits import CompiledWaits
from hasim.simulation.masters.job import Job
from hasim.simulation.masters.master import SimMaster, Work


class Workshop(Protocol):
    """Where the work of all masters is, by the number of the master: the data plane."""

    def accept_probe(self, master: int, probe: Job) -> None:
        """A deep probe takes its turn among the messages."""
        ...

    def work(self, master: int) -> Work:
        """What a master has done up to now."""
        ...

    def lose(self, master: int, cause: Cause | None) -> None:
        """All work of a master is lost."""
        ...

    def change_rate(self, master: int, speed: float, disk: bool) -> None:
        """A master works at another speed from now on; `disk`: not on what writes.

        At the same: writes wait for their copies longer than they did, or not as long.
        """
        ...


class CompiledMaster(SimMaster):
    """Condition and roles are here, as control code reads and changes them; work is not."""

    _plane: Workshop
    _number: int

    def attach(self, plane: Workshop, number: int, memory: Memory) -> None:
        """Tell it where its work is."""
        self._plane, self._number = plane, number
        self.waits = CompiledWaits(memory, number)

    def accept(self, job: Job) -> None:
        """A deep probe arrives: messages arrive in the arrays."""
        self._plane.accept_probe(self._number, job)

    def work(self) -> Work:
        """What it has done up to now: the arrays know."""
        return self._plane.work(self._number)

    def _lose_everything(self, cause: Cause | None) -> None:
        self._plane.lose(self._number, cause)
        self.overloaded = False

    def _set_speed(self, speed: float, *, disk: bool) -> None:
        if (speed, disk) != (self._own_speed, self._disk):
            self._own_speed, self._disk = speed, disk
            self._plane.change_rate(self._number, speed, disk)

    def _wait_anew(self) -> None:
        self._plane.change_rate(self._number, self._own_speed, self._disk)
