"""Subjectively and objectively down: whoever convicts asks the others (Redis Sentinel)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from hasim.events import Input, OpinionGiven, Output
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import Chance
from hasim.services.detection.confirm.asking import Asking
from hasim.services.detection.confirm.confirmation import ConfirmationSettings
from hasim.services.detection.ticks import first_tick_ns
from hasim.settings import count, duration, settings
from hasim.units import SECOND


@settings
class ObjectiveSettings(ConfirmationSettings):
    """A quorum of observers that ask each other; Sentinel's settings."""

    quorum: Annotated[
        int,
        count(
            "How many observers must hold a master to be down, this one included.",
            source="Redis Sentinel quorum (2 in its sentinel.conf)",
        ),
    ] = 2
    ask_interval_ns: Annotated[
        int,
        duration(
            "An observer that convicts asks each other one again after this.",
            source="Redis SENTINEL_ASK_PERIOD (1 s)",
            above=0,
        ),
    ] = SECOND
    answer_valid_ns: Annotated[
        int,
        duration(
            "An answer that is older than this does not count.",
            source="Redis Sentinel: 5 x SENTINEL_ASK_PERIOD",
            above=0,
        ),
    ] = 5 * SECOND
    timer_hz: Annotated[
        int,
        count(
            "Answers are counted, and questions sent, at the ticks of a timer: so many in a "
            "second, or up to nearly twice as many, drawn anew at each tick.",
            source="Redis CONFIG_DEFAULT_HZ (10); sentinelTimer, serverCron",
            most=1000,
        ),
    ] = 10

    @property
    def least_observers(self) -> int:
        """The quorum."""
        return self.quorum


@dataclass(slots=True)
class Objective(Asking):
    """Declares (odown) when a quorum convicts (sdown): the own detector, and others when asked.

    An observer that convicts asks all others at once and each second from then on; answers are
    counted at the next tick of its timer. It is a weak agreement: opinions of the last five
    seconds, not of one time (redis/src/sentinel.c, sentinelAskMasterStateToOtherSentinels,
    sentinelCheckObjectivelyDown).
    """

    settings: ObjectiveSettings
    weigh_ns: int = NEVER
    phase_ns: int = 0
    peers: tuple[str, ...] = field(init=False, default=())

    def meet(self, peers: Sequence[str], masters: Sequence[str], chance: Chance) -> None:
        """Whom to ask. The ticks are those of the detector's looks, if these are as frequent."""
        self.peers = tuple(peers)
        self.phase_ns = int(chance.draw("looks") * (SECOND // self.settings.timer_hz))

    def confirms(self, now: int, master: str, *, convicted: bool) -> bool:
        """If the own detector convicts, and with the others' answers that is a quorum."""
        return convicted and self._down(now, master) >= self.settings.quorum

    def whom(self, master: str) -> Sequence[str]:
        """All other observers."""
        return self.peers

    def heard(self, now: int, item: Input) -> Sequence[str]:
        """An answer, which is counted at the next tick."""
        if not isinstance(item, OpinionGiven) or item.master not in self.asked_ns:
            return ()
        if self.opinions.take(now, item):
            self.weigh_ns = min(self.weigh_ns, self._tick_ns(now + 1))
        return ()

    def wake(self, now: int) -> tuple[list[Output], Sequence[str]]:
        """Count the answers; ask again where that is due."""
        weigh: list[str] = []
        if now >= self.weigh_ns:
            weigh, self.weigh_ns = list(self.asked_ns), NEVER
        out, _ = Asking.wake(self, now)
        return out, weigh

    def next_ns(self) -> int:
        """The tick at which answers are counted, or questions are due."""
        return min(self.weigh_ns, Asking.next_ns(self))

    def words(self, now: int, master: str) -> str:
        """How many of how many agree."""
        return f"{self._down(now, master)} of {len(self.peers) + 1} observers hold it to be down"

    def _down(self, now: int, master: str) -> int:
        return 1 + self.opinions.count(now, master, self.settings.answer_valid_ns, down=True)

    def again_ns(self, asked_ns: int) -> int:
        """At the first tick after the interval."""
        return self._tick_ns(asked_ns + self.settings.ask_interval_ns)

    def _tick_ns(self, time_ns: int) -> int:
        """The first tick at or after a time."""
        return first_tick_ns(time_ns, self.phase_ns, self.settings.timer_hz)
