"""Whom a fault strikes."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.simulation.faults.scene import Scene
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.settings.faults import Fault, RegionOutage
from hasim.simulation.settings.faults.fault import Named
from hasim.simulation.settings.places import is_place, lies_in, place_of

REGION = "region:"
OWNER_OF = "owner-of:"


def resolve(scene: Scene, fault: Fault, draw: float) -> list[Named]:
    """Whom the fault strikes now; `draw` is a uniform for `random`."""
    names = (fault.target,) if isinstance(fault.target, str) else fault.target
    found: dict[str, Named] = {}
    for name in names:
        for one in _named(scene, fault, name, draw):
            found[one.id] = one
    return list(found.values())


def _named(scene: Scene, fault: Fault, name: str, draw: float) -> Sequence[Named]:
    pool = list(scene.pool(fault).values())
    if name == "all":
        return pool
    if name == "random" and not isinstance(fault, RegionOutage):
        return [pool[int(draw * len(pool))]]
    if fault.STRIKES == "masters":
        return _masters(scene, name, draw)
    return [scene.pool(fault)[name]]


def _masters(scene: Scene, name: str, draw: float) -> Sequence[SimMaster]:
    """Masters by where they stand or what they own; a random region."""
    masters = list(scene.masters.values())
    if name == "random":
        regions = list(dict.fromkeys(m.settings.region for m in masters))
        name = REGION + regions[int(draw * len(regions))]
    if is_place(name):
        return [m for m in masters if lies_in(place_of(m.settings), name)]
    if name.startswith(OWNER_OF):
        return [scene.masters[scene.owner_of(name.removeprefix(OWNER_OF))]]
    return [scene.masters[name]]
