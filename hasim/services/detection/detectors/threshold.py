"""The threshold detector: checks in a row (HAProxy's fall and rise)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from hasim.services.detection.detectors.detector import Detector, DetectorSettings, Opinion
from hasim.settings import count, settings


@settings
class ThresholdSettings(DetectorSettings):
    """Counts failed and passed checks in a row."""

    fall: Annotated[
        int,
        count(
            "Failed checks in a row that make a master failed.", source="HAProxy fall (default 3)"
        ),
    ] = 2
    rise: Annotated[
        int,
        count(
            "Passed checks in a row that make a failed master healthy.",
            source="HAProxy rise (default 2)",
        ),
    ] = 2

    @property
    def convicting_checks(self) -> int:
        """Failed checks in a row that convict."""
        return self.fall

    @property
    def acquitting_checks(self) -> int:
        """Passed checks in a row that make a failed master healthy again."""
        return self.rise


@dataclass(slots=True)
class Threshold(Detector):
    """Counts failed and passed checks in a row.

    `fall` failed checks in a row convict, `rise` passed ones acquit. A crash is
    convicted after U(0, I) + (fall - 1) I_f by probes alone, with I the interval and
    I_f the fast one; a hang needs fall x timeout more (HAProxy src/check.c).
    """

    settings: ThresholdSettings
    failed_in_row: int = 0

    def passed_many(self, times_ns: Sequence[int], number: int, took_ns: Sequence[int]) -> None:
        """A check that passes says nothing here: those that acquit are counted elsewhere."""

    def failed(self, now: int) -> None:
        """Count a failed check."""
        self.failed_in_row += 1

    def failed_many(self, times_ns: Sequence[int]) -> None:
        """Count them."""
        self.failed_in_row += len(times_ns)

    def brink(self, now: int) -> None:
        """All but the last two that convict (HAProxy sudden-death: health := rise + 1)."""
        self.failed_in_row = max(self.failed_in_row, self.settings.fall - 2)

    def cleared(self, now: int) -> None:
        """Count afresh."""
        self.failed_in_row = 0

    def opinion(self, now: int) -> Opinion:
        """CONVICT from `fall` in a row on."""
        if self.failed_in_row >= self.settings.fall:
            return Opinion.CONVICT
        return Opinion.SUSPECT if self.failed_in_row else Opinion.TRUST

    def suspicion(self, now: int) -> float:
        """Failed checks in a row, as a share of `fall`."""
        return self.failed_in_row / self.settings.fall

    def report(self, now: int) -> dict[str, object]:
        """The failed checks in a row."""
        return {"failed_checks_in_row": self.failed_in_row}

    def rule(self) -> str:
        """How many failed in a row, and how many convict."""
        return f"failed check {self.failed_in_row} in a row, {self.settings.fall} convict (fall)"
