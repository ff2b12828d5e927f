"""Whom a fault strikes."""

from __future__ import annotations

from hasim.simulation.faults.scene import Scene
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.settings.faults import Fault, RegionOutage

REGION = "region:"
OWNER_OF = "owner-of:"


def resolve(scene: Scene, fault: Fault, draw: float) -> list[SimMaster]:
    """The masters that the fault strikes now; `draw` is a uniform for `random`."""
    names = (fault.target,) if isinstance(fault.target, str) else fault.target
    found: dict[str, SimMaster] = {}
    for name in names:
        for master in _named(scene, fault, name, draw):
            found[master.id] = master
    return list(found.values())


def _named(scene: Scene, fault: Fault, name: str, draw: float) -> list[SimMaster]:
    masters = list(scene.masters.values())
    if name == "random" and isinstance(fault, RegionOutage):
        regions = list(dict.fromkeys(m.settings.region for m in masters))
        name = REGION + regions[int(draw * len(regions))]
    if name == "all":
        return masters
    if name == "random":
        return [masters[int(draw * len(masters))]]
    if name.startswith(REGION):
        return [m for m in masters if m.settings.region == name.removeprefix(REGION)]
    if name.startswith(OWNER_OF):
        return [scene.masters[scene.owner_of(name.removeprefix(OWNER_OF))]]
    return [scene.masters[name]]
