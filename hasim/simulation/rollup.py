"""The traffic of a run, rolled up into the journal at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hasim.model import Cause
from hasim.simulation.messages import IN_FLIGHT
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
    plane, drawn = world.messages, world.messages.messages
    if not drawn.count:
        return
    deadline_ns, horizon_ns = world.settings.traffic.deadline_ns, world.settings.horizon_ns
    arrival = np.array(drawn.arrival_ns)
    tries = np.array(plane.tries)
    answered = np.array([outcome == Cause.OK for outcome in plane.outcome])
    in_time = answered & (np.array(plane.ended_ns) - arrival <= deadline_ns)
    unsettled = arrival + deadline_ns > horizon_ns
    masters, master = np.unique(np.array(plane.master), return_inverse=True)
    outcomes, outcome = np.unique(np.array(plane.outcome), return_inverse=True)
    table = np.column_stack(
        [arrival // BUCKET_NS * BUCKET_NS, master, np.array(drawn.vip), unsettled, outcome]
    )
    rows, row = np.unique(table, axis=0, return_inverse=True)
    counts = np.bincount(row)
    met = np.bincount(row, weights=in_time).astype(np.int64)
    attempts = np.bincount(row, weights=tries).astype(np.int64)
    for i, (start, m, vip, late, o) in enumerate(rows.tolist()):
        name = (UNSETTLED if late else "") + str(outcomes[o])
        count = (int(counts[i]), int(met[i]), int(attempts[i]))
        world.record(TrafficRollup(start, str(masters[m]), klass(bool(vip)), name, *count))


def _latencies(world: World) -> None:
    plane, drawn = world.messages, world.messages.messages
    for vip in (False, True):
        latencies = [
            plane.ended_ns[i] - drawn.arrival_ns[i]
            for i in range(drawn.count)
            if drawn.vip[i] == vip and plane.outcome[i] == Cause.OK
        ]
        if latencies:
            buckets = sketch(np.array(latencies, dtype=np.int64), ACCURACY)
            world.record(LatencySketch(klass(vip), ACCURACY, buckets))


def _messages(world: World) -> None:
    plane, drawn = world.messages, world.messages.messages
    regions = list(world.gateways)
    for i in range(drawn.count):
        index = drawn.partition[i]
        world.record(
            MessageRecord(
                i,
                drawn.arrival_ns[i],
                plane.ended_ns[i] if plane.outcome[i] != IN_FLIGHT else world.settings.horizon_ns,
                regions[drawn.gateway[i]],
                klass(drawn.vip[i]),
                "" if index == STATELESS else world.partitions[index],
                plane.master[i],
                plane.outcome[i],
                plane.tries[i],
            )
        )
