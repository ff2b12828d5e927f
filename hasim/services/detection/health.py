"""What the detection service knows of one master."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from hasim.model import Cause, Diagnosis, Status
from hasim.services.agenda import NEVER
from hasim.services.detection.detectors.detector import Detector
from hasim.services.detection.flapping.flapping import Flapping
from hasim.services.detection.registry import DETECTORS, FLAPPINGS
from hasim.services.frozen import OneOf


def _detectors() -> Mapping[str, type[Any]]:
    return DETECTORS.known


def _flappings() -> Mapping[str, type[Any]]:
    return FLAPPINGS.known


@dataclass(slots=True)
class MasterHealth:
    """The verdict on one master, since when (nanoseconds), and what it rests on.

    `last_check`: how the latest check of the master itself ended; None if there was none, or if
    it says nothing any more. `changes_ns`: when the detector's opinion changes if nothing is
    heard. `passed_in_row`: what spoke for the master since something last
    spoke against it, while that counts. `seen_ns`: when something last spoke for it; -1: nothing
    has.
    """

    master: str
    detector: Annotated[Detector, OneOf(_detectors)]
    flapping: Annotated[Flapping, OneOf(_flappings)]
    status: Status = Status.UNKNOWN
    since_ns: int = 0
    diagnosis: Diagnosis = Diagnosis.NONE
    last_check: Cause | None = None
    changes_ns: int = NEVER
    passed_in_row: int = 0
    seen_ns: int = -1
