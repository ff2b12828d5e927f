"""Phi with exponential gaps, as Cassandra and Scylla compute it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated

from hasim.services.detection.detectors.freshness import Freshness, FreshnessSettings
from hasim.services.detection.detectors.phi import Gaps
from hasim.settings import count, factor, settings


@settings
class ExponentialPhiSettings(FreshnessSettings):
    """Silence of so many mean gaps convicts; Cassandra's settings and defaults."""

    threshold: Annotated[
        float,
        factor(
            "The phi from which on a master is failed.",
            source="Cassandra phi_convict_threshold (8)",
        ),
    ] = 8.0
    samples: Annotated[
        int, count("Gaps that are remembered.", source="Cassandra FailureDetector (1000)")
    ] = 1000


@dataclass(slots=True)
class ExponentialPhi(Freshness):
    """Convicts after phi x ln 10 mean gaps (18.42 with phi = 8): exponential gaps, as in Cassandra.

    The tail of an exponential law, P = exp(-t / mean) (Cassandra, gms/FailureDetector). A window
    begins with a gap of twice the interval, as it is better to err on the long side, and gaps that
    are longer than that are not learned (fd_initial_value_ms, fd_max_interval_ms).
    """

    settings: ExponentialPhiSettings
    gaps: Gaps = field(default_factory=Gaps)
    heard: bool = False

    def forget(self) -> None:
        """No gaps are known."""
        self.gaps, self.heard = Gaps(), False

    def learn(self, now: int, number: int) -> None:
        """One more gap; the first hearing ends none, and counts as a long one."""
        longest_ns = 2 * self.period_ns
        gap_ns = now - self.heard_ns if self.heard else longest_ns
        if gap_ns <= longest_ns:
            self.gaps.learn(gap_ns, self.settings.samples)
        self.heard = True

    def patience_ns(self) -> int:
        """The threshold in mean gaps."""
        mean_ns = self.gaps.mean_ns() if self.gaps.gaps else float(self.period_ns)
        return round(self.settings.threshold * math.log(10) * mean_ns)
