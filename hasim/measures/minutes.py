"""Messages minute by minute: what an objective that is stated by message is judged by."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.measures.facts import Facts
from hasim.truth import TrafficRollup
from hasim.units import MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """For each minute of the run, from its start: the messages offered in it, and how they ended.

    `offered` leaves out those whose deadline lies beyond the end of the run; `in_time` are those of
    them that were answered by it. The last minute may be cut short by the end of the run.
    """

    offered: tuple[int, ...]
    in_time: tuple[int, ...]


def minutes_of(facts: Facts) -> Minutes:
    """The messages of the run, by the minute in which they arrived."""
    count = -(-facts.horizon_ns // MINUTE)
    offered, in_time = [0] * count, [0] * count
    for _, rollup in facts.records.of(TrafficRollup):
        if rollup.settled:
            place = min(rollup.start_ns // MINUTE, count - 1)
            offered[place] += rollup.messages
            in_time[place] += rollup.in_time
    return Minutes(offered=tuple(offered), in_time=tuple(in_time))
