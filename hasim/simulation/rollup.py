"""The traffic of a run, rolled up into the journal at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hasim.model import Cause
from hasim.simulation.results import IN_FLIGHT, OUTCOMES
from hasim.simulation.traffic import STATELESS
from hasim.sketch import ACCURACY, sketch
from hasim.truth import (
    AttemptRollup,
    LatencySketch,
    MessageRecord,
    TrafficRollup,
    WritesHeld,
    WritesLost,
)
from hasim.units import SECOND

if TYPE_CHECKING:
    from hasim.simulation.world import World

BUCKET_NS = 10 * SECOND
UNSETTLED = "late:"
"""Prefix of the outcome of messages whose deadline lies beyond the end of the run."""


def klass(vip: bool) -> str:
    """The name of a message's class."""
    return "vip" if vip else "ordinary"


def roll_up(world: World, *, messages: bool) -> None:
    """Record traffic, attempts, latencies and writes; single messages only if asked for."""
    _traffic(world)
    for (master, cause), count in sorted(world.messages.attempt_causes.items()):
        world.record(AttemptRollup(master, cause, count))
    _latencies(world)
    for partition, state in world.states.items():
        for failover, times in state.stale.items():
            size, age_ns = len(times) * state.write_bytes, world.env.now - times[0]
            world.record(WritesLost(partition, failover, len(times), size, age_ns))
        world.record(WritesHeld(partition, state.total_acknowledged, len(state.acknowledged)))
    if messages:
        _messages(world)


def _traffic(world: World) -> None:
    drawn, results = world.messages.drawn, world.messages.results()
    if not drawn.count:
        return
    deadline_ns, horizon_ns = world.settings.traffic.deadline_ns, world.settings.horizon_ns
    answered = results.outcome == OUTCOMES.index(Cause.OK)
    in_time = answered & (results.ended_ns - drawn.arrival_ns <= deadline_ns)
    unsettled = drawn.arrival_ns + deadline_ns > horizon_ns
    masters, master = _by_name(["", *world.masters], results.master + 1)
    outcomes, outcome = _by_name(OUTCOMES, results.outcome)
    columns: list[tuple[NDArray[Any], int]] = [
        (drawn.arrival_ns // BUCKET_NS, horizon_ns // BUCKET_NS + 1),
        (master, len(masters)),
        (drawn.vip, 2),
        (unsettled, 2),
        (outcome, len(outcomes)),
    ]
    sizes = [size for _, size in columns]
    # One number for each combination, in the order of the columns.
    rows, row = np.unique(
        np.ravel_multi_index([column for column, _ in columns], sizes), return_inverse=True
    )
    counts = np.bincount(row).tolist()
    met = np.bincount(row, weights=in_time).astype(np.int64).tolist()
    attempts = np.bincount(row, weights=results.tries).astype(np.int64).tolist()
    for i, (bucket, m, vip, late, o) in enumerate(np.column_stack(np.unravel_index(rows, sizes))):
        name = (UNSETTLED if late else "") + outcomes[o]
        world.record(
            TrafficRollup(
                int(bucket) * BUCKET_NS,
                masters[m],
                klass(bool(vip)),
                name,
                counts[i],
                met[i],
                attempts[i],
            )
        )


def _by_name(
    names: Sequence[str], indexes: NDArray[np.signedinteger]
) -> tuple[list[str], NDArray[np.int64]]:
    """The names sorted, and where in them each index into the unsorted ones is now."""
    ordered = sorted(names)
    return ordered, np.array([ordered.index(name) for name in names])[indexes]


def _latencies(world: World) -> None:
    drawn, results = world.messages.drawn, world.messages.results()
    answered = results.outcome == OUTCOMES.index(Cause.OK)
    for vip in (False, True):
        mine = answered & (drawn.vip == vip)
        if mine.any():
            buckets = sketch(results.ended_ns[mine] - drawn.arrival_ns[mine], ACCURACY)
            world.record(LatencySketch(klass(vip), ACCURACY, buckets))


def _messages(world: World) -> None:
    drawn, results = world.messages.drawn, world.messages.results()
    regions, masters = list(world.gateways), ["", *world.masters]
    columns = zip(
        drawn.arrival_ns.tolist(),
        results.ended_ns.tolist(),
        drawn.gateway.tolist(),
        drawn.vip.tolist(),
        drawn.partition.tolist(),
        results.master.tolist(),
        results.outcome.tolist(),
        results.tries.tolist(),
        strict=True,
    )
    for i, (arrived, ended, gateway, vip, partition, master, outcome, tries) in enumerate(columns):
        name = OUTCOMES[outcome]
        world.record(
            MessageRecord(
                i,
                arrived,
                ended if name != IN_FLIGHT else world.settings.horizon_ns,
                regions[gateway],
                klass(vip),
                "" if partition == STATELESS else world.partitions[partition],
                masters[master + 1],
                name,
                tries,
            )
        )
