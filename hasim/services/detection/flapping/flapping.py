"""What flap detection is: who has failed too often stays failed, although its checks pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from hasim.settings import settings


@settings
class FlappingSettings:
    """The base of the settings of each rule of flap detection."""

    @property
    def longest_ns(self) -> int:
        """For how long a master whose checks all pass may be held down at the most."""
        return 0

    def problems(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, message)."""
        yield from ()


class Flapping(Protocol):
    """Looks at the verdicts on one master, and its checks; a dataclass, so that it can be frozen.

    Times are nanoseconds and never run back.
    """

    settings: Any

    def failed(self, now: int) -> None:
        """The master is declared failed, which it was not."""

    def checked(self, passed: bool) -> None:
        """A check of the master passed, or failed while it is declared failed."""

    def checked_many(self, passed: bool, number: int) -> None:
        """The same of several in a row."""
        for _ in range(number):
            self.checked(passed)

    def cleared(self, now: int) -> None:
        """An operator says that it is healthy, or that it is back: what was counts no more."""

    def holds(self, now: int) -> bool:
        """Whether checks that pass do not acquit it now."""
        return False

    def words(self, now: int) -> str:
        """Why it is held down, for a reader."""
        return ""
