"""A gateway whose messages are counted in the arrays of the compiled data plane."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hasim.services.balancing.fleet import Fleet
from hasim.simulation.clients.compiled.fleet import (
    COLUMNS,
    COUNTS,
    address_of,
    address_table,
    settings_record,
)
from hasim.simulation.clients.compiled.guarding import Shared, compiled, share
from hasim.simulation.clients.compiled.ledger import Ledger
from hasim.simulation.clients.gateway import SimGateway


class CompiledGateway(SimGateway):
    """Its balancer reports what the arrays have counted."""

    _ledger: Ledger
    _number: int
    _settings: NDArray[Any]
    _table: NDArray[np.int64]
    _addresses: tuple[int, int] = (0, 0)
    _addressed: Fleet | None = None
    _guards: Shared | None = None

    def attach(self, ledger: Ledger, number: int) -> None:
        """Tell it where its counts are."""
        self._ledger, self._number = ledger, number

    def share_fleet(self, eligible: NDArray[np.int64], in_flight: NDArray[np.int64]) -> None:
        """Move the balancer's columns into arrays; two of them are the kernel's own."""

        def array(column: str, items: list[Any]) -> Any:
            shared = {"eligible": eligible, "in_flight": in_flight}.get(column)
            if shared is None:
                return np.array(items, dtype=COLUMNS[column])
            shared[:] = items
            return shared

        self.balancer.choice.share_fleet(array)
        self._settings = settings_record(self.balancer.settings)
        if self.balancer.choice.protection.rules.any:
            self._guards = share(self.balancer.settings, len(in_flight))
            self.balancer.choice.share_protection(self._guards.protection)

    def fleet_addresses(self) -> tuple[int, int]:
        """Where compiled code finds the balancer's fleet as it is now, and its column `counts`."""
        fleet, before = self.balancer.choice.fleet, self._addressed
        if fleet is before:
            return self._addresses
        if before is None:
            self._table = address_table(fleet, self._settings)
        else:  # most columns are those that it had
            columns: Sequence[Sized] = fleet[:-1]
            for place, (column, had) in enumerate(zip(columns, before[:-1], strict=True)):
                if column is not had:
                    self._table[2 * place : 2 * place + 2] = address_of(column), len(column)
        self._addressed = fleet
        self._addresses = self._table.ctypes.data, int(self._table[COUNTS])
        return self._addresses

    def guard_addresses(self) -> tuple[int, int, int]:
        """Where compiled code finds the guards' functions and data; zeros if there are none."""
        if self._guards is None:
            return 0, 0, 0
        return (*compiled(), self._guards.table.ctypes.data)

    def start(self) -> None:
        """As any gateway's; what it has counted is brought to its books before, and forgotten."""
        self._ledger.before_start(self._number)
        super().start()
        if not self.down:
            self._ledger.after_start(self._number)

    def _wake(self) -> None:
        self._ledger.before_report(self._number)
        super()._wake()
        self._ledger.after_report(self._number, armed=self.armed)
