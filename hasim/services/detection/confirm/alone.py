"""No confirmation: what this observer's detector says is declared."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.services.detection.confirm.confirmation import Confirmation, ConfirmationSettings
from hasim.settings import settings


@settings
class AloneSettings(ConfirmationSettings):
    """One observer's conviction is enough."""


@dataclass(slots=True)
class Alone(Confirmation):
    """One observer's conviction is enough (HAProxy, Envoy, kubelet: each decides for itself)."""

    settings: AloneSettings

    def confirms(self, now: int, master: str, *, convicted: bool) -> bool:
        """If the own detector convicts."""
        return convicted
