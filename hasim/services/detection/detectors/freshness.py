"""What detectors by freshness share: silence convicts at a time that each hearing sets."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from hasim.services.detection.detectors.detector import Detector, DetectorSettings, Opinion
from hasim.settings import settings


@settings
class FreshnessSettings(DetectorSettings):
    """The base of the settings of detectors that judge by freshness."""

    NUMBERED: ClassVar[bool] = False
    """Whether it reckons with the numbers of heartbeats, and so can do with nothing else."""


@dataclass(slots=True)
class Freshness(Detector):
    """Convicts when nothing was heard until `due_ns`, the freshness point; failures are no news.

    `period_ns` is the regular time between two hearings, set by who wires evidence and detector.
    Subclasses say until when a hearing keeps the master fresh.
    """

    settings: Any
    period_ns: int = 0
    heard_ns: int = 0
    due_ns: int = 0

    def begin(self, now: int) -> None:
        """Watching counts as a hearing, of which nothing is learned."""
        self.forget()
        self.heard_ns, self.due_ns = now, now + self.patience_ns()

    def passed(self, now: int, number: int, took_ns: int) -> None:
        """Something was heard: learn of it, and set the next freshness point."""
        self.learn(now, number)
        self.heard_ns, self.due_ns = now, self.fresh_until_ns(now, number)

    def cleared(self, now: int) -> None:
        """Acquitted on somebody's word: silence counts from now."""
        if self.due_ns <= now:
            self.heard_ns, self.due_ns = now, now + self.patience_ns()

    def opinion(self, now: int) -> Opinion:
        """CONVICT from the freshness point on."""
        return Opinion.CONVICT if now >= self.due_ns else Opinion.TRUST

    def suspicion(self, now: int) -> float:
        """The time since the last hearing, as a share of what is allowed."""
        return max(0, now - self.heard_ns) / max(1, self.due_ns - self.heard_ns)

    def changes_ns(self) -> int:
        """The freshness point."""
        return self.due_ns

    def words(self, now: int) -> str:
        """How long nothing was heard, and how long it may be."""
        silent, allowed = (now - self.heard_ns) / 1e9, (self.due_ns - self.heard_ns) / 1e9
        return f"nothing heard for {silent:.3f} s; {allowed:.3f} s are allowed"

    def report(self, now: int) -> dict[str, object]:
        """The time since the last hearing."""
        return {"silent_s": (now - self.heard_ns) / 1e9}

    # -- what a subclass says ----------------------------------------------------------

    def forget(self) -> None:
        """Forget what was learned."""

    def learn(self, now: int, number: int) -> None:
        """Take in a hearing."""

    def fresh_until_ns(self, now: int, number: int) -> int:
        """The freshness point that follows from a hearing that was just learned."""
        return now + self.patience_ns()

    @abstractmethod
    def patience_ns(self) -> int:
        """How long silence is allowed by what is known (nanoseconds)."""
