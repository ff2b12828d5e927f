"""What health checks of a tier ask of the tier behind: a database that they all depend on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from hasim.model import Cause
from hasim.simulation.clock import ARRIVAL, Call, Clock
from hasim.simulation.control.deep_probes import DeepProbe, ProbeDraws
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.partitions import Partitions
from hasim.simulation.network import Network, master_endpoint

Done = Callable[[Cause], None]


class Dependency:
    """Answers checks as a database answers `SELECT 1`: in its turn, by the owner of what it has.

    Of a tier without state each master is asked in turn. Whoever is silent answers nothing, and
    the check waits; who refuses makes it fail.
    """

    def __init__(
        self,
        env: Clock,
        network: Network,
        masters: Mapping[str, SimMaster],
        partitions: Partitions,
        *,
        seed: int,
        replication: int,
    ) -> None:
        self._env = env
        self._network = network
        self._masters = masters
        self._partitions = partitions
        self._turns = 0
        self._draws = {
            name: ProbeDraws(
                # Streams of their own: the tier's own checks do not shift.
                dataclasses.replace(master.settings, id=f"asked:{name}"),
                master.law,
                seed=seed,
                replication=replication,
            )
            for name, master in masters.items()
        }

    def ask(self, source: str, number: int, done: Done) -> None:
        """A master's check, with a number that no other has, asks; `done` is told how it ended."""
        target = self._target()
        ends = master_endpoint(source), master_endpoint(target.id)

        def back(cause: Cause) -> None:
            self._cross(ends[1], ends[0], number, lambda: done(cause))

        def arrive() -> None:
            if target.refusing:
                back(Cause.ERROR)
            elif not target.silent:
                demand_ns, error_draw = self._draws[target.id].take()
                target.accept(DeepProbe(number, demand_ns, error_draw, back))

        self._cross(*ends, number, arrive)

    def _target(self) -> SimMaster:
        if self._partitions.names:
            return self._masters[self._partitions.owner_of(self._partitions.names[0])]
        self._turns += 1
        return list(self._masters.values())[self._turns % len(self._masters)]

    def _cross(self, source: str, target: str, number: int, then: Callable[[], None]) -> None:
        delay = self._network.cross(source, target, self._env.now)
        if delay >= 0:
            Call(self._env, delay, ARRIVAL, lambda _: then(), None, number)
