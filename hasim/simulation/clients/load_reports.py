"""What masters report of themselves to the gateways: rate, errors, utilisation."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.services.balancing.registry import ALGORITHMS
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clock import ARRIVAL, INPUT, Call, Clock
from hasim.simulation.masters.master import SimMaster, Work
from hasim.simulation.network import Network, master_endpoint
from hasim.units import SECOND


class LoadReports:
    """Sends each master's report to each gateway in regular intervals, out of band.

    Only from when an algorithm that wants them is in use; a master that does not answer
    sends none, and each may be lost. Source: ORCA out-of-band reports (gRPC A51, Envoy).
    """

    def __init__(
        self,
        env: Clock,
        interval_ns: int,
        gateways: Sequence[SimGateway],
        masters: Sequence[SimMaster],
        network: Network,
    ) -> None:
        self._env = env
        self._interval_ns = interval_ns
        self._gateways = gateways
        self._masters = masters
        self._network = network
        self._last: dict[str, Work] = {}

    def begin_if_wanted(self) -> None:
        """Begin to report, unless nobody wants it or it has begun already."""
        used = [gateway.balancer.choice.algorithm for gateway in self._gateways]
        wanted = any(ALGORITHMS[algorithm].reported is not None for algorithm in used)
        if wanted and not self._last:
            self._last = {m.id: m.work() for m in self._masters}
            self._wait()

    def _wait(self) -> None:
        Call(self._env, self._interval_ns, ARRIVAL, self._report_all)

    def _report_all(self, _: Call) -> None:
        for master in self._masters:
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
        here = master_endpoint(master.id)
        for gateway in self._gateways:
            delay = self._network.cross(here, gateway.endpoint, self._env.now)
            if delay >= 0:
                load = (gateway, master.id, rate, error_rate, busy)
                Call(self._env, delay, INPUT, self._deliver, load)

    def _deliver(self, event: Call) -> None:
        gateway: SimGateway
        gateway, master, rate, error_rate, utilisation = event.load
        if gateway.down:
            return
        gateway.balancer.record_load_report(self._env.now, master, rate, error_rate, utilisation)
