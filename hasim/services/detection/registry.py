"""Detectors, sources of evidence and confirmations by name: one line for each, and users' own.

``DETECTORS.register("my-own", MyDetector)`` adds one of a user's own.
"""

from __future__ import annotations

from hasim.services.detection.confirm.alone import Alone
from hasim.services.detection.confirm.confirmation import Confirmation
from hasim.services.detection.detectors.detector import Detector
from hasim.services.detection.detectors.threshold import Threshold
from hasim.services.detection.evidence.messages import Messages
from hasim.services.detection.evidence.probes import Probes
from hasim.services.detection.evidence.source import Source
from hasim.settings.registry import Registry

DETECTORS: Registry[Detector] = Registry("a detector", {"threshold": Threshold})
SOURCES: Registry[Source] = Registry(
    "a source of evidence", {"probe": Probes, "messages": Messages}
)
CONFIRMATIONS: Registry[Confirmation] = Registry("a confirmation", {"alone": Alone})
