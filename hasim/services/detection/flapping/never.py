"""No flap detection: as many passed checks acquit as the detector wants, however often."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.services.detection.flapping.flapping import Flapping, FlappingSettings
from hasim.settings import settings


@settings
class NeverSettings(FlappingSettings):
    """Nobody is held down."""


@dataclass(slots=True)
class Never(Flapping):
    """Nobody is held down (HAProxy, Kubernetes: `rise` passed checks are enough each time)."""

    settings: NeverSettings
