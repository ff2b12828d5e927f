"""DownAfter since the first check without a good answer: Redis Sentinel's subjectively down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hasim.services.agenda import NEVER
from hasim.services.detection.detectors.freshness import FreshnessSettings
from hasim.services.detection.detectors.looks import Looking
from hasim.services.detection.ticks import first_tick_ns
from hasim.settings import count, duration, settings
from hasim.units import SECOND


@settings
class DownAfterSettings(FreshnessSettings):
    """DownAfter of a master that was asked; Sentinel's settings."""

    down_after_ns: Annotated[
        int,
        duration(
            "A master that was asked and gave no good answer for this long is failed.",
            source="Redis Sentinel down-after-milliseconds (30 s)",
            above=0,
        ),
    ] = 30 * SECOND
    look_hz: Annotated[
        int,
        count(
            "So often in a second it looks whether that is so: at each look the next rate is "
            "drawn, from this one to twice as much less one.",
            source="Redis CONFIG_DEFAULT_HZ (10); sentinelTimer, serverCron",
            most=1000,
        ),
    ] = 10

    @property
    def look_interval_ns(self) -> int:
        """The longest time between two looks."""
        return SECOND // self.look_hz


@dataclass(slots=True)
class DownAfter(Looking):
    """Convicts when no good answer came for `down_after` since the oldest check that has none.

    What a check met is nothing to it: one that is refused is no failed check, only a good answer
    counts. As long as nothing was asked since the last good answer, silence counts from that.
    Redis Sentinel, sentinelCheckSubjectivelyDown (act_ping_time, last_avail_time).
    """

    settings: DownAfterSettings
    asked_ns: int = NEVER

    def look_ns(self, time_ns: int) -> int:
        """The first tick of its timer at or after a time."""
        return first_tick_ns(time_ns, self.phase_ns, self.settings.look_hz)

    def begin(self, now: int) -> None:
        """Watching counts as a good answer."""
        self.asked_ns = NEVER
        super(DownAfter, self).begin(now)

    def asked(self, now: int) -> None:
        """A check was sent: if it is the first without an answer, silence counts from now."""
        if self.asked_ns == NEVER:
            self.asked_ns = now
            self.due_ns = self.look_ns(now + self.patience_ns())

    def learn(self, now: int, number: int) -> None:
        """A good answer: none is owed."""
        self.asked_ns = NEVER

    def cleared(self, now: int) -> None:
        """Acquitted on somebody's word: silence counts from now."""
        if self.due_ns <= now:
            self.asked_ns = NEVER
        super(DownAfter, self).cleared(now)

    def patience_ns(self) -> int:
        """The time that an answer may take."""
        return self.settings.down_after_ns

    def words(self, now: int) -> str:
        """How long no good answer came."""
        since_ns = self.heard_ns if self.asked_ns == NEVER else self.asked_ns
        silent, allowed = (now - since_ns) / 1e9, self.settings.down_after_ns / 1e9
        return f"no good answer for {silent:.3f} s since it was asked; {allowed:.3f} s are allowed"
