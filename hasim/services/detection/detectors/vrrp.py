"""VRRP's rule: three advertisements and a skew without one, and the master is down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hasim.services.detection.detectors.freshness import Freshness, FreshnessSettings
from hasim.settings import count, settings
from hasim.units import SECOND

ADVERTS = 3
"""So many intervals of silence are allowed, and a skew (RFC 3768 and RFC 5798, section 6.1)."""
PRIORITIES = 256


@settings
class VrrpSettings(FreshnessSettings):
    """What a backup needs to know to say when the master is down."""

    priority: Annotated[
        int,
        count(
            "Priority of the backup: the lower it is, the longer it waits.",
            source="RFC 3768, section 5.3.4 (default 100)",
            most=PRIORITIES - 1,
        ),
    ] = 100
    vrrp_version: Annotated[
        int,
        count(
            "In version 2 the skew is a part of a second, in version 3 of the interval.",
            source="RFC 3768, RFC 5798 (keepalived: 2 by default)",
            least=2,
            most=3,
        ),
    ] = 2


@dataclass(slots=True)
class Vrrp(Freshness):
    """Convicts after three intervals and a skew of silence, the interval being the heartbeats'.

    A master that stops in good order says so by an advertisement of priority 0: then the skew alone
    is waited for (RFC 3768, section 6.4.2; RFC 5798, section 6.4.2).

    Master_Down_Interval = 3 x advert + skew; skew = (256 - priority) / 256 of a second (VRRP 2,
    RFC 3768) or of the interval (VRRP 3, RFC 5798). So a crash is detected after
    U(2, 3) adverts + skew, as the last one was heard up to one before.
    """

    settings: VrrpSettings

    def left(self, now: int) -> None:
        """An advertisement of priority 0."""
        self.heard_ns, self.due_ns = now, min(self.due_ns, now + self.skew_ns)

    def patience_ns(self) -> int:
        """The Master_Down_Interval."""
        return ADVERTS * self.period_ns + self.skew_ns

    @property
    def skew_ns(self) -> int:
        """Skew_Time: the lower the backup's priority, the longer it is."""
        own = self.settings
        of_ns = SECOND if own.vrrp_version == 2 else self.period_ns
        return of_ns * (PRIORITIES - own.priority) // PRIORITIES
