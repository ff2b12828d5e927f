"""Bertier's detector: Chen's expected arrival, with a margin that learns from its own errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from hasim.services.detection.detectors.arrivals import Arrivals
from hasim.services.detection.detectors.freshness import Freshness, FreshnessSettings
from hasim.settings import count, factor, settings, share


@settings
class BertierSettings(FreshnessSettings):
    """The margin follows the errors of the expectation, as TCP's timeout follows round trips."""

    NUMBERED: ClassVar[bool] = True

    gain: Annotated[
        float,
        share(
            "Weight of a new error (gamma).",
            source="Bertier, Marin, Sens, DSN 2002 (0.1); Jacobson 1988",
        ),
    ] = 0.1
    of_delay: Annotated[
        float, factor("Mean errors in the margin (beta).", source="Bertier et al. 2002 (1)")
    ] = 1.0
    of_spread: Annotated[
        float, factor("Mean deviations in the margin (phi).", source="Bertier et al. 2002 (4)")
    ] = 4.0
    samples: Annotated[
        int, count("Arrivals that the estimate rests on.", source="Bertier et al. 2002 (1000)")
    ] = 1000


@dataclass(slots=True)
class Bertier(Freshness):
    """Convicts as Chen's detector does, with a margin that learns from its own errors.

    tau(l+1) = EA(l+1) + beta delay + phi var, updated with each arrival A of number l by
    error = A - EA(l) - delay;  delay += gamma error;  var += gamma (|error| - var).

    Marin Bertier, Olivier Marin, Pierre Sens: Implementation and performance evaluation of an
    adaptable failure detector, DSN 2002. At the start the delay is a quarter of the interval.
    """

    settings: BertierSettings
    arrivals: Arrivals = field(default_factory=Arrivals)
    delay_ns: float = 0.0
    spread_ns: float = 0.0

    def forget(self) -> None:
        """No arrivals and no errors are known."""
        self.arrivals = Arrivals()
        self.delay_ns, self.spread_ns = self.period_ns / 4, 0.0

    def learn(self, now: int, number: int) -> None:
        """One more arrival, and how far off its expectation was."""
        if self.arrivals.offsets:
            gain = self.settings.gain
            expected_ns = self.arrivals.expected_ns(number, self.period_ns)
            error_ns = now - expected_ns - self.delay_ns
            self.delay_ns += gain * error_ns
            self.spread_ns += gain * (abs(error_ns) - self.spread_ns)
        self.arrivals.learn(now, number, self.period_ns, self.settings.samples)

    def fresh_until_ns(self, now: int, number: int) -> int:
        """The expected arrival of the next number and the margin."""
        return self.arrivals.expected_ns(number + 1, self.period_ns) + self._margin_ns()

    def patience_ns(self) -> int:
        """An interval and the margin."""
        return self.period_ns + self._margin_ns()

    def _margin_ns(self) -> int:
        own = self.settings
        return round(own.of_delay * self.delay_ns + own.of_spread * self.spread_ns)
