"""Round robin: the next eligible master in a fixed circle."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request


def round_robin(fleet: Fleet, request: Request) -> int:
    """The first master after the last one, around the circle; weights play no part."""
    weight, memory = fleet.weight, fleet.counts
    count = len(weight)
    # The memory is one more than the last index, so that zero says that there was none.
    for step in range(count):
        index = (memory[0] + step) % count
        if weight[index] > 0.0:
            memory[0] = index + 1
            return index
    return -1
