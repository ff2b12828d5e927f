"""2W-FD: Chen's estimate over a short and a long window, of which the later one counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from hasim.services.detection.detectors.arrivals import Arrivals
from hasim.services.detection.detectors.freshness import Freshness, FreshnessSettings
from hasim.settings import count, duration, settings
from hasim.units import MILLISECOND


@settings
class TwoWindowsSettings(FreshnessSettings):
    """Two windows of arrivals: the short one follows a sudden change, the long one stays calm."""

    NUMBERED: ClassVar[bool] = True

    margin_ns: Annotated[
        int,
        duration(
            "Beyond the later of the two expected arrivals.",
            source="Tomsic et al., IPDPS 2015",
        ),
    ] = 500 * MILLISECOND
    short: Annotated[
        int, count("Arrivals in the short window.", source="Tomsic et al., IPDPS 2015 (1)")
    ] = 1
    long: Annotated[
        int, count("Arrivals in the long window.", source="Tomsic et al., IPDPS 2015 (1000)")
    ] = 1000


@dataclass(slots=True)
class TwoWindows(Freshness):
    """Convicts as Chen's detector does, by the later of a short and a long window.

    tau(l+1) = max(EA short, EA long) + margin (Tomsic, Sens, Garcia, Arantes, Sopena: 2W-FD,
    IPDPS 2015).
    """

    settings: TwoWindowsSettings
    recent: Arrivals = field(default_factory=Arrivals)
    past: Arrivals = field(default_factory=Arrivals)

    def forget(self) -> None:
        """No arrivals are known."""
        self.recent, self.past = Arrivals(), Arrivals()

    def learn(self, now: int, number: int) -> None:
        """One more arrival."""
        own, period_ns = self.settings, self.period_ns
        self.recent.learn(now, number, period_ns, own.short)
        self.past.learn(now, number, period_ns, own.long)

    def fresh_until_ns(self, now: int, number: int) -> int:
        """The later expectation and the margin."""
        recent, past = self.recent, self.past
        # The number adds as much to both.
        mean_ns = max(recent.total // len(recent.offsets), past.total // len(past.offsets))
        return mean_ns + (number + 1) * self.period_ns + self.settings.margin_ns

    def patience_ns(self) -> int:
        """An interval and the margin."""
        return self.period_ns + self.settings.margin_ns
