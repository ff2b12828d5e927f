"""Detectors that look only every so often: silence convicts at the first look after its time."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.services.detection.detectors.freshness import Freshness


@dataclass(slots=True)
class Looking(Freshness):
    """As `Freshness`, but it looks at `phase_ns` and every `look_interval_ns` of its settings.

    The phase is drawn by whoever drives it, one for all masters: there is one loop that looks.
    """

    phase_ns: int = 0

    def look_ns(self, time_ns: int) -> int:
        """The first look at or after a time."""
        interval_ns: int = self.settings.look_interval_ns
        return time_ns + (self.phase_ns - time_ns) % interval_ns

    def begin(self, now: int) -> None:
        """Watching counts as a hearing."""
        self.forget()
        self.heard_ns, self.due_ns = now, self.look_ns(now + self.patience_ns())

    def cleared(self, now: int) -> None:
        """Acquitted on somebody's word: silence counts from now."""
        if self.due_ns <= now:
            self.heard_ns, self.due_ns = now, self.look_ns(now + self.patience_ns())

    def fresh_until_ns(self, now: int, number: int) -> int:
        """The first look by which it is too late."""
        return self.look_ns(now + self.patience_ns())
