"""ED: the chance that a heartbeat should have come by now, by an exponential law of the gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated

from hasim.services.detection.detectors.freshness import Freshness, FreshnessSettings
from hasim.services.detection.detectors.phi import Gaps
from hasim.settings import count, settings, share
from hasim.units import format_percent

MOST = 1 - 1e-12
"""Beyond it a float does not tell a share from 1, which no silence reaches."""


@settings
class ExponentialSettings(FreshnessSettings):
    """Silence that so large a share of exponential gaps would have ended convicts."""

    certainty: Annotated[
        float,
        share(
            "The share of gaps that would have ended by now (E_d), from which on a master is "
            "failed: 99 % is 4.6 mean gaps. The authors sweep it and name no default.",
            source="Xiong, Defago 2007",
            most=MOST,
        ),
    ] = 0.99
    samples: Annotated[
        int, count("Gaps that are remembered.", source="Xiong, Defago 2007 (1000)")
    ] = 1000


@dataclass(slots=True)
class Exponential(Freshness):
    """Convicts when 1 - exp(-t / mean gap) reaches a share: after -ln(1 - E) mean gaps.

    Naixue Xiong, Xavier Defago: ED FD, improving the phi accrual failure detector, JAIST research
    report IS-RR-2007-007. It differs from Cassandra's phi in scale alone (phi x ln 10 mean gaps,
    with phi = -log10(1 - E)). The window begins with one gap, the interval.
    """

    settings: ExponentialSettings
    gaps: Gaps = field(default_factory=Gaps)
    heard: bool = False

    def forget(self) -> None:
        """As if the interval were all that is known."""
        self.gaps, self.heard = Gaps(), False
        self.gaps.learn(self.period_ns, self.settings.samples)

    def learn(self, now: int, number: int) -> None:
        """One more gap."""
        if self.heard:
            self.gaps.learn(now - self.heard_ns, self.settings.samples)
        self.heard = True

    def patience_ns(self) -> int:
        """Until the share is reached."""
        return round(-math.log1p(-self.settings.certainty) * self._mean_ns())

    def suspicion(self, now: int) -> float:
        """The share of gaps that would have ended by now, as a share of the one that convicts."""
        ended = -math.expm1(-max(0, now - self.heard_ns) / self._mean_ns())
        return ended / max(self.settings.certainty, 1e-12)

    def words(self, now: int) -> str:
        """How long nothing was heard, and how many gaps would have ended by then."""
        silent, share = (now - self.heard_ns) / 1e9, format_percent(self.settings.certainty)
        return f"nothing heard for {silent:.3f} s: {share} of the gaps would have ended by now"

    def _mean_ns(self) -> float:
        # Who was never begun has not even the gap that the window begins with.
        return max(1.0, self.gaps.mean_ns() if self.gaps.gaps else float(self.period_ns))
