"""k of n: the time in which fewer masters of a tier served than it needs, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from hasim.measures.causes import Share, fence_at
from hasim.measures.facts import Facts
from hasim.measures.spans import Span, Steps, T, union
from hasim.model import Master, Status


def short_of(facts: Facts) -> list[Share]:
    """When fewer masters than the tier's `needed` served; each stretch with one cause.

    A master serves that is well, is not held for failed, and is neither absent nor in maintenance.
    *No capacity*: fewer than needed have no fault (and are not out of service by an order), so that
    only a repair would help. Else enough are well, and some of them are off after a fence
    (*fencing*; *mistaken*, if they were healthy), or held for failed although they are well
    (*mistaken*, or *deciding* while they are not yet taken back). *Planned*: with those in
    maintenance that have no fault there would have been enough.
    """
    needed = int(facts.records.header.get("needed", 1))
    masters = facts.records.masters
    gone = {master.id: _gone(facts, master) for master in masters}
    reasons = [[*spans, *_held(facts, name)] for name, spans in gone.items()]
    # At each of these edges the cause may change, also while a master goes on not to serve.
    inside = (span for spans in reasons for span in spans)
    edges = dict.fromkeys((edge for one in inside for edge in (one.start_ns, one.end_ns)), 0)
    for span in (span for spans in reasons for span in union(spans)):
        edges[span.start_ns] = edges.get(span.start_ns, 0) - 1
        edges[span.end_ns] = edges.get(span.end_ns, 0) + 1
    serving = len(masters)
    found: list[Share] = []
    for start_ns, end_ns in pairwise(sorted(edges)):
        serving += edges[start_ns]
        if serving < needed:
            cause = _cause(facts, gone, needed, start_ns)
            fell_ns = found[-1].fell_ns if _goes_on(found, start_ns) else start_ns
            planned = serving + _serviced(facts, start_ns) >= needed
            found.append(Share(Span(start_ns, end_ns), cause, fell_ns, planned))
    return found


def _goes_on(found: list[Share], start_ns: int) -> bool:
    return bool(found) and found[-1].span.end_ns == start_ns


def _serviced(facts: Facts, t_ns: int) -> int:
    """How many masters are in maintenance and would serve but for that."""
    return sum(
        facts.verdicts[master.id].status.at(t_ns) is Status.MAINTENANCE
        and not any(f.impairing and f.span.holds(t_ns) for f in facts.faults_of[master.id])
        and not fence_at(facts, master.id, t_ns)
        for master in facts.records.masters
    )


def _gone(facts: Facts, master: Master) -> list[Span]:
    """When it had a fault, or was not there, or out of service by an order."""
    struck = [fault.span for fault in facts.faults_of[master.id] if fault.impairing]
    away = {Status.MAINTENANCE, Status.UNKNOWN} if master.absent else {Status.MAINTENANCE}
    status = facts.verdicts[master.id].status
    return union([*struck, *_spans(status, away.__contains__, facts.horizon_ns)])


def _held(facts: Facts, master: str) -> list[Span]:
    """When it was off after a fence, or held for failed."""
    off = [fenced.span for fenced in facts.fenced_of[master]]
    declared = facts.verdicts[master].declared
    return [*off, *_spans(declared, bool, facts.horizon_ns)]


def _spans(steps: Steps[T], wanted: Callable[[T], bool], end_ns: int) -> Iterator[Span]:
    """The times in which a value is one of those that are wanted."""
    edges = [0, *steps.times_ns, end_ns]
    values = [steps.before, *steps.values]
    for (start_ns, until_ns), value in zip(pairwise(edges), values, strict=True):
        if wanted(value) and until_ns > start_ns:
            yield Span(start_ns, until_ns)


def _cause(facts: Facts, gone: dict[str, list[Span]], needed: int, t_ns: int) -> str:
    well = [name for name, spans in gone.items() if not any(span.holds(t_ns) for span in spans)]
    if len(well) < needed:
        return "no_capacity"
    found = {_why_not(facts, name, t_ns) for name in well}
    return next(cause for cause in ("mistaken", "fencing", "deciding") if cause in found)


def _why_not(facts: Facts, master: str, t_ns: int) -> str:
    """Why a master that is well does not serve; empty if it does."""
    fence = fence_at(facts, master, t_ns)
    one = facts.verdicts[master]
    if fence or not one.declared.at(t_ns):
        return fence
    latest = [d for d in one.declarations if d.t_ns <= t_ns][-1]
    return "mistaken" if facts.is_mistake(latest) else "deciding"
