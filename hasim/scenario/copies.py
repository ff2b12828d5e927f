"""What is wrong with the copies of a tier: who is waited for must hold one."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.settings.validation import Where, nearest
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.acknowledging import Asynchronous, SemiSynchronous, Synchronous


def copies_problems(world: WorldSettings) -> Iterator[tuple[Where, str]]:
    """(where, message) for each standby that cannot be waited for, and for too many of them."""
    mode, where = world.replication.acknowledge, ("replication", "acknowledge")
    present = [master.id for master in world.masters if not master.absent]
    if isinstance(mode, Asynchronous) and world.failover.synchronous_only:
        text = "nobody may take over, as no acknowledgement waits for a copy; expected "
        text += "replication.acknowledge: semi-synchronous or synchronous"
        yield ("failover", "synchronous_only"), text
    copies = min(world.replication.copies, len(present) - 1)
    if isinstance(mode, SemiSynchronous) and mode.replicas > copies:
        yield (*where, "replicas"), _too_many(mode.replicas, copies)
    if not isinstance(mode, Synchronous):
        return
    for index, name in enumerate(mode.standbys):
        if name not in present:
            yield (*where, "standbys", index), f"no master {name!r}{nearest(name, present)}"
    if mode.any > copies or not copies:
        yield (*where, "any"), _too_many(max(1, mode.any), copies)
    elif mode.standbys and mode.any > len(mode.standbys):
        text = f"waits for {mode.any} standbys of the {len(mode.standbys)} that are named"
        yield (*where, "any"), text


def _too_many(wanted: int, copies: int) -> str:
    return f"waits for {wanted} standbys; {copies} hold a copy of a partition"
