"""What the control plane and the faults decide, written into the arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from hasim.simulation.clients.compiled.algorithms import compiled
from hasim.simulation.clients.compiled.gateway import CompiledGateway
from hasim.simulation.clients.compiled.layout import Memory, Record
from hasim.simulation.network import Link, master_endpoint

if TYPE_CHECKING:
    from hasim.simulation.world import World


def configure(world: World, memory: Memory, *, links: bool) -> None:
    """Routing tables, the masters' conditions and roles, and the links if wanted, as now."""
    write_routing(world, memory)
    if links:
        _write_links(world, memory)
    _write_masters(world, memory)


def write_routing(world: World, memory: Memory) -> None:
    """The gateways' routing tables, and which partitions have not been answered since."""
    index = {master: i for i, master in enumerate(world.masters)}
    balancers = [gateway.balancer for gateway in world.gateways.values()]
    memory["owners"][:] = [index[b.owner_of(p)] for b in balancers for p in world.partitions]
    memory["eligible"][:] = [b.is_eligible(master) for b in balancers for master in world.masters]
    gateways, functions = memory["gateways"], [compiled(b.algorithm, b.draws) for b in balancers]
    gateways["pick"] = [known.pick for known in functions]
    gateways["ended"] = [known.ended for known in functions]
    gateways["probed"] = [known.probed for known in functions]
    for number, gateway in enumerate(cast(CompiledGateway, g) for g in world.gateways.values()):
        row = gateways[number]
        row["fleet"], row["counts"] = gateway.fleet_addresses()
        row["admit"], row["note"], row["guards"] = gateway.guard_addresses()
    write_unanswered(world, memory)


def write_unanswered(world: World, memory: Memory) -> None:
    """Which partitions have not been answered since they went down."""
    unanswered = world.oracle.unanswered
    memory["unanswered"][:] = [p in unanswered for p in world.partitions]


def _write_links(world: World, memory: Memory) -> None:
    links, routes = world.network.links, memory["routes"]
    ends = [
        (gateway.endpoint, master_endpoint(master))
        for gateway in world.gateways.values()
        for master in world.masters
    ]
    _write_ways(routes, "there", [links[gateway, master] for gateway, master in ends])
    _write_ways(routes, "back", [links[master, gateway] for gateway, master in ends])


def _write_ways(routes: Record, way: str, links: list[Link]) -> None:
    routes[f"{way}_ns"] = [link.base_ns for link in links]
    routes[f"{way}_extra_ns"] = [link.extra_ns for link in links]
    routes[f"{way}_drops"] = [link.drops for link in links]
    routes[f"{way}_passes"] = [link.passes for link in links]


def _write_masters(world: World, memory: Memory) -> None:
    rows, masters = memory["masters"], world.masters.values()
    rows["offs"] = [master.offs for master in masters]
    rows["crashes"] = [master.crashes for master in masters]
    rows["hangs"] = [master.hangs for master in masters]
    rows["plain"] = [master.settings.workers == 1 and master.answering for master in masters]
    rows["error_rate"] = [master.error_rate for master in masters]
    holders = world.oracle.holders()
    held_by = [holders.get(partition, []) for partition in world.partitions]
    memory["holdings"][1:] = np.cumsum([len(those) for those in held_by])
    index = {master: i for i, master in enumerate(world.masters)}
    memory.put("holders", np.array([index[m.id] for those in held_by for m in those], np.int64))
