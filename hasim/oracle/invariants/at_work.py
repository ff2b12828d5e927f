"""No service fails."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import ServiceFailed
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant


def _find(case: Case) -> Iterator[Found]:
    for t_ns, failed in case.facts.records.of(ServiceFailed):
        yield Found(t_ns, failed.service, failed.error)


SERVICES_AT_WORK = Invariant(
    "services-at-work",
    "No service of a control plane raises an exception.",
    "A service stops in the middle of what it did; the others go on without it.",
    _find,
    "observer",
)
