"""What confirmation is: a detector convicts; is that enough to declare the master failed?"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

from hasim.settings import settings


@settings
class ConfirmationSettings:
    """The base of each confirmation's settings."""


class Confirmation(Protocol):
    """Stands between a conviction and its declaration, for all masters.

    It is made of its settings and a dataclass, so that it can be frozen. A master that is
    convicted and not confirmed is suspected.
    """

    settings: Any

    @abstractmethod
    def confirms(self, now: int, master: str) -> bool:
        """The observer's own detector convicts the master: whether it is declared failed now."""
