"""What masters report of themselves to the gateways: rate, errors, utilisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hasim.services.balancing.registry import ALGORITHMS
from hasim.simulation.clock import ARRIVAL, INPUT, Call
from hasim.simulation.network import master_endpoint
from hasim.units import SECOND

if TYPE_CHECKING:
    from hasim.simulation.clients.gateway import SimGateway
    from hasim.simulation.masters.master import SimMaster
    from hasim.simulation.world import World


class Work(NamedTuple):
    """What a master has done since the start of the run."""

    done: int
    """Answers after service, errors included."""
    errors: int
    busy_ns: int
    """Time for which workers were busy, summed over them (nanoseconds)."""


class LoadReports:
    """Sends each master's report to each gateway in regular intervals, out of band.

    Only from when an algorithm that wants them is in use; a master that does not answer
    sends none, and each may be lost. Source: ORCA out-of-band reports (gRPC A51, Envoy).
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._interval_ns = world.settings.balancing.power.report_interval_ns
        self._last: dict[str, Work] = {}

    def begin_if_wanted(self) -> None:
        """Begin to report, unless nobody wants it or it has begun already."""
        gateways = self.world.gateways.values()
        wanted = any(ALGORITHMS[g.balancer.algorithm].reported is not None for g in gateways)
        if wanted and not self._last:
            self._last = {m.id: m.work() for m in self.world.masters.values()}
            self._wait()

    def _wait(self) -> None:
        Call(self.world.env, self._interval_ns, ARRIVAL, self._report_all)

    def _report_all(self, _: Call) -> None:
        for master in self.world.masters.values():
            last, work = self._last[master.id], master.work()
            self._last[master.id] = work
            if master.answering:
                self._report(master, last, work)
        self._wait()

    def _report(self, master: SimMaster, last: Work, work: Work) -> None:
        seconds = self._interval_ns / SECOND
        rate = (work.done - last.done) / seconds
        error_rate = (work.errors - last.errors) / seconds
        busy = (work.busy_ns - last.busy_ns) / (self._interval_ns * master.settings.workers)
        for gateway in self.world.gateways.values():
            delay = self.world.network.cross(master_endpoint(master.id), gateway.endpoint)
            if delay >= 0:
                load = (gateway, master.id, rate, error_rate, busy)
                Call(self.world.env, delay, INPUT, self._deliver, load)

    def _deliver(self, event: Call) -> None:
        gateway: SimGateway
        gateway, master, rate, error_rate, utilisation = event.load
        gateway.balancer.record_load_report(
            self.world.env.now, master, rate, error_rate, utilisation
        )
