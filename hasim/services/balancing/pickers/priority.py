"""Priority tiers: the best tier that can carry the message, VIP messages first."""

from __future__ import annotations

from collections.abc import Sequence


def priority(
    eligible: Sequence[bool],
    in_flight: Sequence[int],
    workers: Sequence[int],
    tier: Sequence[int],
    vip: bool,
    reserve: float,
    avoid: int,
) -> int:
    """The least loaded master of the lowest tier number that has room; -1 if none is eligible.

    A master has room for an ordinary message while fewer than (1 - reserve) of its
    workers are taken, and for a VIP message while any is free: what is kept back
    lets VIP messages in first, and ordinary ones spill over to the next tier. If
    no tier has room, the least loaded of all takes the message.
    """
    best = -1
    spill = -1
    for index in range(len(eligible)):
        if not eligible[index] or index == avoid:
            continue
        room = workers[index] if vip else workers[index] * (1.0 - reserve)
        if in_flight[index] < room and (
            best < 0
            or tier[index] < tier[best]
            or (
                tier[index] == tier[best]
                and in_flight[index] * workers[best] < in_flight[best] * workers[index]
            )
        ):
            best = index
        if spill < 0 or in_flight[index] * workers[spill] < in_flight[spill] * workers[index]:
            spill = index
    if best >= 0:
        return best
    if spill < 0 and avoid >= 0 and eligible[avoid]:
        return avoid
    return spill
