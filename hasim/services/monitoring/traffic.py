"""Message counts and latency from the gateways' cumulative reports."""

from __future__ import annotations

from collections import deque
from typing import Any

from hasim.events import GatewayReport, MasterTraffic
from hasim.services.frozen import freeze, thaw
from hasim.services.overtaking import Latest
from hasim.units import SECOND, seconds

RATE_WINDOW_NS = 60 * SECOND
"""Rates are averages over about this long."""
_SAMPLE_NS = SECOND


class TrafficBook:
    """The newest counters of every gateway about every master.

    A report that was lost or overtaken takes nothing away (`hasim.services.overtaking`). A gateway
    that has restarted counts from 0: what it had counted before is kept.
    """

    def __init__(self) -> None:
        self._latest = Latest()
        self._kept = (0, 0)
        """Answered and failed attempts of earlier incarnations."""
        self._rows: dict[str, dict[str, MasterTraffic]] = {}
        self._answered = 0
        self._failed = 0
        self._samples: deque[tuple[int, int, int]] = deque()
        """(time, answered, failed) about once a second, a little longer than the window."""

    def open(self, now: int) -> None:
        """Rates are measured from here on."""
        self._samples.clear()
        self._samples.append((now, self._answered, self._failed))

    def track(self, now: int, report: GatewayReport) -> None:
        """Take over what a report tells of masters that no later one of its gateway was about."""
        if self._latest.begins(report.gateway, report.incarnation):
            self._begin(report.gateway)
        rows = self._rows.setdefault(report.gateway, {})
        for row in self._latest.told_by(report):
            old = rows.get(row.master)
            self._answered += row.answered - (old.answered if old else 0)
            self._failed += row.failed - (old.failed if old else 0)
            rows[row.master] = row
        self._sample(now)

    def _begin(self, gateway: str) -> None:
        answered, failed = self._kept
        for row in self._rows.pop(gateway, {}).values():
            answered, failed = answered + row.answered, failed + row.failed
        self._kept = answered, failed

    def totals(self) -> dict[str, int]:
        """Attempts `answered` and `failed` since the gateways' start, and those `in_flight`."""
        in_flight = sum(row.in_flight for rows in self._rows.values() for row in rows.values())
        return {"answered": self._answered, "failed": self._failed, "in_flight": in_flight}

    def of_master(self, master: str) -> dict[str, Any]:
        """The gateways' counters of one master, added up.

        `latency_s` is the mean of the gateways' moving averages, weighted by
        their answered attempts; None before the first answer.
        """
        rows = [rows[master] for rows in self._rows.values() if master in rows]
        answered = sum(row.answered for row in rows)
        weighted = sum(row.answered * row.latency_ns for row in rows)
        return {
            "answered": answered,
            "failed": sum(row.failed for row in rows),
            "in_flight": sum(row.in_flight for row in rows),
            "latency_s": weighted / answered / SECOND if answered else None,
        }

    def rates(self, now: int) -> dict[str, float]:
        """Answered and failed attempts per second over about the last `RATE_WINDOW_NS`."""
        first = self._samples[0] if self._samples else None
        for sample in self._samples:
            if sample[0] > now - RATE_WINDOW_NS:
                break
            first = sample
        if first is None or now <= first[0]:
            return {"answered_per_s": 0.0, "failed_per_s": 0.0}
        elapsed_s = seconds(now - first[0])
        return {
            "answered_per_s": (self._answered - first[1]) / elapsed_s,
            "failed_per_s": (self._failed - first[2]) / elapsed_s,
        }

    def _sample(self, now: int) -> None:
        if not self._samples or now - self._samples[-1][0] >= _SAMPLE_NS:
            self._samples.append((now, self._answered, self._failed))
        # One sample older than the window stays, so that the window is covered.
        while len(self._samples) > 1 and self._samples[1][0] <= now - RATE_WINDOW_NS:
            self._samples.popleft()

    def freeze(self) -> dict[str, Any]:
        """Plain data that `thaw` reads."""
        return {
            "latest": freeze(self._latest),
            "kept": freeze(self._kept),
            "rows": freeze(self._rows),
            "samples": freeze(self._samples),
        }

    def thaw(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self._latest = thaw(Latest, data["latest"])
        self._rows = thaw(dict[str, dict[str, MasterTraffic]], data["rows"])
        every = [row for rows in self._rows.values() for row in rows.values()]
        self._kept = thaw(tuple[int, int], data["kept"])
        self._answered = self._kept[0] + sum(row.answered for row in every)
        self._failed = self._kept[1] + sum(row.failed for row in every)
        self._samples = thaw(deque[tuple[int, int, int]], data["samples"])
