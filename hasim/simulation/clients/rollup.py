"""The traffic of a run, rolled up into the journal at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hasim.simulation.clients.results import BUCKET_NS, IN_FLIGHT, OUTCOMES
from hasim.simulation.clients.traffic import STATELESS
from hasim.sketch import ACCURACY
from hasim.truth import (
    AttemptRollup,
    LatencySketch,
    MessageRecord,
    TrafficRollup,
    WritesHeld,
    WritesLost,
)

if TYPE_CHECKING:
    from hasim.simulation.clients.results import Counts
    from hasim.simulation.world import World

UNSETTLED = "late:"
"""Prefix of the outcome of messages whose deadline lies beyond the end of the run."""


def klass(vip: bool) -> str:
    """The name of a message's class."""
    return "vip" if vip else "ordinary"


def roll_up(world: World, *, messages: bool) -> None:
    """Record traffic, attempts, latencies and writes; single messages only if asked for."""
    counts = world.messages.counts()
    _traffic(world, counts)
    for (master, cause), count in sorted(world.messages.attempt_causes.items()):
        world.record(AttemptRollup(master, cause, count))
    for vip, latencies in enumerate(counts.latencies):
        if latencies:
            world.record(LatencySketch(klass(bool(vip)), ACCURACY, latencies))
    for block in world.messages.blocks():
        world.record(block)
    for partition, state in world.states.items():
        for failover, (writes, first_ns) in state.stale.items():
            size, age_ns = writes * state.write_bytes, world.env.now - first_ns
            world.record(WritesLost(partition, failover, writes, size, age_ns))
        world.record(WritesHeld(partition, state.total_acknowledged, len(state.acknowledged)))
    if messages:
        _messages(world)


def _traffic(world: World, counts: Counts) -> None:
    """By time, then by the names of master, class and outcome."""
    masters = ["", *world.masters]
    columns = [
        counts.bucket * BUCKET_NS,
        _ranks(masters)[counts.master],
        counts.vip,
        counts.late,
        _ranks(OUTCOMES)[counts.outcome],
    ]
    order = np.lexsort(columns[::-1])
    rows = zip(
        *(
            column[order].tolist()
            for column in (
                columns[0],
                counts.master,
                counts.vip,
                counts.late,
                counts.outcome,
                counts.messages,
                counts.in_time,
                counts.attempts,
            )
        ),
        strict=True,
    )
    names = [(outcome, UNSETTLED + outcome) for outcome in OUTCOMES]
    add, now = world.journal.add, world.env.now
    for start_ns, master, vip, late, outcome, n, in_time, attempts in rows:
        name, of = names[outcome][late], klass(vip)
        add(now, "truth", TrafficRollup(start_ns, masters[master], of, name, n, in_time, attempts))


def _ranks(names: Sequence[str]) -> NDArray[np.int64]:
    """The place of each name among all of them, sorted."""
    return np.argsort(np.argsort(names))


def _messages(world: World) -> None:
    results = world.messages.results()
    regions, masters = list(world.gateways), ["", *world.masters]
    columns = zip(
        results.arrival_ns.tolist(),
        results.ended_ns.tolist(),
        results.gateway.tolist(),
        results.vip.tolist(),
        results.partition.tolist(),
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
