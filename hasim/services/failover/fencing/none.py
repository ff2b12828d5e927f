"""No fencing: nobody is made to stop before somebody is promoted."""

from __future__ import annotations

from typing import ClassVar

from hasim.events import Output
from hasim.services.failover.failover import Failover
from hasim.services.failover.fencing.fencing import Fencing, FencingSettings
from hasim.settings import settings


@settings
class NoFencingSettings(FencingSettings):
    """Nobody is powered off; an old owner is told to step down as soon as it is heard of."""

    ONE_PRIMARY: ClassVar[bool] = False


class NoFencing(Fencing):
    """Nobody is powered off: until an old owner has heard that it shall stop, two may be primary.

    Their seconds are counted. (Redis Sentinel; MHA without a shutdown script.)
    """

    settings: NoFencingSettings
    USED: ClassVar[bool] = False

    def __init__(self, settings: NoFencingSettings) -> None:
        self.settings = settings

    def strike(self, now: int, failover: Failover, master: str) -> list[Output]:
        """Nobody is struck: nobody is dangerous."""
        return []
