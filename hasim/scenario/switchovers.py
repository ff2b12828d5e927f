"""What is wrong with a switchover: who hands over what to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hasim.settings.validation import nearest
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.operations import Switchover


def switchover_problems(world: WorldSettings, operation: Switchover) -> Iterator[tuple[str, str]]:
    """(field, message) for each thing that cannot be."""
    ids = [master.id for master in world.all_masters]
    partitions = [f"p{number}" for number, _ in enumerate(world.owners, 1)]
    named = {"to": operation.to} | ({"master": operation.master} if operation.master else {})
    for field, name in named.items():
        if name not in ids:
            yield field, f"no master {name!r}{nearest(name, ids)}"
    if operation.partition and operation.partition not in partitions:
        known = nearest(operation.partition, partitions)
        yield "partition", f"no partition {operation.partition!r}{known}"
    if bool(operation.master) == bool(operation.partition):
        got = "both" if operation.master else "none"
        yield "do", f"needs either a master or a partition that is handed over, got {got}"
    elif operation.master == operation.to:
        yield "to", f"{operation.to} has it already"
    elif operation.master and set(named.values()) <= set(ids) and not _together(world, named):
        yield "to", f"{operation.to} is of another tier than {operation.master}"


def _together(world: WorldSettings, named: Mapping[str, str]) -> bool:
    """Whether the masters are of one tier."""
    tiers = [{master.id for master in tier.masters} for tier in world.apart]
    return any(tier.issuperset(named.values()) for tier in tiers)
