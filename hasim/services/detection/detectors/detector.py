"""What a detector is: it weighs the evidence about one master, and says when silence tells."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from enum import Enum
from typing import Any, Protocol

from hasim.services.agenda import NEVER
from hasim.settings import settings


class Opinion(Enum):
    """What a detector holds of a master, in order."""

    TRUST = 0
    SUSPECT = 1
    CONVICT = 2


@settings
class DetectorSettings:
    """The base of each detector's settings: what can be said of it without running it."""

    @property
    def convicting_checks(self) -> int:
        """Failed checks in a row that convict; 0: a failed check says nothing to it."""
        return 0

    @property
    def acquitting_checks(self) -> int:
        """Passed checks (or heartbeats) in a row that make a failed master healthy again."""
        return 1

    def late_window_ns(self, news_ns: int) -> int:
        """How long after a cure a declaration still rests on what happened before it.

        `news_ns`: the longest time until the evidence shows the cure.
        """
        return news_ns


class Detector(Protocol):
    """Weighs the evidence about one master; a dataclass, so that it can be frozen.

    It is made of its settings, and knows two families of evidence: checks that pass
    or fail, and freshness (something was heard, time passes). A source of evidence tells it of
    both; it makes of them what it can. Times are nanoseconds and never run back.
    Passed checks in a row are counted elsewhere: they acquit, and then `cleared` is called.
    """

    settings: Any

    def begin(self, now: int) -> None:
        """The master is watched from now on: what was before counts no more."""
        self.cleared(now)

    def asked(self, now: int) -> None:
        """A check was sent."""

    def passed(self, now: int, number: int, took_ns: int) -> None:
        """Check or heartbeat `number` came in; it took so long (0: that is not known)."""

    def passed_many(self, times_ns: Sequence[int], number: int, took_ns: Sequence[int]) -> None:
        """The same of several, numbered from `number`, while nothing else happened."""
        for step, (time_ns, each_ns) in enumerate(zip(times_ns, took_ns, strict=True)):
            self.passed(time_ns, number + step, each_ns)

    def failed(self, now: int) -> None:
        """A check failed, or as much evidence came in as a failed check is."""

    def failed_many(self, times_ns: Sequence[int]) -> None:
        """The same of several checks, while nothing else happened."""
        for time_ns in times_ns:
            self.failed(time_ns)

    def brink(self, now: int) -> None:
        """So much came in that two more failed checks convict, if that many are needed."""

    def left(self, now: int) -> None:
        """The master has said that it stops now, in good order; most detectors do not mind."""

    def cleared(self, now: int) -> None:
        """The master is acquitted: what was against it is void, and silence counts from now."""

    @abstractmethod
    def opinion(self, now: int) -> Opinion:
        """What it holds of the master now."""

    @abstractmethod
    def suspicion(self, now: int) -> float:
        """How strong the suspicion is: from 0, in its own unit, to 1, which convicts, and above."""

    def changes_ns(self) -> int:
        """When its opinion changes if nothing is heard until then; `NEVER` if it does not."""
        return NEVER

    def report(self, now: int) -> dict[str, object]:
        """What there is to say beside the suspicion, for a health report."""
        return {}

    def rule(self) -> str:
        """Why so many failed checks convict, for a reader; empty if they say nothing to it."""
        return ""

    def words(self, now: int) -> str:
        """Why its opinion has changed by silence alone, for a reader."""
        return "nothing was heard"
