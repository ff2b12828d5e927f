"""Quality of service of failure detection: the mistakes.

Chen, Toueg, Aguilera, "On the quality of service of failure detectors", IEEE
Transactions on Computers 51(5), 2002: mistake rate, mistake duration T_M,
mistake recurrence time T_MR, query accuracy probability P_A.
"""

from __future__ import annotations

from dataclasses import dataclass

from hasim.measures.declarations import Declaration
from hasim.measures.facts import Facts
from hasim.measures.spans import Span, length_ns
from hasim.units import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A healthy master that was declared as failed.

    `duration_s` (T_M) lasts until the declaration was taken back, or until the
    restart was over if the master was fenced for it; a real incident or the end
    of the run cuts it short (`censored_s`). `recurrence_s` (T_MR) is the time
    since the mistake before, on the same master. `fault_kind` names the fault
    that is no reason to declare a master but was active (or just cured).
    """

    master: str
    declared_at_s: float
    duration_s: float | None
    censored_s: float | None
    recurrence_s: float | None
    fenced: bool
    failover: int | None
    fault_kind: str
    reason: str


def mistakes_of(facts: Facts) -> list[Mistake]:
    """Every mistake of the run, by time."""
    found = []
    for one in facts.verdicts.values():
        previous_ns: int | None = None
        for declaration in one.declarations:
            if facts.is_mistake(declaration):
                found.append(_mistake(facts, declaration, previous_ns))
                previous_ns = declaration.t_ns
    return sorted(found, key=lambda m: (m.declared_at_s, m.master))


def healthy_ns(facts: Facts, master: str) -> int:
    """Time without an incident on one master: what mistakes can be made in."""
    return facts.horizon_ns - length_ns(episode.span for episode in facts.episodes_of[master])


def _mistake(facts: Facts, declaration: Declaration, previous_ns: int | None) -> Mistake:
    span, complete, fenced = _duration(facts, declaration)
    moved = facts.courses_of(declaration)
    return Mistake(
        master=declaration.master,
        declared_at_s=seconds(declaration.t_ns),
        duration_s=seconds(span.length_ns) if complete else None,
        censored_s=None if complete else seconds(span.length_ns),
        recurrence_s=None if previous_ns is None else seconds(declaration.t_ns - previous_ns),
        fenced=fenced,
        failover=moved[0].failover if moved else None,
        fault_kind=_fault_kind(facts, declaration),
        reason=declaration.reason,
    )


def _duration(facts: Facts, declaration: Declaration) -> tuple[Span, bool, bool]:
    """The mistake's span, whether it ended by itself, and whether the master was fenced."""
    numbers = {course.failover for course in facts.courses_of(declaration)}
    offs = [f for f in facts.fenced_of[declaration.master] if f.failover in numbers]
    if offs:
        end_ns = offs[-1].span.end_ns if offs[-1].restarted else None
    else:
        end_ns = declaration.ended_ns
    cut_ns = min(
        (
            e.span.start_ns
            for e in facts.episodes_of[declaration.master]
            if e.span.start_ns > declaration.t_ns
        ),
        default=facts.horizon_ns,
    )
    complete = end_ns is not None and end_ns <= cut_ns
    return (
        Span(declaration.t_ns, end_ns if complete and end_ns is not None else cut_ns),
        complete,
        bool(offs),
    )


def _fault_kind(facts: Facts, declaration: Declaration) -> str:
    window_ns = facts.records.late_window_ns
    for fault in (*facts.faults_of[declaration.master], *facts.faults_of[""]):
        since_ns, until_ns = fault.span.start_ns, fault.span.end_ns + window_ns
        if since_ns <= declaration.t_ns <= until_ns:
            return fault.kind
    return ""
