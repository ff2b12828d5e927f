"""Confirmations for which others are asked, at a conviction and again while it lasts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hasim.events import AskOpinion, Input, OpinionGiven, Output
from hasim.services.agenda import NEVER
from hasim.services.detection.confirm.confirmation import Confirmation
from hasim.services.detection.confirm.opinions import Opinions


@dataclass(slots=True)
class Asking(Confirmation):
    """Asks about a master as long as the own detector convicts it; every `ask_interval` again.

    A question has a number, and an answer counts while the master is asked about.
    """

    settings: Any
    opinions: Opinions = field(default_factory=Opinions)
    asked_ns: dict[str, int] = field(default_factory=dict)
    number: int = 0

    @abstractmethod
    def whom(self, master: str) -> Sequence[str]:
        """Who is asked about a master."""

    def changed(self, now: int, master: str, *, convicted: bool) -> list[Output]:
        """Ask everybody at once, or no more."""
        if not convicted:
            self.asked_ns.pop(master, None)
            self.opinions.of.pop(master, None)
            return []
        return [] if master in self.asked_ns else self.ask(now, master)

    def heard(self, now: int, item: Input) -> Sequence[str]:
        """An answer; one that is the same in words is another one by its time."""
        if not isinstance(item, OpinionGiven) or item.master not in self.asked_ns:
            return ()
        self.opinions.take(now, item)
        return (item.master,)

    def wake(self, now: int) -> tuple[list[Output], Sequence[str]]:
        """Ask again where that is due; answers may have grown old."""
        due = [m for m, t in self.asked_ns.items() if now >= self.again_ns(t)]
        return [out for master in due for out in self.ask(now, master)], due

    def next_ns(self) -> int:
        """When questions are due."""
        return min(map(self.again_ns, self.asked_ns.values()), default=NEVER)

    def ask(self, now: int, master: str) -> list[Output]:
        """A question to each."""
        self.asked_ns[master] = now
        self.number += 1
        return [AskOpinion(other, master, self.number) for other in self.whom(master)]

    def again_ns(self, asked_ns: int) -> int:
        """When whoever was asked at that time is asked again (nanoseconds)."""
        again_ns: int = asked_ns + self.settings.ask_interval_ns
        return again_ns
