"""No distrust: an observer that was late acts on what it finds."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.services.detection.distrust.distrust import Distrust, DistrustSettings
from hasim.settings import settings


@settings
class TrustingSettings(DistrustSettings):
    """It always trusts itself."""


@dataclass(slots=True)
class Trusting(Distrust):
    """It always trusts itself; a late observer hears the answers that wait before it judges."""

    settings: TrustingSettings
