"""The arrays of one run, as they are at its start."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from hasim.services.gateway.addresses import Address, habits_of
from hasim.services.gateway.budget import hedges_of, retries_of
from hasim.services.gateway.chance import CLIENTS
from hasim.services.gateway.pace import BUCKETS
from hasim.services.gateway.retrying import ANOTHER, layers_of
from hasim.simulation.clients.compiled.layout import CAUSES, FOREVER, Memory
from hasim.simulation.clients.compiled.optional import (
    CONNECTING,
    HEDGING,
    LIMITS,
    NAMES,
    PACING,
    RETRYING,
    WAITING,
    write_addresses,
)
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.load_probes import probe_seed
from hasim.simulation.clients.traffic import Traffic
from hasim.simulation.service import law_of
from hasim.simulation.settings import MasterSettings

SLOTS = 256
RING = 1024
"""Deliveries and answers on the wire that come in order; the others are on the heap."""
WAITS = 1024
WRITES = 1 << 15


def allocate(
    masters: Sequence[MasterSettings],
    partitions: int,
    senders: Sequence[SimGateway],
    traffic: Traffic,
) -> Memory:
    """All arrays but those of the messages, filled with what does not change during the run."""
    memory = Memory()
    _put_gateways(memory, len(masters), partitions, senders)
    _put_masters(memory, masters, partitions, traffic)
    _put_queues(memory)
    _put_state(memory, senders, traffic, len(masters), partitions)
    state = memory["state"][0]
    state["masters"], state["partitions"] = len(masters), partitions
    # So many completions an event may bring about anew.
    state["paced"] = max((m.workers for m in masters if m.capacity), default=0)
    write_addresses(state, PACING if state["paced"] else ())
    return memory


def _put_gateways(
    memory: Memory, masters: int, partitions: int, senders: Sequence[SimGateway]
) -> None:
    gateways = len(senders)
    memory.zeros("eligible", gateways * masters)
    memory.zeros("takes", gateways * masters)
    memory.zeros("in_flight", gateways * masters)
    memory.zeros("owners", gateways * partitions)
    memory.zeros("routes", gateways * masters)["reported"] = 1
    memory.zeros("left_ns", gateways * masters)
    memory.zeros("moved_ns", gateways * partitions)
    watch = senders[0].watch
    marks = watch.failures if watch.window_ns else 0
    memory.zeros("marks", gateways * masters * marks)[:] = -watch.window_ns
    column = memory.zeros("gateways", gateways)
    column["head"] = column["tail"] = -1
    column["look_ns"] = FOREVER
    memory.zeros("budgets", 2 * gateways)
    memory.zeros("paces", gateways)
    memory.zeros("paced", gateways * BUCKETS)


def _put_masters(
    memory: Memory, masters: Sequence[MasterSettings], partitions: int, traffic: Traffic
) -> None:
    memory.zeros("seats", sum(m.workers for m in masters))
    memory.zeros("holdings", partitions + 1)
    memory.zeros("holders", partitions)
    memory.zeros("unanswered", partitions)
    memory.zeros("causes", len(masters) * len(CAUSES))
    column = memory.zeros("masters", len(masters))
    column["workers"] = [m.workers for m in masters]
    column["room"] = [m.queue for m in masters]
    column["law"] = [traffic.laws.index(law_of(m)) for m in masters]
    column["first_seat"] = np.cumsum(column["workers"]) - column["workers"]
    column["rate"] = column["speed"] = 1.0
    column["error_ns"] = -1
    column["capacity"] = [m.capacity or 0.0 for m in masters]


def _put_queues(memory: Memory) -> None:
    memory.zeros("attempts", SLOTS)["next"] = [*range(1, SLOTS), -1]
    memory.zeros("heap", 4 * SLOTS)["time"][0] = FOREVER
    memory.zeros("deliveries", RING)
    memory.zeros("answers", RING)
    memory.zeros("timeouts", WAITS)
    fifos = memory.zeros("fifos", 3)
    fifos["mask"], fifos["next_ns"] = [RING - 1, RING - 1, WAITS - 1], FOREVER
    memory.zeros("writes", WRITES)
    for name in ("probes", "entered", "gauges", "bursts"):
        memory.zeros(name, 0)


def _put_clients(
    memory: Memory, senders: Sequence[SimGateway], traffic: Traffic, masters: int, partitions: int
) -> None:
    habits = habits_of(traffic.settings.clients)
    row = memory.zeros("habits", 1)[0]
    for field, value in dataclasses.asdict(habits).items():
        row[field] = value
    column = memory.zeros("addresses", len(senders) * habits.clients * (partitions + 1))
    for field, value in dataclasses.asdict(Address()).items():
        column[field] = value
    memory.zeros("holds", len(senders) * (partitions + 1))
    memory.zeros("follows", len(senders) * (masters + partitions) if habits.clients else 0)
    memory["state"][0]["clients"] = habits.clients
    seed = np.uint64(traffic.pick_seed ^ CLIENTS)
    memory["state"][0]["client_seed"] = seed.astype(np.int64)


def _put_state(
    memory: Memory, senders: Sequence[SimGateway], traffic: Traffic, masters: int, partitions: int
) -> None:
    # All gateways have the same settings.
    settings, sender = traffic.settings, senders[0]
    budgets = memory["budgets"].reshape(-1, 2)
    for place, budget in enumerate((retries_of(settings), hedges_of(settings))):
        for field, value in dataclasses.asdict(budget).items():
            budgets[field][:, place] = value
    state = memory.zeros("state", 1)[0]
    state["attempts"], state["jittered"] = traffic.attempts, not traffic.jitter.none
    watch = sender.watch
    state["watch"], state["watch_window_ns"] = watch.failures, watch.window_ns
    state["against"], state["refuting"] = watch.against, watch.refuting
    state["timeout_ns"], state["deadline_ns"] = settings.timeout_ns, settings.deadline_ns
    state["connect_ns"] = settings.connect_timeout_ns
    state["hold_ns"], state["most_held"] = settings.hold.for_ns, settings.hold.most
    _put_clients(memory, senders, traffic, masters, partitions)
    layers = layers_of(settings.retry)
    for row, layer in zip(memory.zeros("layers", len(layers)), layers, strict=True):
        for field, value in dataclasses.asdict(layer).items():
            row[field] = value
    state["stays"] = any(layer.master != ANOTHER for layer in layers)
    state["per"] = traffic.rows // traffic.attempts
    state["hedge_after_ns"] = settings.hedge.after_ns
    state["hedge_quantile"] = settings.hedge.quantile
    state["max_queue"] = sender.balancer.settings.limits.max_queue
    needed = {
        HEDGING: settings.hedge.on,
        RETRYING: state["attempts"] > 1,
        WAITING: state["max_queue"] or state["most_held"],
        LIMITS: state["most_held"] or state["connect_ns"],
        NAMES: state["clients"],
        CONNECTING: state["connect_ns"],
    }
    for names, wanted in needed.items():
        write_addresses(state, names if wanted else ())
    # The seed's 64 bits as a signed number.
    state["pick_seed"] = np.uint64(traffic.pick_seed).astype(np.int64)
    state["probe_seed"] = np.uint64(probe_seed(traffic.pick_seed)).astype(np.int64)
    state["has_faulty"] = traffic.clients is not None and traffic.clients.client_errors > 0.0
    state["has_keys"] = traffic.keys is not None
    state["heap_room"], state["writes_room"] = len(memory["heap"]), len(memory["writes"])
