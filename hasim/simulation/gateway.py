"""A gateway: the balancer of one client region, its timer, and its place in the network."""

from __future__ import annotations

from collections.abc import Callable

from hasim.events import GatewayReport, Output, SendReport, WakeUp
from hasim.model import Cluster
from hasim.services.balancing import BalancingSettings, LoadBalancingService
from hasim.services.balancing.retry import RetryBudget
from hasim.simulation.clock import WAKE_UP, Call, Clock
from hasim.simulation.network import gateway_endpoint


class SimGateway:
    """Drives one LoadBalancingService under SimPy."""

    def __init__(
        self,
        env: Clock,
        region: str,
        settings: BalancingSettings,
        cluster: Cluster,
        *,
        watch_failures: int,
        retry_share: float,
        send_report: Callable[[GatewayReport, str], None],
    ) -> None:
        self.env = env
        self.region = region
        self.endpoint = gateway_endpoint(region)
        self.balancer = LoadBalancingService(
            settings, cluster, gateway=region, watch_failures=watch_failures
        )
        self.budget = RetryBudget(retry_share)
        self._send_report = send_report
        self._armed: int | None = None

    def perform(self, outputs: list[Output]) -> None:
        """Carry out the balancer's effects and keep its timer."""
        for output in outputs:
            if isinstance(output, SendReport):
                self._send_report(output.report, self.endpoint)

    @property
    def armed(self) -> bool:
        """Whether a timer runs; reports need no more than one."""
        return self._armed is not None

    def arm(self) -> None:
        """Make sure that the balancer is called when it wants to be."""
        wanted = self.balancer.next_wakeup()
        if wanted is not None and wanted != self._armed:
            self._armed = wanted
            Call(self.env, max(0, wanted - self.env.now), WAKE_UP, self._wake, wanted)

    def _wake(self, event: Call) -> None:
        if event.load == self._armed:  # else a stale timer: SimPy cannot cancel one
            self._armed = None
            self.perform(self.balancer.step(self.env.now, WakeUp()))
            self.arm()
