"""A gateway: the balancer of one client region, its timer, and its place in the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hasim.events import GatewayReport, Output, SendReport
from hasim.model import Cluster
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.gateway.budget import RetryBudget
from hasim.services.gateway.guards.gate import NEVER
from hasim.services.gateway.pace import BUCKETS, Pace, note_latency
from hasim.services.gateway.service import GatewayService
from hasim.simulation.clock import Clock, Timer
from hasim.simulation.control.driver import WOKEN
from hasim.simulation.network import gateway_endpoint
from hasim.simulation.settings import TrafficSettings


class SimGateway:
    """Drives one GatewayService under SimPy."""

    def __init__(
        self,
        env: Clock,
        region: str,
        settings: BalancingSettings,
        cluster: Cluster,
        *,
        watch_failures: int,
        traffic: TrafficSettings,
        send_report: Callable[[GatewayReport, str], None],
    ) -> None:
        self.env = env
        self.region = region
        self.endpoint = gateway_endpoint(region)
        self.balancer = GatewayService(settings, cluster, region, watch_failures=watch_failures)
        self.watch_failures = watch_failures
        retry, hedge = traffic.retry, traffic.hedge
        self.budget = RetryBudget(retry.budget, retry.reserve, retry.most_active)
        self.hedge_budget = RetryBudget(hedge.budget if hedge.on else 0.0, hedge.reserve)
        self.line: list[Any] = []
        self.line_called = False
        self.look_ns = NEVER
        self._hedge = hedge
        self._pace, self._latencies = Pace(), [0] * BUCKETS
        self._send_report = send_report
        self._timer = Timer(env, self._wake)

    def perform(self, outputs: list[Output]) -> None:
        """Carry out the balancer's effects and keep its timer."""
        for output in outputs:
            if isinstance(output, SendReport):
                self._send_report(output.report, self.endpoint)

    @property
    def has_room(self) -> bool:
        """Whether one more attempt may wait here for room at a master."""
        return len(self.line) < self.balancer.settings.limits.max_queue

    @property
    def hedge_wait_ns(self) -> int:
        """How long to wait for an answer before a second attempt; 0 if there shall be none."""
        return self._pace.delay_ns or self._hedge.after_ns

    def note_latency(self, latency_ns: int) -> None:
        """An attempt was answered after so long."""
        if self._hedge.quantile > 0.0:
            note_latency(self._latencies, 0, self._pace, self._hedge.quantile, latency_ns)

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
