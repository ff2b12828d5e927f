"""One world of a hunt, drawn where it is run: in this process or in another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hasim.hunt.drawing import Data, draw
from hasim.hunt.running import Ran, run
from hasim.oracle import INVARIANTS, Invariant
from hasim.oracle.invariants.replaying import NO_CLAIRVOYANCE
from hasim.scenario.problems import ScenarioError

REPLAYED_EACH = 4
"""One world in so many is fed to a second control plane: that costs as much as all other
invariants together, and what it finds is seldom of one world alone."""


def looked_at(number: int, every: Sequence[Invariant]) -> list[Invariant]:
    """The invariants that are looked at in the world of a number."""
    left_out = (NO_CLAIRVOYANCE,) if number % REPLAYED_EACH else ()
    return [one for one in every if one not in left_out]


@dataclass(frozen=True)
class Task:
    """The number of a world; and the world itself, if it is one that was changed."""

    number: int
    mutant: Data | None = None


@dataclass(frozen=True)
class Look:
    """Runs worlds and looks at all invariants that ship, and `also` at users' own.

    `first` gives a world of a scenario instead of a random one. It can be pickled if these can.
    """

    seed: int
    also: tuple[Invariant, ...] = ()
    first: Callable[[int], tuple[Data, Any]] | None = None

    @property
    def every(self) -> list[Invariant]:
        """All that is looked at."""
        return [*INVARIANTS.shipped.values(), *self.also]

    def __call__(self, task: Task) -> Ran:
        """Run one; what was changed and is no valid scenario any more gives way to a new one."""
        every = looked_at(task.number, self.every)
        if task.mutant is not None:
            try:
                ran = run(task.mutant, None, every)
            except ScenarioError:
                pass
            else:
                ran.mutant = True
                return ran
        data, loaded = self.first(task.number) if self.first else draw(self.seed, task.number)
        return run(data, loaded, every)
