"""Corroboration by replicas: a master is dead if its replicas lost it, too (orchestrator)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from hasim.services.detection.chance import Chance
from hasim.services.detection.confirm.asking import Asking
from hasim.services.detection.confirm.confirmation import ConfirmationSettings
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
class Replicas(Asking):
    """Declares a master that the own detector convicts if every replica in reach has lost it.

    One that still replicates contradicts (orchestrator's UnreachableMaster); if none is in reach,
    nothing is known of the master but that one is cut off (DeadMasterAndReplicas): no action.
    All other masters are asked, and those answer that replicate from it. Source:
    github.com/openark/orchestrator, docs/failure-detection.md, analysis_dao.go (DeadMaster,
    DeadMasterAndSomeReplicas).
    """

    settings: ReplicasSettings
    masters: tuple[str, ...] = field(init=False, default=())

    def meet(self, peers: Sequence[str], masters: Sequence[str], chance: Chance) -> None:
        """Who may be a replica."""
        self.masters = tuple(masters)

    def confirms(self, now: int, master: str, *, convicted: bool) -> bool:
        """If the own detector convicts, a replica has lost it, and none is with it."""
        lost, follow = self._counts(now, master)
        return convicted and lost > 0 and follow == 0

    def whom(self, master: str) -> Sequence[str]:
        """All other masters."""
        return [other for other in self.masters if other != master]

    def words(self, now: int, master: str) -> str:
        """How many of those in reach have lost it."""
        lost, follow = self._counts(now, master)
        return f"{lost} of {lost + follow} replicas in reach have lost it"

    def _counts(self, now: int, master: str) -> tuple[int, int]:
        """Replicas that have lost it, and that replicate from it."""
        valid_ns, opinions = self.settings.answer_valid_ns, self.opinions
        lost = opinions.count(now, master, valid_ns, down=True)
        return lost, opinions.count(now, master, valid_ns, down=False)
