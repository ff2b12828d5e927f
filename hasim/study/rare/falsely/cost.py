"""What one false failover costs: runs in which a healthy master is declared failed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hasim.measures import measure
from hasim.scenario import sent
from hasim.simulation.run import collector_paused, simulate
from hasim.simulation.settings.operations import DeclareFailed
from hasim.simulation.streams import Stream
from hasim.study.rare.runs import WARM_UP_NS, Design, run_of
from hasim.study.rare.shortfalls import Measure

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded

FIRST = 10**8
"""Replications from here on are of these runs: no others have such numbers."""


@dataclass(frozen=True)
class Costs:
    """The work of the executor: seconds down after a mistaken declaration, in run `number`.

    Somebody says of an owner, at a moment of the probes' rhythm, that it has failed; what follows
    is what follows a declaration by the detector, and the next checks that pass acquit it as well.
    """

    loaded: Loaded
    designs: tuple[Design, ...]
    of: Measure
    traces: Mapping[str, bytes] = field(default_factory=dict)

    def __call__(self, cell: int, number: int) -> tuple[int, int, float]:
        """Simulate it, and measure what was lost."""
        sent.use(self.traces)
        design, point = self.designs[cell], self.loaded.cells[cell]
        draws = Stream(design.seed, number, "rare:mistaken")
        names = [m.id for m in design.world.owners] or [m.id for m in design.world.all_masters]
        name = names[int(draws.uniform() * len(names))]
        at_ns = 2 * WARM_UP_NS + int(draws.uniform() * WARM_UP_NS)
        world = dataclasses.replace(
            design.struck(at_ns + design.after_ns),
            operations=(DeclareFailed(do="declare-failed", at_ns=at_ns, master=name),),
        )
        with collector_paused():
            journal = simulate(
                world,
                self.loaded.recorded_of(point),
                seed=self.loaded.scenario.seed,
                replication=FIRST + number,
                scenario=self.loaded.scenario.name,
                cell=dict(point.varied),
            )
            return cell, number, sum(run_of(measure(journal), self.of).down_s)
