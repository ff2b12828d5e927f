"""The detectors by name: a new one is one new file and one line here."""

from __future__ import annotations

from hasim.services.detection.threshold import ThresholdDetector

DETECTORS: dict[str, type[ThresholdDetector]] = {"threshold": ThresholdDetector}
