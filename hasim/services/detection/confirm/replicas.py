"""Corroboration by replicas: a master is dead if its replicas lost it, too (orchestrator)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from hasim.events import AskOpinion, Input, OpinionGiven, Output
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import Chance
from hasim.services.detection.confirm.confirmation import Confirmation, ConfirmationSettings
from hasim.services.detection.confirm.opinions import Opinions
from hasim.settings import duration, settings
from hasim.units import SECOND


@settings
class ReplicasSettings(ConfirmationSettings):
    """Asks those that replicate from a master; orchestrator's settings."""

    ask_interval_ns: Annotated[
        int,
        duration(
            "The replicas of a master that is convicted are asked again after this.",
            source="orchestrator: detection each second",
            above=0,
        ),
    ] = SECOND
    answer_valid_ns: Annotated[
        int,
        duration(
            "An answer that is older than this does not count: that replica is out of reach.",
            source="orchestrator: InstancePollSeconds (5) and a second",
            above=0,
        ),
    ] = 6 * SECOND


@dataclass(slots=True)
class Replicas(Confirmation):
    """Declares a master that the own detector convicts if every replica in reach has lost it.

    One that still replicates contradicts (orchestrator's UnreachableMaster); if none is in reach,
    nothing is known of the master but that one is cut off (DeadMasterAndReplicas): no action.
    All other masters are asked, and those answer that replicate from it. Source:
    github.com/openark/orchestrator, docs/failure-detection.md, analysis_dao.go (DeadMaster,
    DeadMasterAndSomeReplicas).
    """

    settings: ReplicasSettings
    opinions: Opinions = field(default_factory=Opinions)
    asked_ns: dict[str, int] = field(default_factory=dict)
    number: int = 0
    masters: tuple[str, ...] = field(init=False, default=())

    def meet(self, peers: Sequence[str], masters: Sequence[str], chance: Chance) -> None:
        """Who may be a replica."""
        self.masters = tuple(masters)

    def confirms(self, now: int, master: str, *, convicted: bool) -> bool:
        """If the own detector convicts, a replica has lost it, and none is with it."""
        lost, follow = self._counts(now, master)
        return convicted and lost > 0 and follow == 0

    def changed(self, now: int, master: str, *, convicted: bool) -> list[Output]:
        """Ask everybody at once, or no more."""
        if not convicted:
            self.asked_ns.pop(master, None)
            self.opinions.of.pop(master, None)
            return []
        return [] if master in self.asked_ns else self._ask(now, master)

    def heard(self, now: int, item: Input) -> Sequence[str]:
        """An answer."""
        if not isinstance(item, OpinionGiven) or item.master not in self.asked_ns:
            return ()
        self.opinions.take(now, item)
        return (item.master,)

    def wake(self, now: int) -> tuple[list[Output], Sequence[str]]:
        """Ask again where that is due; answers may have grown old."""
        due = [m for m, t in self.asked_ns.items() if now >= t + self.settings.ask_interval_ns]
        return [out for master in due for out in self._ask(now, master)], due

    def next_ns(self) -> int:
        """When questions are due."""
        first_ns = min(self.asked_ns.values(), default=NEVER)
        return first_ns if first_ns == NEVER else first_ns + self.settings.ask_interval_ns

    def words(self, now: int, master: str) -> str:
        """How many of those in reach have lost it."""
        lost, follow = self._counts(now, master)
        return f"{lost} of {lost + follow} replicas in reach have lost it"

    def _ask(self, now: int, master: str) -> list[Output]:
        self.asked_ns[master] = now
        self.number += 1
        return [AskOpinion(other, master, self.number) for other in self.masters if other != master]

    def _counts(self, now: int, master: str) -> tuple[int, int]:
        """Replicas that have lost it, and that replicate from it."""
        valid_ns, opinions = self.settings.answer_valid_ns, self.opinions
        lost = opinions.count(now, master, valid_ns, down=True)
        return lost, opinions.count(now, master, valid_ns, down=False)
