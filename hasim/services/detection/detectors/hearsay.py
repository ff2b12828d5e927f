"""Hearsay: who watches is somebody else, and what is heard of it is believed."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.services.detection.detectors.detector import Detector, DetectorSettings, Opinion
from hasim.settings import settings


@settings
class HearsaySettings(DetectorSettings):
    """Nothing to set: who watches has the settings."""


@dataclass(slots=True)
class Hearsay(Detector):
    """Convicts when evidence says by itself that a master is dead; less than that is a suspicion.

    For evidence that has weighed already: in a gossip, the members do (Consul believes Serf).
    """

    settings: HearsaySettings
    doubted: bool = False

    def failed(self, now: int) -> None:
        """Somebody suspects it."""
        self.doubted = True

    def passed(self, now: int, number: int, took_ns: int) -> None:
        """It is alive."""
        self.doubted = False

    def cleared(self, now: int) -> None:
        """It is alive."""
        self.doubted = False

    def opinion(self, now: int) -> Opinion:
        """SUSPECT as long as somebody does."""
        return Opinion.SUSPECT if self.doubted else Opinion.TRUST

    def suspicion(self, now: int) -> float:
        """Half of what convicts, while somebody suspects it."""
        return 0.5 * self.doubted
