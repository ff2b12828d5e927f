"""Samples of the load around operations, from which their transients are measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hasim.simulation.clients.plane import DataPlane
from hasim.simulation.clock import FAULT, Call, Clock
from hasim.truth import LoadSample, Truth
from hasim.units import SECOND

INTERVAL_NS = SECOND
BEFORE, AFTER = 20, 120
"""Intervals before and after each operation."""


def sample_times(operations_ns: Sequence[int], horizon_ns: int) -> list[int]:
    """When samples are taken: every interval around each operation, counted from it."""
    times = {
        at_ns + number * INTERVAL_NS
        for at_ns in operations_ns
        for number in range(-BEFORE, AFTER + 1)
    }
    return sorted(t for t in times if 0 <= t < horizon_ns)


def schedule_samples(
    env: Clock,
    operations_ns: Sequence[int],
    horizon_ns: int,
    messages: DataPlane,
    record: Callable[[Truth], None],
) -> None:
    """Put the samples on the clock, if there is any operation."""

    def take(_: Call) -> None:
        record(LoadSample(*messages.sent_and_lost()))

    for at_ns in sample_times(operations_ns, horizon_ns):
        Call(env, at_ns, FAULT, take)
