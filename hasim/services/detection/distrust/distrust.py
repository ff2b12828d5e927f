"""What distrust of oneself is: an observer that was not well declares nobody for a while."""

from __future__ import annotations

from typing import Any, Protocol

from hasim.services.agenda import NEVER
from hasim.settings import settings


@settings
class DistrustSettings:
    """The base of the settings of each rule of distrust."""


class Distrust(Protocol):
    """Looks at how late this observer is; a dataclass, so that it can be frozen.

    Times are nanoseconds and never run back.
    """

    settings: Any

    def late(self, now: int, due_ns: int) -> None:
        """It does something now, and wanted to be woken at `due_ns`, before."""

    def holds(self, now: int) -> bool:
        """Whether it does not trust itself now: whom it convicts is no more than suspected."""
        return False

    def ends_ns(self) -> int:
        """When it trusts itself again; `NEVER` if it does."""
        return NEVER

    def ended(self, now: int) -> bool:
        """Whether it trusts itself again since it was last asked: it looks at everybody anew."""
        return False

    def words(self) -> str:
        """Why it does not, for a reader."""
        return ""
