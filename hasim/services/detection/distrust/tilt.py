"""TILT: an observer that was asleep declares nobody for a while (Redis Sentinel)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hasim.services.agenda import NEVER
from hasim.services.detection.distrust.distrust import Distrust, DistrustSettings
from hasim.settings import duration, settings
from hasim.units import SECOND


@settings
class TiltSettings(DistrustSettings):
    """Sentinel's settings."""

    tilt_after_ns: Annotated[
        int,
        duration(
            "An observer that is woken so much later than it wanted to be is in tilt.",
            source="Redis SENTINEL_TILT_TRIGGER (2 s between two runs of its timer)",
            above=0,
        ),
    ] = 2 * SECOND
    tilt_period_ns: Annotated[
        int,
        duration(
            "It is so until nothing of the kind has happened for this long.",
            source="Redis SENTINEL_TILT_PERIOD: 30 x SENTINEL_PING_PERIOD (30 s)",
            above=0,
        ),
    ] = 30 * SECOND


@dataclass(slots=True)
class Tilt(Distrust):
    """In tilt it goes on to watch, and holds nobody to be down, also when others ask it.

    What it convicts then is suspected; when the tilt is over, it looks at all masters anew.
    (redis/src/sentinel.c, sentinelCheckTiltCondition, sentinelHandleRedisInstance.)
    """

    settings: TiltSettings
    until_ns: int = NEVER

    def late(self, now: int, due_ns: int) -> None:
        """In tilt from now on, if that is too late."""
        if now - due_ns > self.settings.tilt_after_ns:
            self.until_ns = now + self.settings.tilt_period_ns

    def holds(self, now: int) -> bool:
        """Whether it is in tilt."""
        return self.until_ns != NEVER and now < self.until_ns

    def ends_ns(self) -> int:
        """When that is over."""
        return self.until_ns

    def ended(self, now: int) -> bool:
        """Whether that was over just now."""
        if self.until_ns == NEVER or now < self.until_ns:
            return False
        self.until_ns = NEVER
        return True

    def words(self) -> str:
        """Until when."""
        return f"in tilt until {self.until_ns / 1e9:.3f} s, as it was woken late"
