"""The arrays of one run, as they are at its start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hasim.services.balancing.guards.pace import BUCKETS
from hasim.simulation.clients.compiled.layout import CAUSES, FOREVER, Memory
from hasim.simulation.clients.compiled.optional import HEDGING, WAITING, write_addresses
from hasim.simulation.clients.load_probes import probe_seed
from hasim.simulation.clients.traffic import Traffic

if TYPE_CHECKING:
    from hasim.simulation.world import World

SLOTS = 256
RING = 1024
"""Deliveries and answers on the wire that come in order; the others are on the heap."""
WAITS = 1024
WRITES = 1 << 15


def allocate(world: World, traffic: Traffic) -> Memory:
    """All arrays but those of the messages, filled with what does not change during the run."""
    memory = Memory()
    _put_cluster(memory, world, traffic)
    _put_queues(memory)
    _put_state(memory, world, traffic)
    return memory


def _put_cluster(memory: Memory, world: World, traffic: Traffic) -> None:
    settings = world.settings
    gateways, masters, partitions = len(world.gateways), len(world.masters), len(world.partitions)
    memory.zeros("seats", sum(m.workers for m in settings.masters))
    memory.zeros("eligible", gateways * masters)
    memory.zeros("takes", gateways * masters)
    memory.zeros("in_flight", gateways * masters)
    memory.zeros("owners", gateways * partitions)
    memory.zeros("holdings", partitions + 1)
    memory.zeros("holders", partitions)
    memory.zeros("unanswered", partitions)
    memory.zeros("causes", masters * len(CAUSES))
    memory.zeros("routes", gateways * masters)["reported"] = 1
    column = memory.zeros("gateways", gateways)
    column["tokens"] = [gateway.budget.tokens for gateway in world.gateways.values()]
    column["hedge_tokens"] = [g.hedge_budget.tokens for g in world.gateways.values()]
    column["head"] = column["tail"] = -1
    column["look_ns"] = FOREVER
    memory.zeros("paces", gateways)
    memory.zeros("paced", gateways * BUCKETS)
    column = memory.zeros("masters", masters)
    column["workers"] = [m.workers for m in settings.masters]
    column["room"] = [m.queue for m in settings.masters]
    column["law"] = [traffic.laws.index(m.service) for m in settings.masters]
    column["first_seat"] = np.cumsum(column["workers"]) - column["workers"]
    column["rate"] = 1.0


def _put_queues(memory: Memory) -> None:
    memory.zeros("attempts", SLOTS)["next"] = [*range(1, SLOTS), -1]
    memory.zeros("heap", 4 * SLOTS)["time"][0] = FOREVER
    memory.zeros("deliveries", RING)
    memory.zeros("answers", RING)
    memory.zeros("timeouts", WAITS)
    fifos = memory.zeros("fifos", 3)
    fifos["mask"], fifos["next_ns"] = [RING - 1, RING - 1, WAITS - 1], FOREVER
    memory.zeros("writes", WRITES)
    for name in ("probes", "entered", "gauges"):
        memory.zeros(name, 0)


def _put_state(memory: Memory, world: World, traffic: Traffic) -> None:
    settings = traffic.settings
    budgets = [gateway.budget for gateway in world.gateways.values()]
    state = memory.zeros("state", 1)[0]
    state["attempts"], state["jittered"] = traffic.attempts, not traffic.jitter.none
    state["masters"], state["partitions"] = len(world.masters), len(world.partitions)
    state["watch"] = world.driver.control_plane.detection.watch().failures
    state["timeout_ns"], state["deadline_ns"] = settings.timeout_ns, settings.deadline_ns
    state["backoff_ns"] = settings.retry.backoff_ns
    state["share"], state["ceiling"] = budgets[0].share, budgets[0].reserve
    state["most_active"] = budgets[0].most_active
    hedges = next(iter(world.gateways.values())).hedge_budget
    state["per"] = traffic.rows // traffic.attempts
    state["hedge_share"], state["hedge_ceiling"] = hedges.share, hedges.reserve
    state["hedge_after_ns"] = settings.hedge.after_ns
    state["hedge_quantile"] = settings.hedge.quantile
    state["max_queue"] = world.settings.balancing.limits.max_queue
    write_addresses(state, HEDGING * settings.hedge.on + WAITING * bool(state["max_queue"]))
    # The seed's 64 bits as a signed number.
    state["pick_seed"] = np.uint64(traffic.pick_seed).astype(np.int64)
    state["probe_seed"] = np.uint64(probe_seed(traffic.pick_seed)).astype(np.int64)
    state["has_keys"] = settings.keys is not None
    state["heap_room"], state["writes_room"] = len(memory["heap"]), len(memory["writes"])
