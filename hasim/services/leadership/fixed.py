"""No election: the first observer acts, whatever becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.model import Cluster
from hasim.services.detection.chance import Chance
from hasim.services.leadership.leader import Leader, LeaderSettings
from hasim.settings import settings


@settings
class FixedSettings(LeaderSettings):
    """Nothing to set."""


@dataclass(slots=True)
class Fixed(Leader):
    """The first observer acts; the others only detect, and give their opinion."""

    settings: FixedSettings
    leads: bool = True
    ballot: int = 1

    @property
    def alone(self) -> bool:
        """There is nobody to be elected."""
        return True

    def meet(self, me: str, cluster: Cluster, chance: Chance) -> None:
        """It leads."""
        self.leads = True
