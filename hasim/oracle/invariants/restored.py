"""When faults have stopped, every partition is served again, by one owner."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from operator import itemgetter
from typing import Any

from hasim.events import OPERATIONS, LeaseAsked, OwnerChanged, TermBegun
from hasim.measures.spans import Span, Steps, union
from hasim.model import Status
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.oracle.invariants.going_on import longest_ns
from hasim.truth import PartitionServed, Writers

LEFT_ALONE = ("no-primary", "unrouted")
"""Why a partition is down although nothing is wrong with any master or link."""


def within_ns(case: Case) -> int:
    """The stated time: each state of a failover once, the policy's waits, and a round of looks."""
    failover, detection = case.settings.failover, case.settings.detection
    states = sum(longest_ns(failover).values())
    looks = 2 * failover.retry_interval_ns + case.settings.balancing.resend_interval_ns
    waits = failover.delay_ns + failover.block_ns
    return states + looks + waits + detection.recovery_ns


def _find(case: Case) -> Iterator[Found]:
    if case.settings.failover.max_lag_ns is not None:
        return  # a copy that is too old waits for its owner, however long that takes
    records, within = case.facts.records, within_ns(case)
    served: dict[str, Steps[PartitionServed | None]] = {}
    writers: dict[str, Steps[tuple[str, ...]]] = {}
    owner = {p.id: Steps(p.owner) for p in records.partitions}
    for t_ns, change in records.of(PartitionServed):
        served.setdefault(change.partition, Steps(None)).set(t_ns, change)
    for t_ns, seen in records.of(Writers):
        writers.setdefault(seen.partition, Steps(())).set(t_ns, seen.masters)
    known = [
        (t, one.partition, one.owner) for t, term in records.of(TermBegun) for one in term.owners
    ]
    known += [(t, moved.partition, moved.owner) for t, moved in records.of(OwnerChanged)]
    for t_ns, partition, name in sorted(known, key=itemgetter(0)):
        owner[partition].set(t_ns, name)
    for quiet in _quiet(case, within):
        end_ns = quiet.end_ns - 1
        for partition, steps in owner.items():
            if not _anybody_may(case, steps.at(end_ns)):
                continue  # who was off comes back as a standby, and nobody is promoted
            last = served[partition].at(end_ns) if partition in served else None
            long = partition in served and _since_ns(served[partition], end_ns) < end_ns - within
            if long and last is not None and not last.up and last.reason in LEFT_ALONE:
                text = f"down ({last.reason}) after {quiet.length_ns} ns without any fault"
                yield Found(end_ns, partition, text)
            accept = writers[partition].at(end_ns) if partition in writers else None
            long = partition in writers and _since_ns(writers[partition], end_ns) < end_ns - within
            if long and accept is not None and accept != (steps.at(end_ns),):
                who = ", ".join(accept) or "nobody"
                text = f"{who} accepts writes, the owner is {steps.at(end_ns)}"
                yield Found(end_ns, partition, f"{text}, after {quiet.length_ns} ns without fault")


def _anybody_may(case: Case, owner: str) -> bool:
    """Whether somebody may be promoted to what an owner has lost, be it itself."""
    guarded, region = case.settings.failover.region_guard, case.masters[owner].region
    return any(
        master.promotion_rule != "must-not" and (not guarded or master.region == region)
        for master in case.masters.values()
    )


def _since_ns(steps: Steps[Any], t_ns: int) -> int:
    """When the last change before a moment was (nanoseconds)."""
    return max((at_ns for at_ns in steps.times_ns if at_ns <= t_ns), default=0)


def _lapses(case: Case) -> Iterator[Span]:
    """When it was heard that a lease had run out: packets get lost without any fault."""
    known: dict[str, int] = {}
    for exchange in case.exchanges:
        item = exchange.item
        if isinstance(item, LeaseAsked) and item.lapses > known.get(item.master, 0):
            known[item.master] = item.lapses
            yield Span(exchange.t_ns, exchange.t_ns + 1)


def _quiet(case: Case, within: int) -> Iterator[Span]:
    """Times longer than that with no fault, no operation, and all masters declared healthy."""
    facts = case.facts
    loud = [fault.span for fault in facts.faults] + [off.span for off in facts.fenced]
    loud += [Span(t, t + 1) for kind in OPERATIONS for t, _ in facts.records.of(kind)]
    loud += [*case.disturbed, *_lapses(case)]
    for name, status in case.status.items():
        if case.masters[name].absent and not status.times_ns:
            continue
        moments = [0, *status.times_ns, facts.horizon_ns]
        for start_ns, end_ns in pairwise(moments):
            if status.at(start_ns) is not Status.HEALTHY:
                loud.append(Span(start_ns, end_ns))
    busy = union(span for span in loud if span.length_ns > 0)
    edges = [0, *(t for span in busy for t in (span.start_ns, span.end_ns)), facts.horizon_ns]
    for start_ns, end_ns in zip(edges[::2], edges[1::2], strict=True):
        if end_ns - start_ns > within:
            yield Span(start_ns, end_ns)


RESTORED = Invariant(
    "service-restored",
    "When no fault is left and all masters that are there are declared healthy, every partition "
    "that somebody may take over is served by one owner, which the control plane knows, within "
    "the sum of all time-outs of a failover.",
    "An outage goes on after its cause has gone.",
    _find,
)
