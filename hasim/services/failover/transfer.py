"""A state transfer is atomic: all of the state, verified, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.events import Copy
from hasim.units import format_duration


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


def lagging_because(copies: Sequence[Copy], max_lag_ns: int | None) -> str:
    """Why the copies are too old to be promoted, or an empty text if they are not."""
    for copy in copies if max_lag_ns is not None else ():
        if max_lag_ns is not None and copy.behind_ns > max_lag_ns:
            behind, most = format_duration(copy.behind_ns), format_duration(max_lag_ns)
            return f"{copy.partition}: the copy is {behind} behind, more than {most}"
    return ""
