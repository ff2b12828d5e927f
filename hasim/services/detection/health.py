"""What the detection service knows of one master."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.model import Cause, Diagnosis, Status
from hasim.services.detection.messages import MessageEvidence
from hasim.services.detection.threshold import ThresholdDetector

SETTLED = (Status.HEALTHY, Status.FAILED)
"""No change of the verdict is pending."""


@dataclass(slots=True)
class MasterHealth:
    """Status, evidence and the state of probing of one master; times in nanoseconds."""

    master: str
    detector: ThresholdDetector
    messages: MessageEvidence
    status: Status = Status.UNKNOWN
    since_ns: int = 0
    diagnosis: Diagnosis = Diagnosis.NONE
    probes_sent: int = 0
    probes_failed: int = 0
    probe_deadline_ns: int | None = None
    next_probe_ns: int | None = None
    last_probe_cause: Cause | None = None
