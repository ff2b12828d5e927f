"""A lease with grace: it must be renewed, and somebody looks every so often whether it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hasim.services.detection.detectors.freshness import FreshnessSettings
from hasim.services.detection.detectors.looks import Looking
from hasim.settings import duration, settings
from hasim.units import SECOND


@settings
class LeaseSettings(FreshnessSettings):
    """A lease that heartbeats renew; Kubernetes' settings."""

    grace_ns: Annotated[
        int,
        duration(
            "A lease that was not renewed for this long has run out.",
            source="Kubernetes node-monitor-grace-period (40 s; 50 s from 1.32 on)",
            above=0,
        ),
    ] = 40 * SECOND
    look_interval_ns: Annotated[
        int,
        duration(
            "So often somebody looks which leases have run out, with a phase of its own.",
            source="Kubernetes node-monitor-period (5 s)",
            above=0,
        ),
    ] = 5 * SECOND


@dataclass(slots=True)
class Lease(Looking):
    """Convicts at the first look at which the lease has run out: not renewed for the grace.

    Kubernetes' node lease: renewed each 10 s, grace 40 s, looked at each 5 s (node lifecycle
    controller). Then a node that falls silent at any time is detected after U(30, 40) + U(0, 5) s:
    10 % within 33.2 s, half within 37.5 s, 90 % within 41.8 s.
    """

    settings: LeaseSettings

    def patience_ns(self) -> int:
        """The grace."""
        return self.settings.grace_ns

    def words(self, now: int) -> str:
        """How long it was not renewed, and how long it need not be."""
        silent, grace = (now - self.heard_ns) / 1e9, self.settings.grace_ns / 1e9
        return f"the lease was not renewed for {silent:.3f} s; its grace is {grace:.3f} s"
