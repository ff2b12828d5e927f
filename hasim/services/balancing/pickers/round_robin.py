"""Round robin: the next eligible master in a fixed circle."""

from __future__ import annotations

from collections.abc import Sequence


def round_robin(eligible: Sequence[bool], cursor: int, avoid: int) -> int:
    """The first eligible index after `cursor`, around the circle; -1 if none."""
    count = len(eligible)
    fallback = -1
    for step in range(1, count + 1):
        index = (cursor + step) % count
        if eligible[index]:
            if index != avoid:
                return index
            fallback = index
    return fallback
