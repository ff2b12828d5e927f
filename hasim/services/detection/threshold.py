"""The threshold detector: checks in a row (HAProxy's fall and rise)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ThresholdDetector:
    """Counts failed and passed checks in a row.

    `fall` failed checks in a row convict, `rise` passed ones acquit. A crash is
    convicted after U(0, I) + (fall - 1) I_f by probes alone, with I the interval and
    I_f the fast one; a hang needs fall x timeout more (HAProxy src/check.c).
    """

    fall: int
    rise: int
    failed_in_row: int = 0
    passed_in_row: int = 0

    def failed(self) -> bool:
        """Count a failed check; True if that convicts."""
        self.passed_in_row = 0
        self.failed_in_row += 1
        return self.failed_in_row >= self.fall

    def passed(self, needed: int) -> bool:
        """Count a passed check; True if `needed` in a row have now passed."""
        self.passed_in_row += 1
        if self.passed_in_row < needed:
            return False
        self.failed_in_row = 0
        return True

    def doubted(self) -> None:
        """Evidence against the master that is less than a failed check: the passed ones lapse."""
        self.passed_in_row = 0

    def reset(self) -> None:
        """Forget everything."""
        self.failed_in_row = self.passed_in_row = 0
