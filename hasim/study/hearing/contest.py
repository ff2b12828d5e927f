"""Several detectors on the same evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hasim.scenario.document import parse_value
from hasim.scenario.traces.heard import Evidence
from hasim.services.detection.registry import DETECTORS
from hasim.services.detection.settings import DetectionSettings
from hasim.settings import SettingsError
from hasim.settings.validation import nearest
from hasim.study.hearing.listening import Changes, detection_for, listen
from hasim.study.hearing.quality import Quality, quality_of
from hasim.units import parse_duration


class HearingError(ValueError):
    """What is asked for cannot be; the message says what was expected."""


class DetectorError(HearingError):
    """A detector that is written as none can be; the message says what was expected."""


@dataclass(frozen=True)
class Contestant:
    """A detector as a user writes it, its verdicts on each master, and what they were worth."""

    written: str
    settings: DetectionSettings
    verdicts: dict[str, Changes]
    quality: Quality


def interval_of(text: str | None) -> int | None:
    """The time between two hearings as a user writes it, in nanoseconds. Raises HearingError."""
    try:
        found = None if text is None else parse_duration(text)
    except ValueError as error:
        raise HearingError(f"interval: {error}") from None
    if found is not None and found <= 0:
        raise HearingError(f"interval: must be longer than 0s, got {text!r}")
    return found


def parse_detector(text: str) -> tuple[str, dict[str, Any]]:
    """The name and the settings of ``phi-accrual:threshold=8,samples=100``. DetectorError."""
    name, _, rest = text.partition(":")
    if name not in DETECTORS.known:
        raise DetectorError(f"unknown detector {name!r}{nearest(name, list(DETECTORS.known))}")
    settings: dict[str, Any] = {}
    for pair in filter(None, rest.split(",")):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip() or not value.strip():
            example = "phi-accrual:threshold=8,samples=100"
            raise DetectorError(f"{text}: expected NAME:SETTING=VALUE,... such as {example}")
        try:
            settings[key.strip()] = parse_value(value.strip())
        except ValueError as error:
            raise DetectorError(f"{text}: {error}") from None
    return name, settings


def contest(evidence: Evidence, detectors: Iterable[str]) -> list[Contestant]:
    """Let each detector, as a user writes it, hear all evidence.

    Raises DetectorError for one that there is not, that has other settings, or that cannot hear
    such evidence.
    """
    return [_heard(evidence, text) for text in detectors]


def _heard(evidence: Evidence, text: str) -> Contestant:
    name, own = parse_detector(text)
    try:
        settings = detection_for(evidence, name, **own)
    except SettingsError as error:
        raise DetectorError(f"{text}: {str(error).replace(chr(10), '; ')}") from None
    problems = [f"{setting}: {message}" for setting, message in settings.problems()]
    if problems:
        raise DetectorError(f"{text}: {'; '.join(problems)}")
    verdicts = listen(settings, evidence)
    quality = quality_of(
        verdicts,
        evidence.outages,
        evidence.begins_ns,
        evidence.ends_ns,
        settings.late_window_ns,
    )
    return Contestant(text, settings, verdicts, quality)
