"""Load probes: a gateway asks masters what they have to do and how long it takes (Prequal)."""

from __future__ import annotations

from collections.abc import Iterable

from hasim.services.balancing.chance import DRAWS, uniform
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clock import ANSWER, ARRIVAL, PROBES, Call, Clock
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import Network, master_endpoint


class LoadProbes:
    """Carries probes to masters and back; they take the median time, and can be lost.

    Probe j of an attempt has the number attempt * `DRAWS` + j, which says what it draws.
    Only a process that is not stuck answers, at once and beside its queue.
    """

    def __init__(
        self,
        env: Clock,
        seed: int,
        masters: dict[str, SimMaster],
        network: Network,
        offset: int = 0,
    ) -> None:
        self._env = env
        self._first = PROBES + offset
        self._seed = probe_seed(seed)
        self._masters = masters
        self._network = network

    def send(self, gateway: SimGateway, draw: int, masters: Iterable[str]) -> None:
        """Ask these masters, on behalf of an attempt."""
        for place, master in enumerate(masters):
            number = draw * DRAWS + place
            link = self._network.links[gateway.endpoint, master_endpoint(master)]
            delay = link.crossing(1.0, uniform(self._seed, 2 * number), self._env.now)
            if delay >= 0:
                load = (gateway, self._masters[master], number)
                Call(self._env, delay, ARRIVAL, self._arrive, load, self._first + number)

    def _arrive(self, event: Call) -> None:
        gateway: SimGateway
        gateway, master, number = event.load
        if not master.answering:
            return
        link = self._network.links[master_endpoint(master.id), gateway.endpoint]
        delay = link.crossing(1.0, uniform(self._seed, 2 * number + 1), self._env.now)
        if delay >= 0:
            load = (gateway, master.id, *master.load())
            Call(self._env, delay, ANSWER, self._return, load, self._first + number)

    def _return(self, event: Call) -> None:
        gateway: SimGateway
        gateway, master, in_flight, latency_ns = event.load
        gateway.balancer.record_load_probe(self._env.now, master, in_flight, latency_ns)


def probe_seed(pick_seed: int) -> int:
    """The seed of what probes draw, beside that of the picks."""
    return pick_seed ^ 0x5DEECE66D
