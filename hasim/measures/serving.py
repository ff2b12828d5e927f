"""When each partition was down for its clients, and who owned it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from hasim.measures.records import Records
from hasim.measures.spans import Span, Steps
from hasim.truth import PartitionAnswered, PartitionServed, StatelessServed

TIER = "tier"
"""Stands for the partitions of a tier without state, which has none."""


@dataclass(frozen=True, slots=True)
class Down:
    """One time that a partition was down; `owner` is its owner when it went down.

    Of a tier without state, `partition` is `TIER`, and `owner` is empty.
    """

    partition: str
    owner: str
    reason: str
    restored: bool
    span: Span


@dataclass
class Serving:
    """One partition over the run."""

    partition: str
    owner: Steps[str]
    down: list[Down] = field(default_factory=list)
    answered_ns: list[int] = field(default_factory=list)

    def answered_after(self, t_ns: int) -> int | None:
        """When the first owned message was answered again after a fall at `t_ns`."""
        index = bisect_left(self.answered_ns, t_ns)
        return self.answered_ns[index] if index < len(self.answered_ns) else None


def servings(records: Records) -> dict[str, Serving]:
    """Each partition's times down, in the order of the partitions."""
    found = {p.id: Serving(p.id, Steps(p.owner)) for p in records.partitions}
    fallen: dict[str, tuple[int, PartitionServed]] = {}
    for t_ns, served in records.of(PartitionServed):
        one = found.setdefault(served.partition, Serving(served.partition, Steps(served.owner)))
        one.owner.set(t_ns, served.owner)
        if not served.up:
            # A change of owner or reason while it is down continues the same fall.
            fallen.setdefault(served.partition, (t_ns, served))
        elif served.partition in fallen:
            since_ns, fall = fallen.pop(served.partition)
            _add(one, fall, Span(since_ns, t_ns), restored=True)
    for partition, (since_ns, fall) in fallen.items():
        _add(found[partition], fall, Span(since_ns, records.horizon_ns), restored=False)
    for t_ns, answered in records.of(PartitionAnswered):
        found[answered.partition].answered_ns.append(t_ns)
    return found


def _add(serving: Serving, fall: PartitionServed, span: Span, *, restored: bool) -> None:
    if span.length_ns or not restored:
        serving.down.append(Down(fall.partition, fall.owner, fall.reason, restored, span))


def tier_serving(records: Records) -> Serving:
    """A tier without state over the run, as if it were one partition that nobody owns."""
    serving = Serving(TIER, Steps(""))
    for span in stateless_down(records):
        restored = span.end_ns < records.horizon_ns
        serving.down.append(Down(TIER, "", "", restored, span))
    return serving


def stateless_down(records: Records) -> list[Span]:
    """The times in which no eligible master would answer a stateless message."""
    spans, since_ns = [], None
    for t_ns, served in records.of(StatelessServed):
        if served.up:
            if since_ns is not None:
                spans.append(Span(since_ns, t_ns))
            since_ns = None
        elif since_ns is None:
            since_ns = t_ns
    if since_ns is not None:
        spans.append(Span(since_ns, records.horizon_ns))
    return spans
