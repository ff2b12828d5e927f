"""State changes among the last checks, as Nagios counts them: too many hold down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from hasim.services.detection.flapping.flapping import Flapping, FlappingSettings
from hasim.settings import settings, share

KEPT = 21
"""Results that are looked at (Nagios: the last 21, so that there may be 20 changes)."""
LEAST, MOST = 0.75, 1.25
"""How much the oldest and the newest change weigh (Nagios Core base/flapping.c)."""


@settings
class ChangesSettings(FlappingSettings):
    """The share of changes among the last results, newer ones weighing more; Nagios' defaults."""

    high: Annotated[
        float,
        share(
            "From this share of changes on the master is held down.",
            source="Nagios high_service_flap_threshold (20 %)",
        ),
    ] = 0.20
    low: Annotated[
        float,
        share(
            "Below this share it is held down no more.",
            source="Nagios low_service_flap_threshold (5 %)",
        ),
    ] = 0.05

    def problems(self) -> Iterator[tuple[str, str]]:
        """Who is held down would be so no more at once."""
        if self.low > self.high:
            yield "low", f"is above high, {self.high:.0%}"


@dataclass(slots=True)
class Changes(Flapping):
    """Holds down a master whose checks changed too often between passed and failed.

    Of the last 21 results each change counts, the oldest one 0.75 and the newest 1.25, with those
    between in equal steps; the sum over 20 is the share (Nagios Core base/flapping.c, where a
    failure that is not declared is no result either). After many checks that pass it is over.
    """

    settings: ChangesSettings
    results: list[bool] = field(default_factory=list)
    flapping: bool = False

    def checked(self, passed: bool) -> None:
        """One more result."""
        self.results.append(passed)
        del self.results[:-KEPT]
        share = self.share()
        if share >= self.settings.high:
            self.flapping = True
        elif share < self.settings.low:
            self.flapping = False

    def checked_many(self, passed: bool, number: int) -> None:
        """More of them than are kept say no more than those."""
        for _ in range(min(number, KEPT)):
            self.checked(passed)

    def cleared(self, now: int) -> None:
        """No results are known."""
        self.results.clear()
        self.flapping = False

    def holds(self, now: int) -> bool:
        """From the high share on until below the low one."""
        return self.flapping

    def words(self, now: int) -> str:
        """The share."""
        return f"held down for {self.share():.1%} of changes among its last {KEPT} checks"

    def share(self) -> float:
        """The weighted share of changes; results that are not there yet have none."""
        found, last = self.results, KEPT - 2
        first = KEPT - len(found)
        total = 0.0
        for place in range(1, len(found)):
            if found[place] is not found[place - 1]:
                total += LEAST + (MOST - LEAST) * (first + place - 1) / last
        return total / (KEPT - 1)
