"""What may become of the next probe or heartbeat, and how likely: the noise of one path.

Independent loss each way, loss in bursts (the Gilbert-Elliott chain in continuous time, the same
both ways), and jitter. What is *bad* is lost, or so late that it counts as lost (a probe), or late
beyond all but the slowest hundredth (a heartbeat). The possible fates of a crossing are listed with
their probabilities, given the weather at the last one: so a fate can be forced, and its probability
be reckoned with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hasim.simulation.network import Jitter
from hasim.simulation.settings.network import BurstSettings
from hasim.study.rare.falsely.lateness import Lateness

LOST = -1
LATE_SHARE = 0.01
"""Heartbeats that are slower than all but this share count as bad."""


@dataclass(frozen=True, slots=True)
class Weather:
    """Whether a burst was going on, when that was last known (nanoseconds)."""

    bad: bool
    at_ns: int


@dataclass(frozen=True, slots=True)
class Fate:
    """One way in which a crossing may end: how likely, how long it takes (or `LOST`), whether it is
    bad, and the weather after it."""

    chance: float
    taken_ns: int
    bad: bool
    weather: Weather


def pick(fates: list[Fate], draw: float, *, bad: bool | None = None) -> tuple[Fate, float]:
    """One of the fates (None: any; else bad ones, or good ones), and the chance of such.

    `draw` is uniform on [0, 1).
    """
    among = [fate for fate in fates if bad is None or fate.bad == bad]
    whole = sum(fate.chance for fate in among)
    place = draw * whole
    for fate in among:
        place -= fate.chance
        if place < 0.0:
            return fate, whole
    return among[-1], whole


@dataclass(frozen=True)
class Noise:
    """The path between a master and its observer, faults aside."""

    base_ns: int
    loss: float
    bursts: BurstSettings | None
    jitter: Jitter
    _known: dict[int, Lateness] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def silent(self) -> bool:
        """Whether nothing is ever lost or late."""
        return not self.loss and self._share == 0.0 and self.jitter.none

    @property
    def _share(self) -> float:
        return 0.0 if self.bursts is None else self.bursts.bad_share

    def begin(self, draw: float) -> Weather:
        """The weather at the start of a run: stationary."""
        return Weather(draw < self._share, 0)

    def probe(
        self, now: int, weather: Weather, patience_ns: int, u: tuple[float, float]
    ) -> list[Fate]:
        """The fates of a probe that is sent now: there and back, or not in time.

        `u` are uniforms by which both crossings are slow. Under recorded jitter the trip is late
        or not by the chances of all recorded ones, so that both can be forced.
        """
        fates = []
        for share, there_ns, back_ns in self._trips(patience_ns, u):
            taken_ns = there_ns + back_ns
            for weathers, first in self._weathers(now, weather):
                chance, lost = share * weathers, self._lost(first)
                fates.append(Fate(chance * lost, LOST, True, first))
                for onward, second in self._weathers(now + there_ns, first):
                    passed = chance * (1.0 - lost) * onward
                    lost_back = self._lost(second)
                    if taken_ns > patience_ns:
                        fates.append(Fate(passed, LOST, True, second))
                        continue
                    fates.append(Fate(passed * lost_back, LOST, True, second))
                    fates.append(Fate(passed * (1.0 - lost_back), taken_ns, False, second))
        return [fate for fate in fates if fate.chance > 0.0]

    def _trips(self, patience_ns: int, u: tuple[float, float]) -> Iterator[tuple[float, int, int]]:
        """How long the ways there and back take, with the probability of such a trip."""
        recorded = self.jitter.recorded
        if recorded is None:
            yield 1.0, self._taken(u[0]), self._taken(u[1])
            return
        if patience_ns not in self._known:
            ways_ns = (self.base_ns * recorded).astype(np.int64)
            self._known[patience_ns] = Lateness(ways_ns, patience_ns)
        known = self._known[patience_ns]
        for late, share in ((False, 1.0 - known.chance), (True, known.chance)):
            if share > 0.0:
                yield share, *known.drawn(u, late=late)

    def heartbeat(self, now: int, weather: Weather, u: tuple[float, float]) -> list[Fate]:
        """The fates of a heartbeat that is sent now; `u` are as for a probe (one is not used)."""
        slow = 0.0 if self.jitter.none else LATE_SHARE
        fates = []
        for chance, then in self._weathers(now, weather):
            lost = self._lost(then)
            fates.append(Fate(chance * lost, LOST, True, then))
            passed = chance * (1.0 - lost)
            if slow:
                late_ns = self._taken(1.0 - slow * (1.0 - u[0]))
                fates.append(Fate(passed * slow, late_ns, True, then))
            usual_ns = self._taken(u[0] * (1.0 - slow))
            fates.append(Fate(passed * (1.0 - slow), usual_ns, False, then))
        return [fate for fate in fates if fate.chance > 0.0]

    def crossing(self, now: int, weather: Weather, limit_ns: int, u: float) -> list[Fate]:
        """The fates of one packet that is sent now, and is bad if it takes `limit_ns` or longer."""
        late = 1.0 - self.jitter.share_below(limit_ns / self.base_ns) if self.base_ns else 0.0
        fates = []
        for chance, then in self._weathers(now, weather):
            lost = self._lost(then)
            fates.append(Fate(chance * lost, LOST, True, then))
            passed = chance * (1.0 - lost)
            if late > 0.0:
                fates.append(Fate(passed * late, self._taken(1.0 - late * (1.0 - u)), True, then))
            usual_ns = self._taken(u * (1.0 - late))
            fates.append(Fate(passed * (1.0 - late), usual_ns, False, then))
        return [fate for fate in fates if fate.chance > 0.0]

    def _taken(self, u: float) -> int:
        if self.jitter.none:
            return self.base_ns
        return int(self.base_ns * float(self.jitter.ratios(np.array([u]))[0]))

    def _lost(self, weather: Weather) -> float:
        within = self.bursts.within if weather.bad and self.bursts is not None else 0.0
        return 1.0 - (1.0 - self.loss) * (1.0 - within)

    def _weathers(self, now: int, known: Weather) -> Iterator[tuple[float, Weather]]:
        """The weather now with its probability, given what it was."""
        if self.bursts is None or self._share == 0.0:
            yield 1.0, Weather(False, now)
            return
        rate = 1.0 / self.bursts.good_ns + 1.0 / self.bursts.mean_ns
        kept = math.exp(-rate * (now - known.at_ns))
        bad = self._share * (1.0 - kept) + kept * known.bad
        yield bad, Weather(True, now)
        yield 1.0 - bad, Weather(False, now)
