"""NFD-E: a freshness point for each heartbeat, from estimated arrivals (Chen et al. 2002)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from hasim.services.detection.detectors.arrivals import Arrivals
from hasim.services.detection.detectors.freshness import Freshness, FreshnessSettings
from hasim.settings import count, duration, settings
from hasim.units import MILLISECOND


@settings
class ChenSettings(FreshnessSettings):
    """The next heartbeat is expected from the arrivals of the last ones, plus a margin."""

    NUMBERED: ClassVar[bool] = True

    margin_ns: Annotated[
        int,
        duration(
            "Beyond the expected arrival of the next heartbeat (alpha): a crash is detected within "
            "interval + margin + mean delay.",
            source="Chen, Toueg, Aguilera 2002, section 6; chosen by their configurator",
        ),
    ] = 500 * MILLISECOND
    samples: Annotated[
        int,
        count("Arrivals that the estimate rests on.", source="Chen et al. 2002, section 7 (32)"),
    ] = 32


@dataclass(slots=True)
class Chen(Freshness):
    """Convicts when the next heartbeat is late by a margin, by the mean of past arrivals.

    tau(l+1) = EA(l+1) + alpha, with l the highest number heard.

    What a heartbeat's delay was has no part in it, so the detection time is bounded by interval +
    margin + mean delay, and mistakes come as with NFD-S at delta = mean delay + margin
    (Chen, Toueg, Aguilera: On the quality of service of failure detectors, IEEE ToC 51(5), 2002).
    """

    settings: ChenSettings
    arrivals: Arrivals = field(default_factory=Arrivals)

    def forget(self) -> None:
        """No arrivals are known."""
        self.arrivals = Arrivals()

    def learn(self, now: int, number: int) -> None:
        """One more arrival."""
        self.arrivals.learn(now, number, self.period_ns, self.settings.samples)

    def fresh_until_ns(self, now: int, number: int) -> int:
        """The freshness point of the next number."""
        return self.arrivals.expected_ns(number + 1, self.period_ns) + self.settings.margin_ns

    def patience_ns(self) -> int:
        """An interval and the margin."""
        return self.period_ns + self.settings.margin_ns
