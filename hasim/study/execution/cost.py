"""What a study will take, from a little of it."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hasim.measures import measure
from hasim.study.execution.replication import simulate_cell
from hasim.truth import TrafficRollup
from hasim.units import SECOND

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded


@dataclass(frozen=True, slots=True)
class Cost:
    """What one replication of each cell takes: messages, and seconds on one core."""

    messages: float
    seconds: float


def estimate_cost(loaded: Loaded, *, sample_ns: int = 30 * SECOND) -> Cost:
    """The cost of one replication of each cell, from one of the first cut off after `sample_ns`.

    An estimate: it takes cost to grow with the horizon and to be the same in all cells.
    """
    point = loaded.cells[0]
    short_ns = min(point.world.horizon_ns, sample_ns)
    sample = dataclasses.replace(point, world=dataclasses.replace(point.world, horizon_ns=short_ns))
    cut = dataclasses.replace(loaded, cells=(sample,))
    simulate_cell(cut, 0, 0)  # reads traces and imports what a process needs but once
    started = time.perf_counter()
    journal = simulate_cell(cut, 0, 0)
    measure(journal)
    spent_s = time.perf_counter() - started
    messages = sum(row.messages for _, row in journal.of(TrafficRollup))
    horizons_ns = [loaded.cells[index].world.horizon_ns for index in loaded.sample()]
    times = sum(horizons_ns) / len(horizons_ns) * len(loaded.cells) / short_ns
    return Cost(messages * times, spent_s * times)
