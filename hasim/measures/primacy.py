"""Who accepted writes when only one should, and who was powered off that should not have been.

Both are looked at in truth, whatever the fencing; that says whether two primaries are a breach, or
time that is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hasim.events import OwnerChanged, RemoveMaster, StartMaintenance
from hasim.measures.facts import Facts
from hasim.measures.spans import Span, Steps, length_ns, union
from hasim.model import Status
from hasim.truth import MasterFenced, PartitionServed, Writers
from hasim.units import SECOND

LONGEST_NS = 30 * SECOND
"""So long may two primaries last that are all declared healthy: orders to step down get lost."""


@dataclass(frozen=True, slots=True)
class DualPrimary:
    """A time in which the same masters, two or more, accepted writes for a partition."""

    partition: str
    masters: tuple[str, ...]
    allowed: bool
    span: Span


def dual_primaries(facts: Facts) -> list[DualPrimary]:
    """Every such time of the run, by its end."""
    allowed = not facts.records.one_primary
    found: list[DualPrimary] = []
    since: dict[str, tuple[int, tuple[str, ...]]] = {}

    def end(partition: str, t_ns: int) -> None:
        start_ns, masters = since.pop(partition, (t_ns, ()))
        if masters:
            found.append(DualPrimary(partition, masters, allowed, Span(start_ns, t_ns)))

    for t_ns, writers in facts.records.of(Writers):
        end(writers.partition, t_ns)
        if len(writers.masters) > 1:
            since[writers.partition] = t_ns, writers.masters
    for partition in list(since):
        end(partition, facts.horizon_ns)
    return found


def dual_primary_ns(facts: Facts) -> dict[str, int]:
    """For each partition that had any, nanoseconds with more than one writer."""
    spans: dict[str, list[Span]] = {}
    for dual in dual_primaries(facts):
        spans.setdefault(dual.partition, []).append(dual.span)
    return {partition: length_ns(union(own)) for partition, own in spans.items()}


def overdue(facts: Facts, dual: DualPrimary) -> Span | None:
    """The first time in it, too long, in which the observer took all the masters for healthy.

    It could have told all but one of them to step down.
    """
    start_ns, end_ns = dual.span.start_ns, dual.span.end_ns
    steps = [facts.verdicts[master].status for master in dual.masters]
    inside = {t for one in steps for t in one.times_ns if start_ns < t < end_ns}
    since_ns = None
    for t_ns in sorted({start_ns, end_ns} | inside):
        if t_ns < end_ns and all(one.at(t_ns) is Status.HEALTHY for one in steps):
            since_ns = t_ns if since_ns is None else since_ns
            continue
        if since_ns is not None and t_ns - since_ns > LONGEST_NS:
            return Span(since_ns, t_ns)
        since_ns = None
    return None


def wrongly_fenced(facts: Facts) -> Iterator[tuple[int, MasterFenced, str]]:
    """Power-offs by the observer of an owner that it had declared healthy and that served.

    With the partition that it served: its own by the observer's account, and up in truth. An
    operator may have ordered it away.
    """
    records = facts.records
    owners = {p.id: Steps(p.owner) for p in records.partitions}
    for t_ns, moved in records.of(OwnerChanged):
        owners[moved.partition].set(t_ns, moved.owner)
    served: dict[str, Steps[str]] = {p: Steps("") for p in owners}
    for t_ns, change in records.of(PartitionServed):
        served[change.partition].set(t_ns, change.owner if change.up else "")
    removed = [(t_ns, order.master) for t_ns, order in records.of(RemoveMaster)]
    rested = [(t_ns, order.master) for t_ns, order in records.of(StartMaintenance)]
    for t_ns, fenced in records.of(MasterFenced):
        status = facts.verdicts[fenced.master].status
        # Both: a device without latency acts at the very instant of the declaration.
        healthy = status.just_before(t_ns) is status.at(t_ns) is Status.HEALTHY
        told = any(at <= t_ns and master == fenced.master for at, master in removed + rested)
        if fenced.observer != records.observer or not healthy or told:
            continue
        for partition, owner in owners.items():
            if owner.just_before(t_ns) == served[partition].just_before(t_ns) == fenced.master:
                yield t_ns, fenced, partition
                break
