"""The split of the shortfall: by cause it adds up to the whole, in every shipped scenario."""

from __future__ import annotations

import dataclasses
import math

import pytest

from hasim.measures import Measured, measure
from hasim.measures.causes import CAUSES
from hasim.scenario import catalogue
from hasim.scenario.loader import load
from hasim.simulation.run import simulate
from hasim.units import MINUTE

SHIPPED = catalogue.shipped()
LONGEST_NS = 10 * MINUTE
"""Of a run; faults that come later are not part of it."""


def runs_of(name: str) -> list[Measured]:
    """The first and the last cell of a scenario, for a while."""
    loaded = load(SHIPPED[name])
    found = []
    for cell in {cell.index: cell for cell in (loaded.cells[0], loaded.cells[-1])}.values():
        horizon_ns = min(cell.world.horizon_ns, LONGEST_NS)
        faults = tuple(f for f in cell.world.faults if all(a.mean_ns < horizon_ns for a in f.at))
        world = dataclasses.replace(cell.world, horizon_ns=horizon_ns, faults=faults)
        found.append(measure(simulate(world, loaded.recorded_of(cell), seed=1, replication=0)))
    return found


@pytest.mark.parametrize("name", SHIPPED)
def test_causes_add_up_to_the_shortfall(name: str) -> None:
    for run in runs_of(name):
        for row in (run.service, *run.partitions, *run.tiers):
            split_s = math.fsum(getattr(row, f"{cause}_s") for cause in CAUSES)
            assert abs(split_s - row.down_s) <= 1e-9
            assert abs((1 - row.uptime) * run.horizon_s - row.down_s) <= 1e-9
        told_s = math.fsum(row.ended_at_s - row.started_at_s for row in run.downs)
        assert abs(told_s - run.service.down_s) <= 1e-9
        assert all(
            a.ended_at_s <= b.started_at_s for a, b in zip(run.downs, run.downs[1:], strict=False)
        )
