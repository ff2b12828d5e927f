"""What gateways report as in flight is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hasim.events import GatewayReport
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.truth import MessageRecord


def _find(case: Case) -> Iterator[Found]:
    asked = case.journal.header.get("requests")
    messages = case.facts.records.of(MessageRecord)
    if asked is None or not messages:
        return
    changes: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for _, message in messages:
        end_ns = message.ended_ns or case.horizon_ns
        changes[message.gateway] += [(message.arrived_ns, 1), (end_ns, -1)]
    most: dict[str, int] = {}
    for gateway, steps in changes.items():
        now = peak = 0
        for _, change in sorted(steps, key=lambda step: (step[0], -step[1])):
            now += change
            peak = max(peak, now)
        most[gateway] = peak * (2 if asked["hedged"] else 1)
    for t_ns, report in case.facts.records.of(GatewayReport):
        for row in report.masters:
            allowed = most.get(report.gateway, 0)
            if not 0 <= row.in_flight <= allowed:
                text = f"{report.gateway} reports {row.in_flight} in flight, {allowed} at most were"
                yield Found(t_ns, row.master, text)


IN_FLIGHT_IS = Invariant(
    "in-flight-is-real",
    "No gateway reports more attempts in flight at a master than it had messages under way at "
    "once (looked at where single messages are kept).",
    "A leak: the master looks busier and busier, and gets less and less.",
    _find,
)
