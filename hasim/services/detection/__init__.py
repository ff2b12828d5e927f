"""Failure detection: evidence source x detector x confirmation, and the service that declares."""

from hasim.services.detection.service import FailoverDetectionService
from hasim.services.detection.settings import DetectionSettings

__all__ = ["DetectionSettings", "FailoverDetectionService"]
