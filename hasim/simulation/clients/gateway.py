"""A gateway: a balancer of clients (or of a master that asks), its timer, its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hasim.events import Input, SendHello, SendReport
from hasim.model import Cluster
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.gateway.service import GatewayService
from hasim.services.watch import Watch
from hasim.simulation.clock import Clock, Timer


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
        send: Callable[[Input, str], None],
    ) -> None:
        self.env = env
        self.name = name
        self.endpoint = endpoint
        self.balancer = GatewayService(settings, cluster, name, watch=watch)
        self.watch = watch
        self._cluster = cluster
        self._send = send
        self._timer = Timer(env, self._wake)
        # One of its own: a data plane looks whether the other one runs (`armed`).
        self._greeter = Timer(env, self._greet)
        self._downs = 0

    @property
    def id(self) -> str:
        """Its name."""
        return self.name

    @property
    def down(self) -> bool:
        """Whether its process is dead."""
        return self._downs > 0

    def perform(self, effects: Iterable[SendReport | SendHello]) -> None:
        """Carry out the balancer's effects; a dead process sends nothing."""
        if self.down:
            return
        for effect in effects:
            item = effect.report if isinstance(effect, SendReport) else effect.hello
            self._send(item, self.endpoint)

    def kill(self) -> None:
        """The process dies; several reasons to be dead may overlap."""
        self._downs += 1
        if self._downs == 1:
            self.balancer.go_down(self.env.now)

    def start(self) -> None:
        """One reason is gone; with the last one a new process starts, and says hello."""
        self._downs -= 1
        if self._downs == 0:
            self._begin_anew(self.balancer.restart(self.env.now, self._cluster))

    def _begin_anew(self, hello: list[SendHello]) -> None:
        self.perform(hello)
        self._greeter.set(self.balancer.greeting.next_wakeup())

    def _greet(self) -> None:
        version = self.balancer.version
        self._begin_anew(self.balancer.greeting.wake(self.env.now, version))

    @property
    def armed(self) -> bool:
        """Whether a timer runs; reports need no more than one."""
        return self._timer.at is not None

    def arm(self) -> None:
        """Make sure that the balancer is called when it wants to be."""
        self._timer.set(self.balancer.reports.next_wakeup())

    def _wake(self) -> None:
        self.perform(self.balancer.reports.regular(self.env.now))
        self.arm()
