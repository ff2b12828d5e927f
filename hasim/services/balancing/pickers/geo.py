"""Geo: the nearest healthy master, by expected round-trip time from the gateway."""

from __future__ import annotations

from collections.abc import Sequence


def geo(
    eligible: Sequence[bool],
    in_flight: Sequence[int],
    workers: Sequence[int],
    rtt: Sequence[int],
    avoid: int,
) -> int:
    """The eligible index with the least round-trip time; -1 if none is eligible.

    Masters equally far away (of one region) share by the least in flight per worker.
    """
    best = -1
    for index in range(len(eligible)):
        if not eligible[index] or index == avoid:
            continue
        if (
            best < 0
            or rtt[index] < rtt[best]
            or (
                rtt[index] == rtt[best]
                and in_flight[index] * workers[best] < in_flight[best] * workers[index]
            )
        ):
            best = index
    if best < 0 and avoid >= 0 and eligible[avoid]:
        return avoid
    return best
