"""Least loaded: fewest messages in flight per worker, by a full scan."""

from __future__ import annotations

from collections.abc import Sequence


def least_loaded(
    eligible: Sequence[bool], in_flight: Sequence[int], workers: Sequence[int], avoid: int
) -> int:
    """The eligible index with the least in flight over workers; -1 if none.

    In flight counts everything sent and not yet answered, queued messages included
    (HAProxy leastconn: served + queued).
    """
    best = -1
    for index in range(len(eligible)):
        if not eligible[index] or index == avoid:
            continue
        # Cross-multiplied: in_flight/workers compared without division.
        if best < 0 or in_flight[index] * workers[best] < in_flight[best] * workers[index]:
            best = index
    if best < 0 and avoid >= 0 and eligible[avoid]:
        return avoid
    return best
