"""A gateway whose messages are counted in the arrays of the compiled data plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hasim.simulation.clock import Call
from hasim.simulation.gateway import SimGateway

if TYPE_CHECKING:
    from hasim.simulation.compiled.plane import CompiledPlane


class CompiledGateway(SimGateway):
    """Its balancer reports what the arrays have counted."""

    _plane: CompiledPlane
    _number: int

    def attach(self, plane: CompiledPlane, number: int) -> None:
        """Tell it where its counts are."""
        self._plane, self._number = plane, number

    def _wake(self, event: Call) -> None:
        self._plane.before_report(self._number)
        super()._wake(event)
        self._plane.after_report(self._number, armed=self.armed)
