"""What the control plane and the faults decide, written into the arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from hasim.simulation.clients.compiled.algorithms import Compiled, compiled
from hasim.simulation.clients.compiled.delays import Collected
from hasim.simulation.clients.compiled.gateway import CompiledGateway
from hasim.simulation.clients.compiled.layout import FOREVER, Memory, Record
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import Link, Network, master_endpoint
from hasim.simulation.oracle import Oracle


class Configuration:
    """Copies routing, links, conditions and roles into the arrays, when they have changed."""

    def __init__(
        self,
        memory: Memory,
        masters: dict[str, SimMaster],
        partitions: Sequence[str],
        gateways: Sequence[CompiledGateway],
        network: Network,
        oracle: Oracle,
        collected: Collected,
        *,
        horizon_ns: int,
    ) -> None:
        self._memory = memory
        self._masters = masters
        self._partitions = partitions
        self._ranks = {partition: rank for rank, partition in enumerate(partitions)}
        self._gateways = gateways
        self._network = network
        self._oracle = oracle
        self._collected = collected
        self._horizon_ns = horizon_ns
        self._links_version = -1
        self._functions: list[Compiled] = []

    @property
    def probed(self) -> bool:
        """Whether the algorithm of any gateway asks masters for their load."""
        return any(known.probed for known in self._functions)

    def write(self) -> None:
        """Routing tables, links, the masters' conditions and roles, as they are now."""
        self.write_routing()
        if self._links_version != self._network.version:
            self._links_version = self._network.version
            self._write_links()
        self._write_masters()

    def write_routing(self) -> None:
        """The gateways' routing tables, and which partitions have not been answered since."""
        memory, partitions = self._memory, self._partitions
        index = {master: i for i, master in enumerate(self._masters)}
        balancers = [gateway.balancer for gateway in self._gateways]
        standings = [balancer.standing for balancer in balancers]
        memory["owners"][:] = [index[s.owner_of(p)] for s in standings for p in partitions]
        memory["eligible"][:] = [may for standing in standings for may in standing.eligible]
        choices = [balancer.choice for balancer in balancers]
        rows, functions = memory["gateways"], [compiled(c.algorithm, c.draws) for c in choices]
        if functions != self._functions:
            self._functions = functions
            rows["pick"] = [known.pick for known in functions]
            rows["ended"] = [known.ended for known in functions]
            rows["probed"] = [known.probed for known in functions]
        for row, gateway in zip(rows, self._gateways, strict=True):
            row["fleet"], row["counts"] = gateway.fleet_addresses()
            row["admit"], row["note"], row["guards"] = gateway.guard_addresses()
        self._collected.collect()
        if memory["state"][0]["clients"]:
            memory["left_ns"][:] = [since for b in balancers for since in b.left_ns]
            memory["moved_ns"][:] = [b.moved_ns[p] for b in balancers for p in partitions]
        self.write_unanswered(self._partitions)

    def write_unanswered(self, partitions: Iterable[str]) -> None:
        """Which of some partitions have not been answered since they went down, and since when."""
        unanswered, since = self._oracle.unanswered, self._memory["unanswered"]
        for partition in partitions:
            since[self._ranks[partition]] = 1 + unanswered.get(partition, -1)

    def _write_links(self) -> None:
        links, routes = self._network.links, self._memory["routes"]
        ends = [
            (gateway.endpoint, master_endpoint(master))
            for gateway in self._gateways
            for master in self._masters
        ]
        there = [links[gateway, master] for gateway, master in ends]
        if not len(self._memory["bursts"]):
            self._write_bursts(there)
        _write_ways(routes, "there", there)
        _write_ways(routes, "back", [links[master, gateway] for gateway, master in ends])

    def _write_bursts(self, links: list[Link]) -> None:
        """All bursts of loss of the run, path by path, and one at the end of each."""
        never = (np.array([FOREVER]), np.array([FOREVER]))
        of_links = [
            never if link.bursts is None else link.bursts.until(self._horizon_ns) for link in links
        ]
        counts = [len(begin_ns) + 1 for begin_ns, _ in of_links]
        rows = self._memory.zeros("bursts", sum(counts))
        rows["begin_ns"] = rows["end_ns"] = FOREVER
        firsts = np.cumsum([0, *counts[:-1]])
        for first, (begin_ns, end_ns) in zip(firsts, of_links, strict=True):
            places = slice(first, first + len(begin_ns))
            rows["begin_ns"][places], rows["end_ns"][places] = begin_ns, end_ns
        self._memory["routes"]["burst"] = firsts
        burst = next((link.bursts for link in links if link.bursts is not None), None)
        if burst is not None:
            state = self._memory["state"][0]
            state["bursty"], state["burst_passes"] = 1, burst.passing

    def _write_masters(self) -> None:
        rows, masters = self._memory["masters"], self._masters.values()
        rows["offs"] = [master.offs for master in masters]
        rows["crashes"] = [master.crashes for master in masters]
        rows["died_ns"] = [master.died_ns for master in masters]
        rows["hangs"] = [master.blocked for master in masters]
        rows["delay_ns"] = [sum(master.delays) for master in masters]
        rows["error_ns"] = [min(master.error_times, default=-1) for master in masters]
        alone = not self._memory["state"]["behind"][0]  # what another tier takes is not foreseen
        rows["plain"] = [alone and _is_plain(master) for master in masters]
        rows["wait_ns"] = [master.wait_ns for master in masters]
        rows["give_up_ns"] = [master.give_up_ns for master in masters]
        rows["error_rate"] = [master.error_rate for master in masters]
        held_by = [self._oracle.holders[partition] for partition in self._partitions]
        self._memory["holdings"][1:] = np.cumsum([len(those) for those in held_by])
        index = {master: i for i, master in enumerate(self._masters)}
        held = [index[master.id] for those in held_by for master in those]
        self._memory.put("holders", np.array(held, np.int64))


def _is_plain(master: SimMaster) -> bool:
    """Whether what it has to do is done in turn, and nothing that comes later changes that."""
    settings = master.settings
    special = (
        *(master.writes_wait, master.wait_ns, master.delays, master.error_times),
        settings.capacity is not None,
        master.waits.counted,
    )
    return settings.workers == 1 and master.answering and not any(special)


def _write_ways(routes: Record, way: str, links: list[Link]) -> None:
    routes[f"{way}_ns"] = [link.base_ns for link in links]
    routes[f"{way}_extra_ns"] = [link.extra_ns for link in links]
    routes[f"{way}_drops"] = [link.drops for link in links]
    routes[f"{way}_passes"] = [link.passes for link in links]
    routes[f"{way}_lossy"] = [link.passes < 1.0 or link.bursts is not None for link in links]
    routes[f"{way}_held_ns"] = [link.held_ns for link in links]
