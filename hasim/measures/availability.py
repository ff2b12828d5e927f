"""Availability: the share of time in which service was up, and what the rest was spent on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from hasim.measures.causes import CAUSES, Share, merged, shares
from hasim.measures.enough import short_of
from hasim.measures.facts import Facts
from hasim.measures.primacy import dual_primary_ns
from hasim.measures.serving import TIER, stateless_down
from hasim.measures.spans import Span, length_ns, union
from hasim.truth import WritesHeld, WritesLost
from hasim.units import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Downtime:
    """Seconds down, in all and by cause; the causes sum to `down_s`.

    *Undetected*: a fault struck and nobody had declared the owner. *Deciding*:
    declared, but no step of the recovery was under way (in a tier without state: a
    master was healthy again, and not yet taken back). *Fencing*,
    *transferring*, *promoting*, *redirecting*: during that step of the
    failover. *Mistaken*: from a failover of a healthy master, its fence and
    restart included. *No capacity*: no eligible candidate. *Overloaded*: the
    owner had no fault and could not keep up.
    """

    down_s: float
    undetected_s: float
    deciding_s: float
    fencing_s: float
    transferring_s: float
    promoting_s: float
    redirecting_s: float
    mistaken_s: float
    overloaded_s: float
    no_capacity_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRow(Downtime):
    """One partition: a partition is up when its owner would answer in time."""

    partition: str
    uptime: float
    outages: int
    dual_primary_s: float
    acknowledged: int | None
    held: int | None
    writes_lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability(Downtime):
    """The service as a whole; `down_s` is the time in which any partition was down.

    `uptime` is the share of time in which every partition was up, `uptime_mean`
    the mean over partitions, `uptime_any` the share in which at least one was up,
    `uptime_stateless` the share in which an eligible master worked: all four are the last one in
    a tier without state, which has no partitions. Of several tiers in series, `uptime` and
    `uptime_any` are those of all together, `uptime_stateless` that of the first. `outages` counts
    the times that the service as a whole went down. `dual_primary_s` sums, over partitions, the
    time with two masters that accepted writes. `down_at_end` says that a partition was down
    when the run ended, so that `down_s` is cut short.
    """

    uptime: float
    uptime_mean: float
    uptime_any: float
    uptime_stateless: float
    dual_primary_s: float
    down_at_end: bool
    outages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Enough(Downtime):
    """The time in which a tier had fewer masters that serve than it needs; whether at the end."""

    down_at_end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DownRow:
    """A stretch in which the service was down, with one cause.

    Of the service as a whole: any partition down, of any tier. `planned`: during a switchover
    that somebody ordered. Those of one run are in order and do not overlap.
    """

    started_at_s: float
    ended_at_s: float
    cause: str
    planned: bool


Cut = Mapping[tuple[int, str], list[Share]]
"""By number of tier and partition: its downtime in stretches of one cause each."""


def cut_of(tiers: Sequence[Facts]) -> Cut:
    """The downtime of each partition of all tiers, from which the others here start."""
    return {
        (number, name): own
        for number, facts in enumerate(tiers)
        for name, own in shares(facts).items()
    }


def partitions_of(facts: Facts, cut: Cut) -> list[PartitionRow]:
    """Each partition of the only tier."""
    dual_ns = dual_primary_ns(facts)
    held = {w.partition: w for _, w in facts.records.of(WritesHeld)}
    lost: Counter[str] = Counter()
    for _, w in facts.records.of(WritesLost):
        lost[w.partition] += w.writes
    return [
        _row(facts, name, own, dual_ns.get(name, 0), held.get(name), lost[name])
        for (_, name), own in cut.items()
        if name != TIER
    ]


def whole_of(tiers: Sequence[Facts], cut: Cut) -> Availability:
    """The service as a whole: of all tiers in series, which is up while each of them is."""
    horizon_ns = tiers[0].horizon_ns
    together = merged(cut)
    down_ns = sum(share.span.length_ns for share in together)
    downs_ns = [sum(share.span.length_ns for share in own) for own in cut.values()]
    return Availability(
        **_downtime(together),
        uptime=1.0 - down_ns / horizon_ns,
        uptime_mean=sum(1.0 - ns / horizon_ns for ns in downs_ns) / len(downs_ns),
        uptime_any=1.0 - length_ns(none_up(len(tiers), cut)) / horizon_ns,
        uptime_stateless=1.0 - length_ns(stateless_down(tiers[0].records)) / horizon_ns,
        dual_primary_s=seconds(sum(sum(dual_primary_ns(facts).values()) for facts in tiers)),
        down_at_end=any(not down.restored for facts in tiers for down in facts.downs()),
        outages=len(union(share.span for share in together)),
    )


def none_up(tiers: int, cut: Cut) -> list[Span]:
    """When some tier, of so many, had no partition that was up."""
    return [
        span
        for number in range(tiers)
        for span in _common([
            [share.span for share in own] for (of, _), own in cut.items() if of == number
        ])
    ]  # fmt: skip


def enough_of(tiers: Sequence[Facts]) -> Enough:
    """The time in which any tier had fewer masters that serve than it needs (k of n)."""
    together = merged({n: short_of(facts) for n, facts in enumerate(tiers)})
    at_end = bool(together) and together[-1].span.end_ns == tiers[0].horizon_ns
    return Enough(**_downtime(together), down_at_end=at_end)


def downs_of(cut: Cut) -> list[DownRow]:
    """When the service as a whole was down, and why: of all tiers in series."""
    joined: list[Share] = []
    for share in merged(cut):
        last = joined[-1] if joined else None
        if last and last.span.end_ns == share.span.start_ns and _sort(last) == _sort(share):
            both = Span(joined.pop().span.start_ns, share.span.end_ns)
            joined.append(replace(share, span=both))
        else:
            joined.append(share)
    return [
        DownRow(
            started_at_s=seconds(share.span.start_ns),
            ended_at_s=seconds(share.span.end_ns),
            cause=share.cause,
            planned=share.planned,
        )
        for share in joined
    ]


def _sort(share: Share) -> tuple[str, bool]:
    return share.cause, share.planned


def _common(lists: Sequence[Sequence[Span]]) -> list[Span]:
    """The time that is in each of the lists of spans."""
    edges: Counter[int] = Counter()
    for spans in lists:
        for span in union(spans):
            edges[span.start_ns] += 1
            edges[span.end_ns] -= 1
    found, depth = [], 0
    for start_ns, end_ns in pairwise(sorted(edges)):
        depth += edges[start_ns]
        if depth == len(lists):
            found.append(Span(start_ns, end_ns))
    return found


def _row(
    facts: Facts,
    partition: str,
    own: list[Share],
    dual_ns: int,
    held: WritesHeld | None,
    lost: int,
) -> PartitionRow:
    down_ns = sum(share.span.length_ns for share in own)
    return PartitionRow(
        **_downtime(own),
        partition=partition,
        uptime=1.0 - down_ns / facts.horizon_ns,
        outages=len(facts.servings[partition].down),
        dual_primary_s=seconds(dual_ns),
        acknowledged=None if held is None else held.acknowledged,
        held=None if held is None else held.held,
        writes_lost=lost,
    )


def _downtime(stretches: Iterable[Share]) -> dict[str, float]:
    spent = dict.fromkeys(CAUSES, 0)
    for share in stretches:
        spent[share.cause] += share.span.length_ns
    return {
        "down_s": seconds(sum(spent.values())),
        **{f"{cause}_s": seconds(spent_ns) for cause, spent_ns in spent.items()},
    }
