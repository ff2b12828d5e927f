"""The hunt itself: worlds are drawn or mutated, run, and kept if they reach something new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hasim.hunt.coverage import group
from hasim.hunt.drawing import Data
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.looking import Look, Task
from hasim.hunt.mutating import mutated
from hasim.hunt.running import Ran, run
from hasim.hunt.shrinking import Shrinker
from hasim.oracle import INVARIANTS, Invariant

KEPT = 400
"""So many worlds that reached something new are kept for mutation, the latest ones."""
ROUND = 100
"""What is reached in so many worlds is mutated from the next one on: within them none depends on
another, and they may be run at once."""


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
    fresh: list[Data] = field(default_factory=list)
    """What this round has found, kept when it is over."""
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
        own = [one for name, one in INVARIANTS.known.items() if name not in INVARIANTS.shipped]
        self.look = Look(state.seed, (*own, *also), first)

    def tasks(self) -> Iterator[Task]:
        """The worlds that are left of this round."""
        for number in range(self.state.number, (self.state.number // ROUND + 1) * ROUND):
            yield self._task(number)

    def step(self) -> Ran:
        """The next world, run and counted."""
        return self.take(self.look(self._task(self.state.number)))

    def take(self, ran: Ran) -> Ran:
        """Count the world that comes next."""
        state = self.state
        state.number += 1
        state.mutants += ran.mutant
        state.faults += ran.faults
        state.years += ran.years
        new = [feature for feature in ran.reached if feature not in state.reached]
        for feature in sorted(ran.reached):
            state.reached[feature] = state.reached.get(feature, 0) + 1
        if new:
            state.fresh.append(ran.data)
        if state.number % ROUND == 0:
            state.kept, state.fresh = [*state.kept, *state.fresh][-KEPT:], []
        for name in ran.broken:
            state.broken[name] = state.broken.get(name, 0) + 1
        return ran

    def _task(self, number: int) -> Task:
        seed, kept = self.state.seed, self.state.kept
        dice = Dice(f"{seed}/hunt/{number}")
        if not kept or not dice.happens(0.5):
            return Task(number)
        data = mutated(dice.of(kept), dice, settings=self.look.first is None)
        data["name"] = f"hunt-{seed}-{number}"
        return Task(number, data)

    def again(self, found: Ran, name: str) -> Ran:
        """A world, with the breaches of one invariant alone; and its journal, if it has none."""
        if found.journal is None:
            found = run(found.data, None, self.look.every)
        return found.only(name)

    def shrink(self, found: Ran, asked: Callable[[], None] = lambda: None) -> Ran:
        """The smallest world that breaks first what this one breaks first."""
        name = found.broken[0]
        only = [one for one in self.look.every if one.name == name]
        shrinker = Shrinker(found, lambda ran: name in ran.broken, asked, only or None)
        return shrinker.shrink()
