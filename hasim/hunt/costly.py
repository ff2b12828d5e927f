"""The schedule of few faults that costs most in a scenario: searched, not only sampled."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

from hasim.hunt.drawing import TRIES, Data, kinds
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.drawing.schedule import faults
from hasim.hunt.drawing.swarm import Swarm
from hasim.hunt.mutating import SHIFTS_MS
from hasim.hunt.running import Ran, run
from hasim.hunt.shrinking import Shrinker
from hasim.oracle.objectives import value
from hasim.scenario.loader import Loaded, from_data
from hasim.scenario.problems import ScenarioError
from hasim.units import MILLISECOND, SECOND, parse_duration

PARENTS = 8
"""So many of the worst schedules are gone on from."""
DRAWN = 24
"""So many schedules are drawn before any is changed, and one in four after that."""
STUDY = ("vary", "expect", "baseline", "projection", "replications", "include_messages", "warm_up")
"""What a scenario says of a study, and a single run does without."""
NEAR_ENOUGH = 0.99
"""A smaller schedule will do if it costs this share of what was found."""


def bare(loaded: Loaded) -> Data:
    """The first cell of a scenario as a single run, without its own faults."""
    data = copy.deepcopy(loaded.data)
    for name in STUDY:
        data.pop(name, None)
    for path, setting in loaded.cells[0].varied.items():
        inside, names = data, path.split(".")
        for name in names[:-1]:
            inside = inside[int(name)] if isinstance(inside, list) else inside.setdefault(name, {})
        inside[names[-1]] = setting
    return {**data, "replications": 1, "include_messages": True, "data_plane": "reference"}


@dataclass
class Costly:
    """Searches: a population of the worst schedules so far, each step a change of one of them.

    A (mu + 1) evolution strategy: with few faults and many plateaus neither gradients nor
    exhaustion help. The scenario's own faults stay what they are, up to `most` are added.
    """

    base: Data
    objective: str
    most: int
    seed: int
    number: int = 0
    found: list[tuple[float, Ran]] = field(default_factory=list)
    """The worst ones, worst first."""

    def step(self) -> float | None:
        """Try one schedule; what it costs, None if it cannot be run."""
        dice = Dice(f"{self.seed}/costly/{self.number}")
        self.number += 1
        fresh = self.number <= DRAWN or not self.found or dice.happens(0.25)
        parent = None if fresh else dice.of(self.found)[1].data["faults"]
        own = self._drawn(dice) if parent is None else self._changed(parent, dice)
        data = {**self.base, "faults": own}
        try:
            ran = run(data, None, ())
        except ScenarioError:
            return None
        if ran.journal is None:
            return None
        cost = value(self.objective, ran.journal)
        if all(ran.data["faults"] != known.data["faults"] for _, known in self.found):
            self.found.append((cost, ran))
            self.found.sort(key=lambda one: -one[0])
            del self.found[PARENTS:]
        return cost

    def world(self, number: int) -> tuple[Data, Loaded]:
        """The scenario with the random schedule of a number; what cannot be is drawn anew."""
        for again in range(TRIES):
            dice = Dice(f"{self.seed}/schedule/{number}/{again}")
            data = {**self.base, "seed": dice.count(1, 10**6), "faults": self._drawn(dice)}
            try:
                return data, from_data(data)
            except ScenarioError as error:
                last = error
        raise last

    @property
    def worst(self) -> float:
        """What the worst schedule costs; 0 before there is one."""
        return self.found[0][0] if self.found else 0.0

    def shrink(self, asked: Callable[[], None] = lambda: None) -> Ran:
        """The smallest schedule that costs about as much as the worst one."""
        cost, ran = self.found[0]

        def holds(smaller: Ran) -> bool:
            if smaller.journal is None or not smaller.data.get("faults"):
                return False
            return value(self.objective, smaller.journal) >= NEAR_ENOUGH * cost

        return Shrinker(ran, holds, asked, (), groups=("faults",)).shrink()

    def _drawn(self, dice: Dice) -> list[Data]:
        horizon_ms = parse_duration(self.base["horizon"]) // MILLISECOND
        owned = self.base.get("traffic", {}).get("owned", "0%")
        left_out = frozenset({"stateless"} if owned in ("0%", 0) else set())
        swarm = Swarm(left_out, tuple(sorted(kinds())))
        masters = [m for m in self.base.get("masters", ()) if "id" in m]
        own = faults(dice, swarm, kinds(), masters)[: self.most]
        for one in own:
            at_ms = parse_duration(one["at"]) // MILLISECOND
            one["at"] = f"{at_ms * horizon_ms // (60 * 1000) % horizon_ms}ms"
            lasts_ms = parse_duration(one["for"]) // MILLISECOND
            one["for"] = f"{max(1, lasts_ms)}ms"
        return own

    def _changed(self, parent: list[Data], dice: Dice) -> list[Data]:
        own = copy.deepcopy(parent)
        what = dice.one("at", "at", "for", "more", "other")
        if what == "more" and len(own) < self.most:
            own.append(dice.of(self._drawn(dice)))
        elif what == "other":
            own[dice.count(0, len(own) - 1)] = dice.of(self._drawn(dice))
        elif what == "for":
            dice.of(own)["for"] = dice.time(1, 300_000)
        else:
            one = dice.of(own)
            moved_ms = parse_duration(one["at"]) // MILLISECOND + dice.of(SHIFTS_MS)
            horizon_ns = parse_duration(self.base["horizon"])
            most_ms = (horizon_ns - SECOND) // MILLISECOND
            one["at"] = f"{min(max(0, moved_ms), most_ms)}ms"
        return own
