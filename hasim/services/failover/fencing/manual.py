"""Fencing by hand: nothing is promoted before somebody says that the others are off."""

from __future__ import annotations

from typing import Annotated, ClassVar

from hasim.events import Output
from hasim.model import Status
from hasim.services.failover.failover import Failover
from hasim.services.failover.fencing.fencing import Fencing, FencingSettings
from hasim.settings import duration, settings
from hasim.units import MINUTE


@settings
class ManualSettings(FencingSettings):
    """Nothing is done but to wait for an operator."""

    ONE_PRIMARY: ClassVar[bool] = False
    """The word of an operator is believed, and may be wrong."""
    look_interval_ns: Annotated[
        int,
        duration(
            "A failover that waits for somebody's word looks this often whether its time is over "
            "(`limit`).",
            above=0,
        ),
    ] = MINUTE

    @property
    def longest_ns(self) -> int:
        """From look to look."""
        return self.look_interval_ns


class Manual(Fencing):
    """Nothing is promoted before an operator says that whoever may accept writes is off.

    The operation `confirm-off` says so; an owner that returns healthy goes on, and the failover is
    called off. (Kubernetes: the pods of a stateful set on a node that is not ready are replaced
    when somebody taints it out-of-service, and else when it is back; Pacemaker: `stonith_admin
    --confirm`.)
    """

    settings: ManualSettings

    def __init__(self, settings: ManualSettings) -> None:
        self.settings = settings

    def spared(self, master: str) -> bool:
        """Whoever is declared healthy is told to stop: nobody pulls its plug."""
        return self._known.statuses[master] is Status.HEALTHY

    def strike(self, now: int, failover: Failover, master: str) -> list[Output]:
        """Wait."""
        failover.deadline_ns = now + self.settings.look_interval_ns
        return []
