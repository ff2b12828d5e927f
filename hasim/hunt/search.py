"""The hunt itself: worlds are drawn or mutated, run, and kept if they reach something new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hasim.hunt.coverage import group
from hasim.hunt.drawing import Data, draw
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.mutating import mutated
from hasim.hunt.running import Ran, run
from hasim.hunt.shrinking import Shrinker
from hasim.oracle import INVARIANTS, Invariant
from hasim.scenario.problems import ScenarioError

KEPT = 400
"""So many worlds that reached something new are kept for mutation, the latest ones."""


@dataclass
class State:
    """How far a hunt is: plain data, so that it can be stored and go on."""

    seed: int
    number: int = 0
    """The next world."""
    mutants: int = 0
    faults: int = 0
    years: float = 0.0
    seconds: float = 0.0
    reached: dict[str, int] = field(default_factory=dict)
    """Each feature, and in how many worlds it was reached."""
    kept: list[Data] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    """Each broken invariant, and in how many worlds."""

    def groups(self) -> dict[str, int]:
        """How many features of each group were reached."""
        return dict(Counter(group(feature) for feature in self.reached))


class Hunt:
    """Goes from world to world; the same seed gives the same worlds, whatever the time.

    `also` are invariants that users have stated. `first` gives a world of a scenario instead of
    a random one.
    """

    def __init__(
        self,
        state: State,
        also: Sequence[Invariant] = (),
        first: Callable[[int], tuple[Data, Any]] | None = None,
    ) -> None:
        self.state = state
        self.invariants = [*INVARIANTS.known.values(), *also]
        self._random = first is None
        self._first = first or (lambda number: draw(state.seed, number))

    def step(self) -> Ran:
        """The next world, run and counted."""
        state = self.state
        dice = Dice(f"{state.seed}/hunt/{state.number}")
        ran = self._mutant(dice) if state.kept and dice.happens(0.5) else None
        if ran is None:
            data, loaded = self._first(state.number)
            ran = run(data, loaded, self.invariants)
        else:
            state.mutants += 1
        state.number += 1
        state.faults += ran.faults
        state.years += ran.years
        new = [feature for feature in ran.reached if feature not in state.reached]
        for feature in sorted(ran.reached):
            state.reached[feature] = state.reached.get(feature, 0) + 1
        if new:
            state.kept = [*state.kept, ran.data][-KEPT:]
        for name in ran.broken:
            state.broken[name] = state.broken.get(name, 0) + 1
        return ran

    def _mutant(self, dice: Dice) -> Ran | None:
        data = mutated(dice.of(self.state.kept), dice, settings=self._random)
        data["name"] = f"hunt-{self.state.seed}-{self.state.number}"
        try:
            return run(data, None, self.invariants)
        except ScenarioError:
            return None

    def shrink(self, found: Ran, asked: Callable[[], None] = lambda: None) -> Ran:
        """The smallest world that breaks first what this one breaks first."""
        name = found.broken[0]
        only = [one for one in self.invariants if one.name == name]
        shrinker = Shrinker(found, lambda ran: name in ran.broken, asked, only or None)
        return shrinker.shrink()
