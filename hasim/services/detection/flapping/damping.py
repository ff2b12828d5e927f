"""Route-flap damping: each failure adds a penalty, which decays; too much of it holds down."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from hasim.services.detection.flapping.flapping import Flapping, FlappingSettings
from hasim.settings import duration, factor, settings
from hasim.units import SECOND, format_duration

CISCO = "Cisco IOS bgp dampening"


@settings
class DampingSettings(FlappingSettings):
    """A penalty for each failure, with exponential decay (RFC 2439); Cisco's defaults."""

    penalty: Annotated[
        float,
        factor("What a failure adds.", source=f"RFC 2439; {CISCO} (1000)"),
    ] = 1000.0
    half_life_ns: Annotated[
        int,
        duration("The penalty halves in this time.", source=f"{CISCO} half-life (15 min)", above=0),
    ] = 15 * 60 * SECOND
    suppress: Annotated[
        float,
        factor(
            "Above this penalty the master is held down.",
            source=f"{CISCO} suppress (2000); RIPE-580 recommends 6000",
        ),
    ] = 2000.0
    reuse: Annotated[
        float,
        factor(
            "Below this penalty it is held down no more.",
            source=f"{CISCO} reuse (750)",
        ),
    ] = 750.0
    longest_hold_ns: Annotated[
        int,
        duration(
            "The penalty is never so great that it would be held down for longer.",
            source=f"{CISCO} max-suppress-time (60 min)",
            above=0,
        ),
    ] = 60 * 60 * SECOND

    def problems(self) -> Iterator[tuple[str, str]]:
        """Who is held down would be so no more at once."""
        if self.reuse > self.suppress:
            yield "reuse", f"is above suppress, {self.suppress:g}"

    @property
    def longest_ns(self) -> int:
        """The longest hold."""
        return self.longest_hold_ns

    @property
    def ceiling(self) -> float:
        """The greatest penalty: from it to `reuse` takes the longest hold (RFC 2439, 4.2)."""
        return self.reuse * math.exp2(min(1000.0, self.longest_hold_ns / self.half_life_ns))


@dataclass(slots=True)
class Damping(Flapping):
    """Holds down who has failed too often of late, as routers do with routes (RFC 2439).

    With the defaults the third failure within some ten minutes holds a master down until the
    penalty has fallen from 2000 and more to 750: for 21 to 30 minutes.
    """

    settings: DampingSettings
    penalty: float = 0.0
    since_ns: int = 0
    held_until_ns: int = 0

    def failed(self, now: int) -> None:
        """One more failure."""
        own = self.settings
        self.penalty = min(own.ceiling, self._at(now) + own.penalty)
        self.since_ns = now
        if self.penalty > own.suppress or now < self.held_until_ns:
            halvings = max(0.0, math.log2(self.penalty / own.reuse))
            self.held_until_ns = now + math.ceil(halvings * own.half_life_ns)

    def cleared(self, now: int) -> None:
        """Nothing is against it."""
        self.penalty, self.held_until_ns = 0.0, 0

    def holds(self, now: int) -> bool:
        """Until the penalty has fallen to `reuse`."""
        return now < self.held_until_ns

    def words(self, now: int) -> str:
        """The penalty, and for how long."""
        left = format_duration(round((self.held_until_ns - now) / SECOND) * SECOND)
        return f"held down for {left} by a penalty of {self._at(now):.0f} for its failures"

    def _at(self, now: int) -> float:
        return self.penalty * math.exp2((self.since_ns - now) / self.settings.half_life_ns)
