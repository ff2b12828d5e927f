"""When the service was down by each sense of the word: what an objective may be stated of.

The service as a whole (any partition down, of any tier) has its own rows with causes,
`hasim.measures.availability.DownRow`; here are the others, for which no cause is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hasim.measures.availability import Cut, none_up
from hasim.measures.causes import merged
from hasim.measures.enough import short_of
from hasim.measures.facts import Facts
from hasim.measures.serving import TIER, stateless_down
from hasim.measures.spans import Span, union
from hasim.units import seconds

ANY, ENOUGH, STATELESS = "uptime.any", "uptime.k_of_n", "uptime.stateless"
"""Measures of the same names."""
PARTITION, OF_TIER = "partition:", "tier:"
"""What stands before the name of a partition, or of a tier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchRow:
    """A stretch in which something was down: `of` says by which sense (`senses_of`).

    `planned`: it would have been up but for a switchover or a maintenance that was ordered. Those
    of one sense are in order and do not overlap.
    """

    of: str
    started_at_s: float
    ended_at_s: float
    planned: bool


def stretches_of(names: Sequence[str], tiers: Sequence[Facts], cut: Cut) -> list[StretchRow]:
    """By each sense but that of the whole; `names` are those of the tiers, if there are several."""
    found: list[StretchRow] = []
    found += _rows(ANY, none_up(len(tiers), cut), _planned(cut))
    short = merged({number: short_of(facts) for number, facts in enumerate(tiers)})
    held = [share.span for share in short if share.planned]
    found += _rows(ENOUGH, [share.span for share in short], held)
    found += _rows(STATELESS, stateless_down(tiers[0].records), [])
    for (number, name), own in cut.items():
        if name != TIER:
            mine = {(number, name): own}
            found += _rows(PARTITION + name, [share.span for share in own], _planned(mine))
    for number, tier in enumerate(names):
        mine = {key: own for key, own in cut.items() if key[0] == number}
        whole = merged(mine)
        held = [share.span for share in whole if share.planned]
        found += _rows(OF_TIER + tier, [share.span for share in whole], held)
    return found


def _planned(cut: Cut) -> list[Span]:
    return [share.span for own in cut.values() for share in own if share.planned]


def _rows(of: str, down: Iterable[Span], planned: Iterable[Span]) -> Iterator[StretchRow]:
    """The time down, cut where it begins or ceases to be planned."""
    orders = union(planned)
    for span in union(down):
        inside = {edge for order in orders for edge in (order.start_ns, order.end_ns)}
        edges = sorted({e for e in inside if span.holds(e)} | {span.start_ns, span.end_ns})
        for start_ns, end_ns in pairwise(edges):
            yield StretchRow(
                of=of,
                started_at_s=seconds(start_ns),
                ended_at_s=seconds(end_ns),
                planned=any(order.holds(start_ns) for order in orders),
            )
