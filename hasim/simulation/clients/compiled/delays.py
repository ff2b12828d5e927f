"""What clients and messages waited for, taken out of the arrays whenever routing changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hasim.simulation.clients.compiled.gateway import CompiledGateway
from hasim.simulation.clients.compiled.layout import Memory
from hasim.simulation.clients.delays import Delays


class Collected:
    """The delays of the whole run: compiled code adds up those since the last routing table."""

    def __init__(
        self,
        memory: Memory,
        masters: Sequence[str],
        partitions: Sequence[str],
        gateways: Sequence[CompiledGateway],
    ) -> None:
        self._memory = memory
        self._masters = masters
        self._partitions = ["", *partitions]
        self._gateways = gateways
        self._tabled_ns = [gateway.balancer.tabled_ns for gateway in gateways]
        self._delays = Delays()

    def collect(self) -> None:
        """Take out those of gateways that use another table; before `left_ns` is written anew."""
        for number, gateway in enumerate(self._gateways):
            tabled_ns = gateway.balancer.tabled_ns
            if tabled_ns != self._tabled_ns[number]:
                self._take(number)
                self._tabled_ns[number] = tabled_ns

    def delays(self) -> Delays:
        """All of them."""
        for number in range(len(self._gateways)):
            self._take(number)
        return self._delays

    def _take(self, gateway: int) -> None:
        """Take out those of one gateway."""
        places = len(self._partitions)
        holds = self._memory["holds"].reshape(-1, places)[gateway]
        for place in np.flatnonzero(holds["attempts"]).tolist():
            held = self._delays.holding(gateway, self._tabled_ns[gateway], self._partitions[place])
            attempts, total_ns, most_ns = holds[place].tolist()
            held.attempts += attempts
            held.total_ns += total_ns
            held.most_ns = max(held.most_ns, most_ns)
        holds[:] = 0
        if not len(self._memory["follows"]):
            return
        masters = len(self._masters)
        follows = self._memory["follows"].reshape(len(self._gateways), -1)[gateway]
        for place in np.flatnonzero(follows["clients"]).tolist():
            if place < masters:
                left, partition = self._masters[place], ""
                since_ns = self._memory["left_ns"][gateway * masters + place]
            else:
                left, partition = "", self._partitions[place - masters + 1]
                since_ns = self._memory["moved_ns"][gateway * (places - 1) + place - masters]
            of = self._delays.following(gateway, int(since_ns), left, partition)
            clients, most_ns, name_ns, pool_ns, stay_ns, pause_ns = follows[place].tolist()
            of.clients += clients
            of.most_ns = max(of.most_ns, most_ns)
            of.name_ns += name_ns
            of.pool_ns += pool_ns
            of.stay_ns += stay_ns
            of.pause_ns += pause_ns
        follows[:] = 0
