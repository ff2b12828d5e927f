"""How long a suspicion lasts: memberlist's suspicion.go and util.go, to the nanosecond."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hasim.services.detection.gossip.settings import SwimSettings
from hasim.units import MILLISECOND, SECOND


def least_ns(own: SwimSettings, members: int) -> int:
    """The shortest: mult x max(1, log10 n) probe intervals; log10 n to three digits, cut."""
    scale = max(1.0, math.log10(max(1, members)))
    return own.suspicion_mult * int(scale * 1000) * own.probe_interval_ns // 1000


def confirmations_wanted(own: SwimSettings, members: int) -> int:
    """How many confirmations shorten it fully: mult - 2; none if there are too few members."""
    wanted = own.suspicion_mult - 2 if own.lha_suspicion else 0
    return 0 if members - 2 < wanted else max(0, wanted)


def lasts_ns(least: int, most: int, wanted: int, confirmed: int) -> int:
    """How long it lasts in all, with so many of the wanted confirmations (nanoseconds)."""
    if wanted < 1:
        return least
    share = math.log(confirmed + 1) / math.log(wanted + 1)
    raw_s = most / SECOND - share * (most - least) / SECOND
    return max(least, math.floor(1000 * raw_s) * MILLISECOND)


@dataclass(slots=True)
class Suspicion:
    """A suspicion since a time; whoever accused counts once, the first not at all."""

    since_ns: int
    least: int
    most: int
    wanted: int
    accusers: list[str] = field(default_factory=list)
    due_ns: int = field(init=False, default=0)
    """When it is over, and its member dead."""

    def __post_init__(self) -> None:
        self._count()

    def confirm(self, by: str) -> bool:
        """Another accuser: whether that is news which shortens it."""
        if len(self.accusers) > self.wanted or by in self.accusers:
            return False
        self.accusers.append(by)
        self._count()
        return True

    def _count(self) -> None:
        """Set the end, by how many have confirmed it."""
        lasts = self.least
        if self.wanted >= 1:
            lasts = lasts_ns(self.least, self.most, self.wanted, len(self.accusers) - 1)
        self.due_ns = self.since_ns + lasts
