"""What gateways report of the masters, merged in the control plane."""

from __future__ import annotations

from typing import Any

from hasim.events import GatewayReport, MasterTraffic
from hasim.services.frozen import freeze, thaw
from hasim.services.overtaking import Latest

Row = dict[str, int]
"""Of one master: attempts `sent`, `answered`, `failed`, `in_flight`, and `latency_ns`."""


def empty_row() -> Row:
    """Of a master that has had nothing to do."""
    return {"sent": 0, "answered": 0, "failed": 0, "in_flight": 0, "latency_ns": 0}


class Merging:
    """The last that each gateway said of each master.

    Counts begin anew with each incarnation of a gateway; see `hasim.services.overtaking`.
    """

    def __init__(self) -> None:
        self._gateways: dict[str, dict[str, MasterTraffic]] = {}
        self._latest = Latest()

    def restarted(self, gateway: str, incarnation: int) -> None:
        """A gateway is this incarnation by now; nothing if it is known, or older."""
        if self._latest.begins(gateway, incarnation):
            self._gateways[gateway] = {}

    def take(self, report: GatewayReport) -> None:
        """A report has come: it is news of masters that no later one was about."""
        self.restarted(report.gateway, report.incarnation)
        told = self._latest.told_by(report)
        if told:
            reported = self._gateways.setdefault(report.gateway, {})
            for traffic in told:
                reported[traffic.master] = traffic

    def add_to(self, metrics: dict[str, Row]) -> None:
        """Add the sums over the gateways to the rows of the masters; of latencies, the greatest."""
        for reported in self._gateways.values():
            for master, traffic in reported.items():
                row = metrics[master]
                row["sent"] += traffic.answered + traffic.failed + traffic.in_flight
                row["answered"] += traffic.answered
                row["failed"] += traffic.failed
                row["in_flight"] += traffic.in_flight
                row["latency_ns"] = max(row["latency_ns"], traffic.latency_ns)

    def freeze(self) -> dict[str, Any]:
        """The state as plain data."""
        return {
            "gateways": freeze(self._gateways),
            "latest": freeze(self._latest),
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self._gateways = thaw(dict[str, dict[str, MasterTraffic]], data["gateways"])
        self._latest = thaw(Latest, data["latest"])
