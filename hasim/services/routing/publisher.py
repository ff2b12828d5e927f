"""Routing tables: versions, and sending them until every gateway has acknowledged."""

from __future__ import annotations

import dataclasses
from typing import Any

from hasim.events import (
    GatewayHello,
    GatewayReport,
    InputRefused,
    Output,
    PublishRouting,
    RoutingAck,
    RoutingConverged,
)
from hasim.model import RoutingTable
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
        self._incarnations = dict.fromkeys(gateways, 1)
        self._behind = 0
        self._resend_at: int | None = None

    def change(self, now: int, table: RoutingTable) -> list[Output]:
        """Publish a table, whatever its version, as the next one, unless it says nothing new."""
        old = self.table
        if dataclasses.replace(table, version=old.version) == old:
            return []
        self.table = dataclasses.replace(table, version=old.version + 1)
        return self._send(now)

    def accede(self, now: int, table: RoutingTable) -> list[Output]:
        """Publish a table to every gateway, whatever they have acknowledged: a term begins."""
        self.table = table
        self._acknowledged = dict.fromkeys(self._acknowledged, 0)
        return self._send(now)

    def greeted(self, now: int, hello: GatewayHello) -> list[Output]:
        """A gateway says that it has started: it is sent the table."""
        known = self._incarnations[hello.gateway]
        if hello.incarnation < known:
            return [_refused(hello, f"late: of incarnation {hello.incarnation}")]
        return self._began(now, hello.gateway, hello.incarnation)

    def heard(self, now: int, report: GatewayReport) -> list[Output]:
        """A report of an incarnation whose hello got lost says the same."""
        known = self._incarnations.get(report.gateway, report.incarnation)
        if report.incarnation <= known:
            return []
        return self._began(now, report.gateway, report.incarnation)

    def _began(self, now: int, gateway: str, incarnation: int) -> list[Output]:
        """Whatever it had acknowledged before, it knows nothing of it."""
        self._incarnations[gateway] = incarnation
        self._acknowledged[gateway] = 0
        self._behind = len(self._pending())
        if self._resend_at is None:
            self._resend_at = now + self._resend_ns
        return [PublishRouting(gateway, self.table)]

    def acknowledged(self, ack: RoutingAck) -> list[Output]:
        """A gateway uses a version; an event tells when all use the newest.

        What it acknowledged before it restarted, or what was never published, is refused.
        """
        if ack.incarnation != self._incarnations[ack.gateway]:
            return [_refused(ack, f"late: of incarnation {ack.incarnation}")]
        if ack.term != self.table.term:
            return [
                _refused(ack, f"foreign: of term {ack.term}, the table is of {self.table.term}")
            ]
        if ack.version > self.table.version:
            newest = self.table.version
            return [_refused(ack, f"foreign: there was no version {ack.version}, {newest} is last")]
        before = self._acknowledged[ack.gateway]
        if ack.version <= before:
            return [_refused(ack, f"doubled or late: it has acknowledged version {before}")]
        self._acknowledged[ack.gateway] = ack.version
        if before < self.table.version <= ack.version:
            self._behind -= 1
        if self._behind:
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
            "incarnations": freeze(self._incarnations),
            "resend_at": self._resend_at,
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self.table = thaw(RoutingTable, data["table"])
        self._acknowledged = thaw(dict[str, int], data["acknowledged"])
        self._incarnations = thaw(dict[str, int], data["incarnations"])
        self._behind = len(self._pending())
        self._resend_at = data["resend_at"]

    def _pending(self) -> list[str]:
        return [g for g, version in self._acknowledged.items() if version < self.table.version]

    def _send(self, now: int) -> list[Output]:
        self._resend_at = now + self._resend_ns
        pending = self._pending()
        self._behind = len(pending)
        return [PublishRouting(gateway, self.table) for gateway in pending]


def _refused(item: RoutingAck | GatewayHello, why: str) -> InputRefused:
    return InputRefused(type(item).__name__, item.gateway, why)
