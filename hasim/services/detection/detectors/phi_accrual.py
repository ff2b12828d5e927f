"""Phi-accrual with normal gaps: as Akka computes it, and with the exact normal tail."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated

from hasim.services.detection.detectors.freshness import Freshness, FreshnessSettings
from hasim.services.detection.detectors.phi import (
    MOST,
    Gaps,
    deviations_at,
    logistic_phi,
    normal_phi,
)
from hasim.settings import count, duration, factor, settings
from hasim.units import MILLISECOND, SECOND


@settings
class PhiAccrualSettings(FreshnessSettings):
    """Suspicion grows with silence, by the gaps that there were; Akka's settings and defaults."""

    threshold: Annotated[
        float,
        factor(
            "The phi from which on a master is failed.",
            source="Akka cluster failure-detector threshold (8.0)",
            most=MOST,
        ),
    ] = 8.0
    samples: Annotated[
        int, count("Gaps that are remembered.", source="Akka max-sample-size (1000)")
    ] = 1000
    min_deviation_ns: Annotated[
        int,
        duration(
            "The standard deviation is taken to be at least this.",
            source="Akka min-std-deviation (100 ms)",
            above=0,
        ),
    ] = 100 * MILLISECOND
    acceptable_pause_ns: Annotated[
        int,
        duration(
            "Silence beyond the mean gap that is no reason to suspect.",
            source="Akka acceptable-heartbeat-pause (3 s)",
        ),
    ] = 3 * SECOND


@settings
class NormalPhiSettings(PhiAccrualSettings):
    """The same, with the exact tail of the normal law."""


@dataclass(slots=True)
class PhiAccrual(Freshness):
    """Convicts when silence is as unlikely as 10^-phi by the gaps before, by Akka's formula.

    phi(t) is of y = (t - mean - pause) / max(deviation, least), with a logistic for the normal law.

    A window begins with two gaps, mean -/+ a quarter of it, the mean being the interval; a gap that
    ends while the master is suspected is not remembered (akka-remote, PhiAccrualFailureDetector).
    On a steady network with Akka's defaults the threshold is reached 1 + 3 + 5.226 x 0.1 = 4.52 s
    after the last heartbeat.
    """

    settings: PhiAccrualSettings
    gaps: Gaps = field(default_factory=Gaps)
    heard: bool = False

    @staticmethod
    def phi_of(deviations: float) -> float:
        """Phi at so many standard deviations beyond the mean and the pause."""
        return logistic_phi(deviations)

    def forget(self) -> None:
        """As if the interval were all that is known."""
        self.gaps, self.heard = Gaps(), False
        spread_ns = self.period_ns // 4
        for gap_ns in (self.period_ns - spread_ns, self.period_ns + spread_ns):
            self.gaps.learn(gap_ns, self.settings.samples)

    def learn(self, now: int, number: int) -> None:
        """One more gap, unless the master was suspected meanwhile."""
        if self.heard and now < self.due_ns:
            self.gaps.learn(now - self.heard_ns, self.settings.samples)
        self.heard = True

    def patience_ns(self) -> int:
        """Until phi reaches the threshold."""
        # Written out, since each heartbeat asks for it.
        own, gaps = self.settings, self.gaps
        n, total = len(gaps.gaps), gaps.total
        if not n:  # it was never begun
            y = deviations_at(self.phi_of, own.threshold)
            return round(self._mean_ns() + y * self._deviation_ns())
        deviation_ns = math.sqrt(n * gaps.squares - total * total) / n
        deviation_ns = max(deviation_ns, own.min_deviation_ns)
        y = deviations_at(self.phi_of, own.threshold)
        return round(total / n + own.acceptable_pause_ns + y * deviation_ns)

    def suspicion(self, now: int) -> float:
        """Phi as a share of the threshold."""
        return self.phi(now) / self.settings.threshold

    def phi(self, now: int) -> float:
        """The suspicion on Akka's scale."""
        y = (now - self.heard_ns - self._mean_ns()) / self._deviation_ns()
        return max(0.0, self.phi_of(y))

    def report(self, now: int) -> dict[str, object]:
        """Phi, and the time since the last hearing."""
        return {"phi": self.phi(now), "silent_s": (now - self.heard_ns) / 1e9}

    def _mean_ns(self) -> float:
        mean_ns = self.gaps.mean_ns() if self.gaps.gaps else float(self.period_ns)
        return mean_ns + self.settings.acceptable_pause_ns

    def _deviation_ns(self) -> float:
        least_ns = float(self.settings.min_deviation_ns)
        return max(self.gaps.deviation_ns(), least_ns) if self.gaps.gaps else least_ns


@dataclass(slots=True)
class NormalPhi(PhiAccrual):
    """As phi-accrual, by the exact normal tail: phi = 8 at y = 5.612, not at 5.226."""

    settings: NormalPhiSettings

    @staticmethod
    def phi_of(deviations: float) -> float:
        """The exact normal tail."""
        return normal_phi(deviations)
