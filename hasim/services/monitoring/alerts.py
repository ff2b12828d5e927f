"""The state machine of alerts: one open alert per subject, resolved only after a quiet hold.

An alert is *firing* while its condition holds and *held* once the condition
is clear; a held alert whose condition comes back fires again without a new
alert, so a flapping condition is one alert (as Prometheus ``keep_firing_for``).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import Any

from hasim.events import AlertChanged
from hasim.model import Severity
from hasim.services.frozen import freeze, thaw


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An open alert; `clear_since_ns` is None while its condition holds."""

    alert: int
    subject: str
    severity: Severity
    text: str
    raised_ns: int
    clear_since_ns: int | None = None


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One line of the history: what changed about alert number `alert` at `t_ns`."""

    t_ns: int
    alert: int
    subject: str
    severity: Severity
    text: str


class AlertBook:
    """Open alerts and the append-only history of their changes.

    `hold_ns` is how long (nanoseconds) a condition must be clear before its
    alert is resolved.
    """

    def __init__(self, hold_ns: int) -> None:
        self._hold_ns = hold_ns
        self._open: dict[str, ActiveAlert] = {}
        self._history: list[AlertRecord] = []
        self._raised = 0
        # Since when alerts are held, as (time, alert, subject); what is no longer true stays
        # until it comes to the top.
        self._held: list[tuple[int, int, str]] = []

    def fire(self, now: int, subject: str, severity: Severity, text: str) -> list[AlertChanged]:
        """The condition of `subject` holds; an event only for a new alert or a rising severity."""
        known = self._open.get(subject)
        if known is None:
            self._raised += 1
            return self._record(now, ActiveAlert(self._raised, subject, severity, text, now))
        if severity is Severity.CRITICAL and known.severity is Severity.WARNING:
            worse = replace(known, severity=severity, text=text, clear_since_ns=None)
            return self._record(now, worse)
        self._open[subject] = replace(known, clear_since_ns=None)
        return []

    def clear(self, now: int, subject: str) -> list[AlertChanged]:
        """The condition of `subject` is gone; resolved at once only if nothing is to be held."""
        known = self._open.get(subject)
        if known is not None and known.clear_since_ns is None:
            self._open[subject] = replace(known, clear_since_ns=now)
            heapq.heappush(self._held, (now, known.alert, subject))
        return self.resolve_due(now) if self._hold_ns == 0 else []

    def resolve_due(self, until: int, *, at: int | None = None) -> list[AlertChanged]:
        """Resolve every alert whose hold ended by `until`, recorded at `at` (default `until`)."""
        out: list[AlertChanged] = []
        while (end_ns := self.next_due()) is not None and end_ns <= until:
            known = self._open[heapq.heappop(self._held)[2]]
            resolved = replace(known, severity=Severity.RESOLVED)
            out += self._record(until if at is None else at, resolved)
        return out

    def next_due(self) -> int | None:
        """When the earliest hold ends, or None."""
        while self._held:
            since_ns, alert, subject = self._held[0]
            known = self._open.get(subject)
            if known is not None and (known.alert, known.clear_since_ns) == (alert, since_ns):
                return since_ns + self._hold_ns
            heapq.heappop(self._held)
        return None

    def firing(self, subject: str) -> Severity | None:
        """How severe the open alert of `subject` is; None if there is none, or it is held."""
        known = self._open.get(subject)
        return None if known is None or known.clear_since_ns is not None else known.severity

    def active(self) -> tuple[ActiveAlert, ...]:
        """The open alerts, oldest first."""
        return tuple(sorted(self._open.values(), key=lambda a: a.alert))

    def history(self) -> tuple[AlertRecord, ...]:
        """Every change of every alert, in order."""
        return tuple(self._history)

    def _record(self, now: int, alert: ActiveAlert) -> list[AlertChanged]:
        if alert.severity is Severity.RESOLVED:
            del self._open[alert.subject]
        else:
            self._open[alert.subject] = alert
        self._history.append(
            AlertRecord(now, alert.alert, alert.subject, alert.severity, alert.text)
        )
        return [AlertChanged(alert.alert, alert.subject, alert.severity, alert.text)]

    def freeze(self) -> dict[str, Any]:
        """Plain data that `thaw` reads."""
        return {
            "raised": self._raised,
            "open": freeze(self._open),
            "history": freeze(self._history),
        }

    def thaw(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self._raised = data["raised"]
        self._open = thaw(dict[str, ActiveAlert], data["open"])
        self._history = thaw(list[AlertRecord], data["history"])
        self._held = [
            (known.clear_since_ns, known.alert, subject)
            for subject, known in self._open.items()
            if known.clear_since_ns is not None
        ]
        heapq.heapify(self._held)
