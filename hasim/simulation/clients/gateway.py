"""A gateway: a balancer of clients (or of a master that asks), its timer, its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hasim.events import GatewayReport, SendReport
from hasim.model import Cluster
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.gateway.service import GatewayService
from hasim.services.watch import Watch
from hasim.simulation.clock import Clock, Timer
from hasim.simulation.control.driver import WOKEN


class SimGateway:
    """Drives one GatewayService under SimPy."""

    def __init__(
        self,
        env: Clock,
        name: str,
        endpoint: str,
        settings: BalancingSettings,
        cluster: Cluster,
        *,
        watch: Watch,
        send_report: Callable[[GatewayReport, str], None],
    ) -> None:
        self.env = env
        self.name = name
        self.endpoint = endpoint
        self.balancer = GatewayService(settings, cluster, name, watch=watch)
        self.watch = watch
        self._send_report = send_report
        self._timer = Timer(env, self._wake)

    def perform(self, effects: Iterable[SendReport]) -> None:
        """Carry out the balancer's effects."""
        for effect in effects:
            self._send_report(effect.report, self.endpoint)

    @property
    def armed(self) -> bool:
        """Whether a timer runs; reports need no more than one."""
        return self._timer.at is not None

    def arm(self) -> None:
        """Make sure that the balancer is called when it wants to be."""
        self._timer.set(self.balancer.next_wakeup())

    def _wake(self) -> None:
        self.perform(self.balancer.step(self.env.now, WOKEN))
        self.arm()
