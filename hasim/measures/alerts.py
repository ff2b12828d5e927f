"""Alerts as the monitor raised them."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.events import AlertChanged
from hasim.measures.facts import Facts
from hasim.model import Severity
from hasim.units import seconds

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert: its worst severity, the text it was raised with, and its times.

    `resolved_at_s` is None if it was open at the end of the run.
    """

    alert: int
    subject: str
    severity: str
    raised_at_s: float
    resolved_at_s: float | None
    text: str


def alerts_of(facts: Facts) -> list[Alert]:
    """Every alert, by number."""
    by_number: dict[int, list[tuple[int, AlertChanged]]] = {}
    for t_ns, change in facts.records.of(AlertChanged):
        by_number.setdefault(change.alert, []).append((t_ns, change))
    return [_alert(number, changes) for number, changes in sorted(by_number.items())]


def _alert(number: int, changes: list[tuple[int, AlertChanged]]) -> Alert:
    raised_ns, first = changes[0]
    open_severities = [c.severity for _, c in changes if c.severity is not Severity.RESOLVED]
    last_ns, last = changes[-1]
    return Alert(
        alert=number,
        subject=first.subject,
        severity=str(max(open_severities, key=_RANK.__getitem__, default=first.severity)),
        raised_at_s=seconds(raised_ns),
        resolved_at_s=seconds(last_ns) if last.severity is Severity.RESOLVED else None,
        text=first.text,
    )
