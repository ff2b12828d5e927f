"""The traffic of a run, rolled up into the journal at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hasim.simulation.clients.plane import DataPlane
from hasim.simulation.clients.results import BUCKET_NS, IN_FLIGHT, OUTCOMES, Counts, Results
from hasim.simulation.clients.traffic import STATELESS
from hasim.simulation.masters.partitions import Partitions
from hasim.sketch import ACCURACY
from hasim.truth import (
    AttemptRollup,
    ClientRollup,
    LatencySketch,
    MessageRecord,
    TrafficRollup,
    Truth,
    WritesHeld,
    WritesLost,
)


def klass(vip: bool) -> str:
    """The name of a message's class."""
    return "vip" if vip else "ordinary"


Record = Callable[[Truth], None]


def roll_up(
    messages: DataPlane,
    masters: Sequence[str],
    gateways: Sequence[str],
    partitions: Partitions,
    now: int,
    record: Record,
) -> None:
    """Record traffic, attempts, latencies and writes, at the end of the run (`now`, in ns)."""
    counts = messages.counts()
    _traffic(counts, ["", *masters], record)
    for (master, cause), count in sorted(messages.attempt_causes.items()):
        record(AttemptRollup(master, cause, count))
    for gateway, cut in zip(gateways, messages.retries_cut, strict=True):
        if cut:
            record(ClientRollup(gateway, cut))
    for waited in messages.delays().records(gateways):
        record(waited)
    for vip, latencies in enumerate(counts.latencies):
        if latencies:
            record(LatencySketch(klass(bool(vip)), ACCURACY, latencies))
    for rolled in messages.rollups():
        record(rolled)
    for partition, state in partitions.states.items():
        for (observer, failover), (writes, first_ns) in state.stale.items():
            size, age_ns = writes * state.write_bytes, now - first_ns
            record(WritesLost(partition, failover, writes, size, age_ns, observer))
        record(WritesHeld(partition, state.total_acknowledged, len(state.acknowledged)))


def _traffic(counts: Counts, masters: Sequence[str], record: Record) -> None:
    """By time, then by the names of master (the first: none), class and outcome."""
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
    for start_ns, master, vip, late, outcome, n, in_time, attempts in rows:
        place = start_ns, masters[master], klass(vip), OUTCOMES[outcome]
        record(TrafficRollup(*place, n, in_time, attempts, settled=not late))


def _ranks(names: Sequence[str]) -> NDArray[np.int64]:
    """The place of each name among all of them, sorted."""
    return np.argsort(np.argsort(names))


def record_messages(
    results: Results,
    masters: Sequence[str],
    partitions: Sequence[str],
    regions: Sequence[str],
    now: int,
    record: Record,
) -> None:
    """Record every single message, at the end of the run (`now`, in ns)."""
    of_master = ["", *masters]
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
        record(
            MessageRecord(
                i,
                arrived,
                ended if name != IN_FLIGHT else now,
                regions[gateway],
                klass(vip),
                "" if partition == STATELESS else partitions[partition],
                of_master[master + 1],
                name,
                tries,
            )
        )
