"""A fixed timeout since something good was last heard: the detector that nearly everybody has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hasim.services.detection.detectors.freshness import Freshness, FreshnessSettings
from hasim.settings import duration, settings
from hasim.units import SECOND


@settings
class TimeoutSettings(FreshnessSettings):
    """Silence for a fixed time convicts."""

    down_after_ns: Annotated[
        int,
        duration(
            "Silence for this long makes a master failed.",
            source="Redis Sentinel down-after-milliseconds (30 s)",
            above=0,
        ),
    ] = 30 * SECOND


@dataclass(slots=True)
class Timeout(Freshness):
    """Convicts after so long a silence; each hearing starts the timer anew.

    With heartbeats it is Chen, Toueg and Aguilera's simple failure detector without a cut-off
    (2002, section 7): the detection time is the timeout and the delay of the last heartbeat, so it
    has no bound of its own. With probes it is Sentinel's: a check that is refused is no failed
    check, only the absence of a good answer counts.
    """

    settings: TimeoutSettings

    def patience_ns(self) -> int:
        """The timeout."""
        return self.settings.down_after_ns
