"""Who still accepts writes of what another one owns is told to stop until it does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from hasim.events import Demote, OwnerChanged, Promote
from hasim.measures.spans import Span
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.services.failover.fencing.lease import LeaseFencingSettings
from hasim.services.failover.fencing.token import TokenSettings
from hasim.services.failover.returned import LONGEST
from hasim.truth import Writers


class _Orders(NamedTuple):
    """When each master was told to step down from a partition, and when to take it over."""

    down: dict[tuple[str, str], list[int]]
    over: dict[tuple[str, str], list[int]]
    owners: dict[str, list[tuple[int, str]]]
    """The owners of each partition that were confirmed, and since when."""


def _find(case: Case) -> Iterator[Found]:
    failover = case.settings.failover
    if failover.role_grace_ns:
        return  # it may find out by itself first
    most_ns = max(LONGEST * failover.demote_retry_ns, failover.demote_timeout_ns)
    orders = _orders(case)
    accept = _accept(case)
    for partition, owners in orders.owners.items():
        ends_ns = [t_ns for t_ns, _ in owners[1:]] + [case.horizon_ns]
        for (since_ns, owner), until_ns in zip(owners, ends_ns, strict=True):
            for master, span in accept[partition]:
                begin_ns, end_ns = max(span.start_ns, since_ns), min(span.end_ns, until_ns)
                again = [t for t in orders.over[master, partition] if t > since_ns]
                end_ns = min([end_ns, *again])  # it is told to take over, and may do so
                told = [t for t in orders.down[master, partition] if begin_ns < t < end_ns]
                beside = begin_ns == since_ns < end_ns and master != owner
                if beside and _passed_over(case, orders, partition, since_ns, master):
                    text = f"accepts writes of {partition} when {owner} takes that over, and is "
                    yield Found(since_ns, master, f"{text}not told to stop at once")
                for start_ns, next_ns in pairwise([begin_ns, *told, end_ns]):
                    if master == owner or case.is_disturbed(since_ns, next_ns):
                        break
                    if next_ns - start_ns > most_ns:
                        text = f"accepts writes of {partition}, which is {owner}'s, and is not "
                        text += f"told to stop for {next_ns - start_ns} ns, {most_ns} ns at most"
                        yield Found(start_ns, master, text)


def _passed_over(case: Case, orders: _Orders, partition: str, since_ns: int, master: str) -> bool:
    """The one who owned it until then is not told at that moment, though nothing else ends it."""
    ends = isinstance(case.settings.failover.fencing, TokenSettings | LeaseFencingSettings)
    if ends or since_ns in orders.down[master, partition]:
        return False
    (start,) = (p.owner for p in case.facts.records.partitions if p.id == partition)
    owned = [own for own in [(0, start), *orders.owners[partition]] if own[0] < since_ns]
    from_ns, owner = owned[-1] if owned else (0, "")
    return owner == master and not case.is_disturbed(from_ns, since_ns)


def _orders(case: Case) -> _Orders:
    found = _Orders(defaultdict(list), defaultdict(list), defaultdict(list))
    for exchange, out in case.deeds:
        if isinstance(out, Demote | Promote):
            told = found.down if isinstance(out, Demote) else found.over
            for partition in out.partitions:
                told[out.target, partition].append(exchange.t_ns)
        elif isinstance(out, OwnerChanged):
            found.owners[out.partition].append((exchange.t_ns, out.owner))
    return found


def _accept(case: Case) -> dict[str, list[tuple[str, Span]]]:
    """Who accepts the writes of each partition, and when."""
    found: dict[str, list[tuple[str, Span]]] = defaultdict(list)
    since_ns: dict[tuple[str, str], int] = {}
    for t_ns, seen in case.facts.records.of(Writers):
        for master in case.masters:
            key = (seen.partition, master)
            if master in seen.masters:
                since_ns.setdefault(key, t_ns)
            elif key in since_ns:
                found[seen.partition].append((master, Span(since_ns.pop(key), t_ns)))
    for (partition, master), start_ns in since_ns.items():
        found[partition].append((master, Span(start_ns, case.horizon_ns)))
    return found


STALE_TOLD = Invariant(
    "stale-owners-are-told",
    "A master that still accepts writes of what another one has taken over is told to step down, "
    "at once and again with pauses of eight times `demote_retry` at most, until it does.",
    "Two masters take writes side by side, and nobody ends it.",
    _find,
)
