"""How many incidents a replication may be expected to have, and so how many a quantile takes."""

from __future__ import annotations

import math

from hasim.simulation.laws import DurationLaw
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.faults import Fault
from hasim.study.estimates.statistics import needed


def incidents_of(world: WorldSettings) -> float | None:
    """About how many incidents a replication has; None if faults are recorded.

    Impairing faults that begin within the horizon: a mean for laws. Faults of a place count once
    for all of its masters, and faults that overlap are not joined.
    """
    found = 0.0
    for fault in world.faults:
        if not fault.impairing or fault.STRIKES != "masters":
            continue
        if fault.schedule is not None:
            return None
        found += _struck(world, fault) * _starts(world, fault)
    return found


def replications_for(p: float, world: WorldSettings) -> int | None:
    """The replications of a cell whose incidents bound a quantile on both sides.

    None if faults are recorded, or there are none.
    """
    each = incidents_of(world)
    return math.ceil(needed(p) / each) if each else None


def _struck(world: WorldSettings, fault: Fault) -> int:
    if isinstance(fault.target, tuple):
        return len(fault.target)
    return len(world.all_masters) if fault.target in ("each", "all") else 1


def _starts(world: WorldSettings, fault: Fault) -> float:
    if fault.every is not None:
        return world.horizon_ns / (fault.every.mean_ns + fault.for_.mean_ns)
    return sum(_begins(start, world.horizon_ns) for start in fault.at)


def _begins(start: DurationLaw, horizon_ns: int) -> bool:
    return start.mean_ns < horizon_ns
