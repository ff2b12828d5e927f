"""Routing tables: versions, and sending them until every gateway has acknowledged."""

from __future__ import annotations

import dataclasses
from typing import Any

from hasim.events import Output, PublishRouting, RoutingAck, RoutingConverged
from hasim.model import Ownership, RoutingTable
from hasim.services.frozen import freeze, thaw


class RoutingPublisher:
    """Keeps the present routing table and brings it to every gateway.

    A table is sent at once when it changes and again every `resend_ns` to the
    gateways that have not acknowledged it, since packets get lost.
    """

    def __init__(self, table: RoutingTable, gateways: tuple[str, ...], resend_ns: int) -> None:
        self.table = table
        self._resend_ns = resend_ns
        self._acknowledged = dict.fromkeys(gateways, table.version)
        self._resend_at: int | None = None

    def change(
        self,
        now: int,
        *,
        eligible: tuple[str, ...] | None = None,
        owners: tuple[Ownership, ...] | None = None,
        algorithm: str | None = None,
        draining: tuple[str, ...] | None = None,
        away: tuple[str, ...] | None = None,
    ) -> list[Output]:
        """Publish a new version if anything differs; None leaves a part as it is."""
        old = self.table
        new = RoutingTable(
            old.version,
            old.eligible if eligible is None else eligible,
            old.owners if owners is None else owners,
            old.algorithm if algorithm is None else algorithm,
            old.draining if draining is None else draining,
            old.away if away is None else away,
        )
        if new == old:
            return []
        self.table = dataclasses.replace(new, version=old.version + 1)
        return self._send(now)

    def acknowledged(self, ack: RoutingAck) -> list[Output]:
        """A gateway uses a version; an event tells when all use the newest."""
        if ack.version <= self._acknowledged[ack.gateway]:
            return []
        self._acknowledged[ack.gateway] = ack.version
        if self._pending():
            return []
        self._resend_at = None
        return [RoutingConverged(self.table.version)]

    def on_wakeup(self, now: int) -> list[Output]:
        """Send again to whoever has not acknowledged."""
        if self._resend_at is None or now < self._resend_at:
            return []
        return self._send(now)

    def next_wakeup(self) -> int | None:
        """When to send again (nanoseconds)."""
        return self._resend_at

    def freeze(self) -> dict[str, Any]:
        """The state as plain data."""
        return {
            "table": freeze(self.table),
            "acknowledged": freeze(self._acknowledged),
            "resend_at": self._resend_at,
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self.table = thaw(RoutingTable, data["table"])
        self._acknowledged = thaw(dict[str, int], data["acknowledged"])
        self._resend_at = data["resend_at"]

    def _pending(self) -> list[str]:
        return [g for g, version in self._acknowledged.items() if version < self.table.version]

    def _send(self, now: int) -> list[Output]:
        self._resend_at = now + self._resend_ns
        return [PublishRouting(gateway, self.table) for gateway in self._pending()]
