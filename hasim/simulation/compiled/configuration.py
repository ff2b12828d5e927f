"""What the control plane and the faults decide, written into the arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hasim.simulation.compiled.availability import ALGORITHMS
from hasim.simulation.compiled.layout import Memory, Record
from hasim.simulation.network import Link, master_endpoint

if TYPE_CHECKING:
    from hasim.simulation.world import World


def configure(world: World, memory: Memory) -> None:
    """Routing tables, links, the masters' conditions and roles, as they are now."""
    _write_routing(world, memory)
    _write_links(world, memory)
    _write_masters(world, memory)
    for index, partition in enumerate(world.partitions):
        memory["unanswered"][index] = partition in world.oracle.unanswered


def _write_routing(world: World, memory: Memory) -> None:
    index = {master: i for i, master in enumerate(world.masters)}
    eligible = memory["eligible"].reshape(len(world.gateways), -1)
    owners = memory["owners"].reshape(len(world.gateways), -1)
    for number, gateway in enumerate(world.gateways.values()):
        balancer = gateway.balancer
        eligible[number] = 0
        eligible[number, [index[master] for master in balancer.eligible_masters()]] = 1
        owners[number] = [index[balancer.owner_of(p)] for p in world.partitions]
        memory["gateways"]["algorithm"][number] = ALGORITHMS.index(balancer.algorithm)


def _write_links(world: World, memory: Memory) -> None:
    links, routes = world.network.links, memory["routes"]
    number = 0
    for gateway in world.gateways.values():
        for master in world.masters:
            endpoint = master_endpoint(master)
            _write_link(routes[number], "there", links[gateway.endpoint, endpoint])
            _write_link(routes[number], "back", links[endpoint, gateway.endpoint])
            number += 1


def _write_link(route: Record, way: str, link: Link) -> None:
    route[f"{way}_ns"], route[f"{way}_extra_ns"] = link.base_ns, link.extra_ns
    route[f"{way}_drops"], route[f"{way}_passes"] = link.drops, link.passes


def _write_masters(world: World, memory: Memory) -> None:
    primaries = memory["primaries"].reshape(len(world.masters), -1)
    for index, master in enumerate(world.masters.values()):
        row = memory["masters"][index]
        row["offs"], row["crashes"], row["hangs"] = master.offs, master.crashes, master.hangs
        row["error_rate"] = master.error_rate
        primaries[index] = [partition in master.primaries for partition in world.partitions]
