"""Turns: among masters that are alike to a picker, the one that was picked longest ago.

As HAProxy's leastconn, whose tree puts a server that was used behind those of the same load. The
memory is the end of `counts`: for each master the number of its last turn, and then the greatest
number so far. Each gateway's turns begin at another master, or all gateways would herd onto the
first one of the scenario.
"""

from __future__ import annotations

from collections.abc import MutableSequence

from hasim.services.balancing.fleet import Fleet


def begin_turns(counts: MutableSequence[int], masters: int, start: int) -> None:
    """A fresh memory: first is the turn of master `start`, then of those after it, around."""
    first = len(counts) - masters - 1
    for index in range(masters):
        counts[first + index] = (index - start) % masters
    counts[first + masters] = masters - 1


def waited_longer(fleet: Fleet, one: int, other: int) -> bool:
    """Whether one master was picked longer ago than another; the first of two that never were."""
    counts = fleet.counts
    first = len(counts) - len(fleet.weight) - 1
    return counts[first + one] < counts[first + other]


def take_turn(fleet: Fleet, index: int) -> int:
    """The master is picked, and goes to the end of the line; -1 for nobody changes nothing."""
    counts = fleet.counts
    last = len(counts) - 1
    if index >= 0:
        counts[last] += 1
        counts[last - len(fleet.weight) + index] = counts[last]
    return index
