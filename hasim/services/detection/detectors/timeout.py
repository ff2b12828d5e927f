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
            source="Akka DeadlineFailureDetector (3 s and a pause of 10 s); 30 s as Sentinel",
            above=0,
        ),
    ] = 30 * SECOND
    cut_off_ns: Annotated[
        int,
        duration(
            "Heartbeats that were under way for longer (checks that took longer) are discarded: a "
            "crash is detected within cut-off + timeout. 0: none is.",
            source="Chen, Toueg, Aguilera 2002, section 7 (SFD-L: 0.16 s, SFD-S: 0.08 s)",
        ),
    ] = 0


@dataclass(slots=True)
class Timeout(Freshness):
    """Convicts after so long a silence; each hearing starts the timer anew.

    With heartbeats it is Chen, Toueg and Aguilera's simple failure detector (2002, section 7): the
    detection time is the timeout and the delay of the last heartbeat, so without a cut-off it has
    no bound of its own. With probes only good answers count, and none that is refused.
    """

    settings: TimeoutSettings

    def passed(self, now: int, number: int, took_ns: int) -> None:
        """Something was heard; what was under way for longer than the cut-off was not."""
        if not 0 < self.settings.cut_off_ns < took_ns:
            super(Timeout, self).passed(now, number, took_ns)

    def patience_ns(self) -> int:
        """The timeout."""
        return self.settings.down_after_ns
