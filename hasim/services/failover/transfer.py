"""A state transfer is atomic: all of the state, verified, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.events import Copy


def torn_because(copies: Sequence[Copy], partitions: Sequence[str]) -> str:
    """Why a transfer is torn, or an empty text if every partition arrived whole.

    A copy is whole if its size and its CRC-32 equal those that its source states.
    """
    arrived = {copy.partition: copy for copy in copies}
    for partition in partitions:
        copy = arrived.get(partition)
        if copy is None:
            return f"{partition} is missing"
        if copy.received_bytes != copy.source_bytes:
            return f"{partition}: {copy.received_bytes} of {copy.source_bytes} bytes arrived"
        if copy.received_checksum != copy.source_checksum:
            return f"{partition}: checksum differs"
    return ""
