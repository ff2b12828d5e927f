"""Which faults paged somebody, and which pages had no fault.

A page is an alert that became critical. It belongs to the latest fault that had begun and whose
trace was still there: the fault itself, the downtime of its incident, and what alerts may lag
behind either, which is the window of detection or, of a burn rate, its long window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hasim.events import AlertChanged
from hasim.measures.facts import Facts
from hasim.measures.incidents import Incident
from hasim.model import Severity
from hasim.units import nanoseconds, parse_duration, seconds

BURNING = "burn-rate:"
"""What the subject of an alert about a burn rate begins with; its long window follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """One fault: what it was, when it struck, and when it first paged somebody (None: never).

    `pages` counts the pages that belong to it. `masters` are those struck, comma-separated; empty
    if it struck gateways or control planes. Of a fault without cure, `cured_at_s` is None.
    """

    fault: int
    kind: str
    masters: str
    impairing: bool
    started_at_s: float
    cured_at_s: float | None
    paged_at_s: float | None
    pages: int


def faults_of(facts: Facts, incidents: Sequence[Incident]) -> list[FaultRow]:
    """Every fault, by start, then number, and the pages that it brought."""
    grouped: dict[tuple[int, int], list[str]] = {}
    spans = {}
    for one in facts.faults:
        key = one.span.start_ns, one.fault
        grouped.setdefault(key, []).append(one.master)
        spans[key] = one
    gone_ns = {
        key: _gone_ns(facts, key, spans[key].span.end_ns, grouped[key], incidents) for key in spans
    }
    pages: dict[tuple[int, int], list[int]] = {key: [] for key in spans}
    for t_ns, reach_ns in pages_of(facts):
        causes = [key for key in spans if key[0] <= t_ns <= gone_ns[key] + reach_ns]
        if causes:
            pages[max(causes)].append(t_ns)
    return [
        FaultRow(
            fault=key[1],
            kind=spans[key].kind,
            masters=", ".join(filter(None, masters)),
            impairing=spans[key].impairing,
            started_at_s=seconds(key[0]),
            cured_at_s=seconds(spans[key].span.end_ns) if spans[key].cured else None,
            paged_at_s=seconds(min(pages[key])) if pages[key] else None,
            pages=len(pages[key]),
        )
        for key, masters in sorted(grouped.items())
    ]


def pages_of(facts: Facts) -> list[tuple[int, int]]:
    """When alerts became critical, and how far back their causes may lie (nanoseconds)."""
    found, critical = [], set()
    for t_ns, change in facts.records.of(AlertChanged):
        if change.severity is Severity.CRITICAL and change.alert not in critical:
            critical.add(change.alert)
            found.append((t_ns, _reach_ns(facts, change.subject)))
    return found


def _reach_ns(facts: Facts, subject: str) -> int:
    if subject.startswith(BURNING):
        return parse_duration(subject.removeprefix(BURNING))
    return facts.records.late_window_ns


def _gone_ns(
    facts: Facts,
    key: tuple[int, int],
    cured_ns: int,
    masters: Sequence[str],
    incidents: Sequence[Incident],
) -> int:
    """When nothing is left of a fault.

    It is cured, the outage that it began is over, and a master that was fenced for it has restarted
    and proven its health.
    """
    ends = [cured_ns]
    for incident in incidents:
        if incident.fault == key[1] and nanoseconds(incident.started_at_s) <= cured_ns:
            open_end = incident.outage_censored_s is not None
            ends.append(facts.horizon_ns if open_end else nanoseconds(incident.restored_at_s or 0))
    gone_ns = max(ends) + facts.records.late_window_ns
    for master in masters:
        for fenced in facts.fenced_of[master]:
            if key[0] <= fenced.span.start_ns <= gone_ns:
                ends.append(fenced.span.end_ns + facts.records.recovery_ns)
    return max(ends)
