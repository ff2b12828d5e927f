"""A share: a master is healthy as long as more than so many of the observers say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hasim.services.detection.confirm.telling import Telling, TellingSettings
from hasim.settings import settings, share


@settings
class ShareSettings(TellingSettings):
    """A share of the observers is enough to keep a master healthy."""

    healthy_share: Annotated[
        float,
        share(
            "A master is healthy if more than this share of the observers says so.",
            source="Amazon Route 53: more than 18 % of the health checkers",
        ),
    ] = 0.18


@dataclass(slots=True)
class Share(Telling):
    """Declares by the share of observers that hold the master to be healthy, whoever they are.

    What this observer holds counts as any other's. Of those whose opinion is not known or too old
    nothing is counted.
    """

    settings: ShareSettings

    def confirms(self, now: int, master: str, *, convicted: bool) -> bool:
        """If no more than that share holds it to be healthy."""
        down = self._down(now, master)
        return down > 0 and not self._enough(now, master)

    def acquits(self, now: int, master: str) -> bool:
        """If more than that share does."""
        return self._enough(now, master)

    def forbids(self, now: int, master: str) -> bool:
        """If no more than that share does."""
        return not self._enough(now, master)

    def _enough(self, now: int, master: str) -> bool:
        down = self._down(now, master)
        healthy = self.opinions.count(now, master, self.settings.valid_ns, down=False)
        healthy += master not in self.convicted
        return healthy > self.settings.healthy_share * (healthy + down)
