"""A quorum: so many of the observers, this one among them, hold the master to be down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hasim.services.detection.confirm.telling import Telling, TellingSettings
from hasim.settings import count, settings


@settings
class QuorumSettings(TellingSettings):
    """So many observers must agree."""

    observers: Annotated[
        int,
        count(
            "How many must hold a master to be down, this one included; 0: more than half.",
            source="Vitess PrimaryTabletUnreachableByQuorum; k of n",
            least=0,
        ),
    ] = 0

    @property
    def least_observers(self) -> int:
        """Those that must agree."""
        return max(1, self.observers)


@dataclass(slots=True)
class Quorum(Telling):
    """Declares when so many of the observers hold the master to be down, this one among them."""

    settings: QuorumSettings

    def confirms(self, now: int, master: str, *, convicted: bool) -> bool:
        """If the own detector convicts, and enough others do."""
        needed = self.settings.observers or (len(self.peers) + 1) // 2 + 1
        return convicted and self._down(now, master) >= needed
