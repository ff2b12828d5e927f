"""When a master's next probe is due: the interval for its verdict, its rhythm, its jitter."""

from __future__ import annotations

from hasim.model import Status
from hasim.services.detection.chance import Chance
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.verdicts import SETTLED


class Pace:
    """The waits between the probes of any master; times in nanoseconds."""

    def __init__(self, settings: ProbeSettings, chance: Chance) -> None:
        own = settings
        self.by_clock = own.rhythm == "clock"
        self.jittered = bool(
            own.spread_checks or own.interval_jitter_ns or own.interval_jitter_percent
        )
        self._settings = settings
        self._chance = chance

    def wait_ns(self, status: Status) -> int:
        """The interval of a master with this verdict, without jitter."""
        if status is Status.FAILED:
            return self._settings.down_ns
        return self._settings.interval_ns if status in SETTLED else self._settings.fast_ns

    def first_ns(self, master: str) -> int:
        """From the end of a master's first probe (by the clock: from its start) to the second."""
        drawn = self._settings.phase == "drawn"
        return round(self._settings.interval_ns * (self._chance.phase(master) if drawn else 1.0))

    def tick_ns(self, tick_ns: int, wait_ns: int, after_ns: int) -> int:
        """The next tick after `tick_ns` by a clock, if the probe of that one ended at `after_ns`.

        One that ends at a tick is over by then: the next goes out at once.
        """
        return tick_ns + max(1, -(-(after_ns - tick_ns) // wait_ns)) * wait_ns

    def jitter_ns(self, master: str, number: int, wait_ns: int) -> int:
        """By how much the wait after probe `number` of a master is longer (or shorter)."""
        own = self._settings
        purpose, first = f"wait:{master}", 3 * number
        spread, added, share = (self._chance.draw(purpose, first + i) for i in range(3))
        return round(
            own.spread_checks * wait_ns * (2.0 * spread - 1.0)
            + own.interval_jitter_ns * added
            + own.interval_jitter_percent * wait_ns * share
        )
