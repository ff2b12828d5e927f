"""Confirmations by observers that tell each other what they hold, when it changes and again."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from hasim.events import GiveOpinion, Input, OpinionGiven, Output
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import Chance
from hasim.services.detection.confirm.confirmation import Confirmation, ConfirmationSettings
from hasim.services.detection.confirm.opinions import Opinions
from hasim.settings import duration, settings
from hasim.units import SECOND


@settings
class TellingSettings(ConfirmationSettings):
    """What confirmations have in common for which observers tell each other what they hold."""

    tell_interval_ns: Annotated[
        int,
        duration(
            "Observers tell each other at once what they hold when it changes, and again each "
            "time this has passed, as messages can be lost.",
            above=0,
        ),
    ] = SECOND
    valid_ns: Annotated[
        int,
        duration(
            "An opinion that is older than this does not count.",
            source="Redis Sentinel: five times the time between questions (5 s)",
            above=0,
        ),
    ] = 5 * SECOND


@dataclass(slots=True)
class Telling(Confirmation):
    """Tells every other observer what is held of every master, and counts what they hold."""

    settings: TellingSettings
    opinions: Opinions = field(default_factory=Opinions)
    convicted: list[str] = field(default_factory=list)
    told: int = 0
    tell_ns: int = NEVER
    peers: tuple[str, ...] = field(init=False, default=())
    masters: tuple[str, ...] = field(init=False, default=())

    def meet(self, peers: Sequence[str], masters: Sequence[str], chance: Chance) -> None:
        """Whom to tell; the first time is drawn, so that observers do not all tell at once."""
        self.peers, self.masters = tuple(peers), tuple(masters)
        if self.peers and self.tell_ns == NEVER:
            self.tell_ns = int(chance.draw("tells") * self.settings.tell_interval_ns)

    def changed(self, now: int, master: str, *, convicted: bool) -> list[Output]:
        """Tell the others at once."""
        if convicted == (master in self.convicted):
            return []
        self.convicted = [m for m in self.convicted if m != master] + [master] * convicted
        return self._tell(master)

    def heard(self, now: int, item: Input) -> Sequence[str]:
        """Somebody's opinion."""
        if isinstance(item, OpinionGiven) and self.opinions.take(now, item):
            return (item.master,)
        return ()

    def wake(self, now: int) -> tuple[list[Output], Sequence[str]]:
        """Tell the others of every master; opinions that grow old may change what is declared."""
        if now < self.tell_ns:
            return [], ()
        self.tell_ns = now + self.settings.tell_interval_ns
        return [out for master in self.masters for out in self._tell(master)], self.masters

    def next_ns(self) -> int:
        """When the others are told again."""
        return self.tell_ns

    def words(self, now: int, master: str) -> str:
        """How many of how many agree."""
        return f"{self._down(now, master)} of {len(self.peers) + 1} observers hold it to be down"

    def _tell(self, master: str) -> list[Output]:
        self.told += 1
        down = master in self.convicted
        return [GiveOpinion(peer, master, self.told, down) for peer in self.peers]

    def _down(self, now: int, master: str) -> int:
        """How many hold it to be down, this one included."""
        others = self.opinions.count(now, master, self.settings.valid_ns, down=True)
        return others + (master in self.convicted)

    @abstractmethod
    def confirms(self, now: int, master: str, *, convicted: bool) -> bool:
        """By how many agree."""
