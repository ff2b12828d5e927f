"""What the fault injector and the fencing device did to each master."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.measures.records import Records
from hasim.measures.spans import Span
from hasim.truth import FaultCured, FaultStarted, MasterFenced, MasterRestarted


@dataclass(frozen=True, slots=True)
class FaultSpan:
    """One fault on one master, from its start to its cure or the end of the run.

    `master` is empty if it struck no masters, but gateways or control planes.
    """

    master: str
    fault: int
    kind: str
    impairing: bool
    cured: bool
    span: Span


@dataclass(frozen=True, slots=True)
class FencedSpan:
    """A master that a failover had switched off, until it had restarted or the run ended.

    `failover` is None if it was one of another observer.
    """

    master: str
    failover: int | None
    restarted: bool
    span: Span


def fault_spans(records: Records) -> list[FaultSpan]:
    """Every fault on every master, by start, then number, then master."""
    cures: dict[int, list[int]] = {}
    for t_ns, cured in records.of(FaultCured):
        cures.setdefault(cured.fault, []).append(t_ns)
    found = []
    for t_ns, fault in records.of(FaultStarted):
        # A number may be used again after its cure.
        end_ns = next((cure for cure in cures.get(fault.fault, []) if cure >= t_ns), None)
        span = Span(t_ns, records.horizon_ns if end_ns is None else end_ns)
        for master in fault.masters or ("",):
            found.append(
                FaultSpan(
                    master, fault.fault, fault.kind, fault.impairing, end_ns is not None, span
                )
            )
    return sorted(found, key=lambda f: (f.span.start_ns, f.fault, f.master))


def fenced_spans(records: Records) -> list[FencedSpan]:
    """Every time that a master was off because it had been fenced, in order."""
    restarts: dict[str, list[int]] = {}
    for t_ns, restarted in records.of(MasterRestarted):
        restarts.setdefault(restarted.master, []).append(t_ns)
    found = []
    for t_ns, fenced in records.of(MasterFenced):
        end_ns = next((up for up in restarts.get(fenced.master, []) if up >= t_ns), None)
        span = Span(t_ns, records.horizon_ns if end_ns is None else end_ns)
        failover = fenced.failover if fenced.observer == records.observer else None
        found.append(FencedSpan(fenced.master, failover, end_ns is not None, span))
    return found
