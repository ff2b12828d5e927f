"""Samples of the load around operations, from which their transients are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hasim.simulation.clock import FAULT, Call
from hasim.truth import LoadSample
from hasim.units import SECOND

if TYPE_CHECKING:
    from hasim.simulation.world import World

INTERVAL_NS = SECOND
BEFORE, AFTER = 20, 120
"""Intervals before and after each operation."""


def sample_times(operations_ns: list[int], horizon_ns: int) -> list[int]:
    """When samples are taken: every interval around each operation, counted from it."""
    times = {
        at_ns + number * INTERVAL_NS
        for at_ns in operations_ns
        for number in range(-BEFORE, AFTER + 1)
    }
    return sorted(t for t in times if 0 <= t < horizon_ns)


def schedule_samples(world: World) -> None:
    """Put the samples on the clock, if there is any operation."""
    operations_ns = [operation.at_ns for operation in world.settings.operations]
    for at_ns in sample_times(operations_ns, world.settings.horizon_ns):
        Call(world.env, at_ns, FAULT, _take, world)


def _take(event: Call) -> None:
    world: World = event.load
    sent, lost = world.messages.sent_and_lost()
    world.record(LoadSample(sent, lost))
