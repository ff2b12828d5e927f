"""Confirmation by witnesses that say when they last saw the master."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from hasim.events import Output
from hasim.services.detection.chance import Chance
from hasim.services.detection.confirm.asking import Asking
from hasim.services.detection.confirm.confirmation import ConfirmationSettings
from hasim.services.detection.confirm.opinions import Held
from hasim.settings import duration, settings
from hasim.units import SECOND, format_duration


@settings
class WitnessSettings(ConfirmationSettings):
    """How lately a witness must have seen a master to keep it, and when it is asked."""

    seen_within_ns: Annotated[
        int,
        duration(
            "A master that some witness has seen so lately is not declared failed.",
            source="SQL Server database mirroring: the partner and the witness must both have lost "
            "the principal; its partner time-out is 10 s",
            above=0,
        ),
    ] = 10 * SECOND
    ask_interval_ns: Annotated[
        int,
        duration("Witnesses of a master that is convicted are asked again after this.", above=0),
    ] = SECOND
    answer_valid_ns: Annotated[
        int,
        duration(
            "An answer that is older than this does not count: that witness is out of reach.",
            above=0,
        ),
    ] = 3 * SECOND
    unheard: Literal["wait", "declare"] = "wait"
    """What is done if no witness is in reach: `wait` for one, as one may be cut off oneself, or
    `declare` after `answer_valid`, as if there were none."""

    @property
    def least_observers(self) -> int:
        """A witness at least."""
        return 2


@dataclass(slots=True)
class Witness(Asking):
    """Declares a master that the own detector convicts when no witness has seen it lately.

    Witnesses are the other observers. One need not convict the master itself, nor does its
    conviction count: what it says is when it last saw the master, by its own evidence and its own
    clock. So a conviction that is one's own alone changes nothing, and one that all share need not
    wait until each has counted its failed checks.
    """

    settings: WitnessSettings
    began_ns: dict[str, int] = field(default_factory=dict)
    peers: tuple[str, ...] = field(init=False, default=())

    def meet(self, peers: Sequence[str], masters: Sequence[str], chance: Chance) -> None:
        """Whom to ask."""
        self.peers = tuple(peers)

    def confirms(self, now: int, master: str, *, convicted: bool) -> bool:
        """If the own detector convicts, and no witness in reach has seen it lately."""
        if not convicted:
            return False
        heard = list(self._in_reach(now, master))
        if not heard:
            waited_ns = now - self.began_ns.get(master, now)
            patient = self.settings.unheard == "wait"
            return not patient and waited_ns >= self.settings.answer_valid_ns
        return not any(self._lately(one) for one in heard)

    def whom(self, master: str) -> Sequence[str]:
        """All other observers."""
        return self.peers

    def changed(self, now: int, master: str, *, convicted: bool) -> list[Output]:
        """Ask everybody at once, or no more; it is kept since when."""
        if convicted:
            self.began_ns.setdefault(master, now)
        else:
            self.began_ns.pop(master, None)
        return Asking.changed(self, now, master, convicted=convicted)

    def words(self, now: int, master: str) -> str:
        """When it was seen last, by whom."""
        heard = list(self._in_reach(now, master))
        if not heard:
            return "no witness in reach"
        seen = [one.seen_ns for one in heard if one.seen_ns is not None]
        last = f"{format_duration(min(seen))} before it was asked" if seen else "never"
        return f"{len(heard)} of {len(self.peers)} witnesses in reach; last seen {last}"

    def _in_reach(self, now: int, master: str) -> Iterator[Held]:
        for one in self.opinions.of.get(master, {}).values():
            if now - one.heard_ns <= self.settings.answer_valid_ns:
                yield one

    def _lately(self, one: Held) -> bool:
        return one.seen_ns is not None and one.seen_ns < self.settings.seen_within_ns
