"""What confirmation is: a detector convicts; is that enough to declare the master failed?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from hasim.events import Input, Output
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import Chance
from hasim.settings import settings


@settings
class ConfirmationSettings:
    """The base of each confirmation's settings."""

    @property
    def least_observers(self) -> int:
        """With fewer observers than this nothing is ever confirmed."""
        return 1


class Confirmation(Protocol):
    """Stands between a conviction and its declaration, for all masters.

    It is made of its settings and a dataclass, so that it can be frozen; `meet` tells it of whom
    it can ask. A sans-IO machine: what is to be sent is in what its methods answer, and a master
    is weighed anew whenever `heard` or `wake` names it. One that is convicted and not confirmed is
    suspected.
    """

    settings: Any

    def meet(self, peers: Sequence[str], masters: Sequence[str], chance: Chance) -> None:
        """The other observers, all masters, and the chance that the driver handed in."""

    @abstractmethod
    def confirms(self, now: int, master: str, *, convicted: bool) -> bool:
        """Whether a master is to be declared failed now; `convicted`: by the own detector."""

    def changed(self, now: int, master: str, *, convicted: bool) -> list[Output]:
        """The own detector convicts the master, or does so no more."""
        return []

    def heard(self, now: int, item: Input) -> Sequence[str]:
        """An answer came in: the masters that are to be weighed anew."""
        return ()

    def wake(self, now: int) -> tuple[list[Output], Sequence[str]]:
        """What is to be sent by now, and the masters that are to be weighed anew."""
        return [], ()

    def next_ns(self) -> int:
        """When it wants to be woken (nanoseconds); `NEVER`: not at all."""
        return NEVER

    def acquits(self, now: int, master: str) -> bool:
        """Whether what the others say is by itself enough to declare a failed master healthy."""
        return False

    def forbids(self, now: int, master: str) -> bool:
        """Whether what the others say keeps a master failed that the own detector acquits."""
        return False

    def words(self, now: int, master: str) -> str:
        """Who agrees, for a reader; empty if nobody is asked."""
        return ""
