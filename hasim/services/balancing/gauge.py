"""What a master tells a probe: the latency to expect, by how much it has to do.

It remembers the latest latencies of messages by what was in flight when they came, in levels
of a quarter of its workers. Plain functions over an indexable sequence, as pickers are.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

LEVELS = 16
KEPT = 3
GAUGE = LEVELS * (1 + KEPT)
"""Whole numbers that one master's memory takes: for each level, how many and the latest."""


def level_of(in_flight: int, workers: int) -> int:
    """The level of so many requests in flight; the last one is open."""
    return min(LEVELS - 1, 4 * in_flight // workers)


def note_latency(gauge: MutableSequence[int], first: int, level: int, latency_ns: int) -> None:
    """Remember what a message took that came at a level; `first` is where the memory begins."""
    place = first + level * (1 + KEPT)
    gauge[place + 1 + gauge[place] % KEPT] = latency_ns
    gauge[place] += 1


def latency_at(gauge: Sequence[int], first: int, level: int) -> int:
    """The median of the latest latencies at the nearest level with any; 0 if there are none."""
    for distance in range(LEVELS):
        for near in (level - distance, level + distance):
            if 0 <= near < LEVELS:
                place = first + near * (1 + KEPT)
                if gauge[place] > 0:
                    return median(
                        gauge[place], gauge[place + 1], gauge[place + 2], gauge[place + 3]
                    )
    return 0


def median(count: int, a: int, b: int, c: int) -> int:
    """The median of the first one, two or three."""
    if count == 1:
        return a
    if count == 2:
        return (a + b) // 2
    return max(min(a, b), min(max(a, b), c))
