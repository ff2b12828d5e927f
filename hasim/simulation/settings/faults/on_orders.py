"""The kinds of faults that wait for an order of the control plane."""

from __future__ import annotations

from typing import Literal

from hasim.settings import settings
from hasim.simulation.settings.faults.fault import Cure, Fault, Masters, Reach


@settings
class BackupDies(Fault):
    """While active, a master that is told to promote itself crashes instead, once."""

    kind: Literal["backup-dies"]

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """Arms a trap; the crash that it springs is a fault of its own, cured with this one."""
        watched = {master.id for master in masters}
        crash_cures: list[Cure] = []

        def trap(master: str) -> bool:
            if master not in watched or crash_cures:
                return False
            crash_cures.append(reach.crash(master, self.strength))
            return True

        reach.traps.promotions.append(trap)

        def cure() -> None:
            reach.traps.promotions.remove(trap)
            for cure_crash in crash_cures:
                cure_crash()

        return cure


@settings
class TransferFailure(Fault):
    """While active, state transfers to the target break off half-way: the copy is torn."""

    kind: Literal["transfer-failure"]

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """Tear what arrives at them."""

        def tear(by: int) -> None:
            for master in masters:
                reach.traps.tear(master.id, by)

        tear(1)
        return lambda: tear(-1)
