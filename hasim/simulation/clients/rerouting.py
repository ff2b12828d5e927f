"""A gateway takes up another routing table, and what depends on it follows."""

from __future__ import annotations

from collections.abc import Iterable

from hasim.events import AskGateway, GatewayHello, RoutingAck
from hasim.model import RoutingTable
from hasim.simulation.changes import Changes
from hasim.simulation.clients.churn import KeyChurn
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.load_reports import LoadReports
from hasim.simulation.clock import Clock
from hasim.simulation.masters.master import SimMaster


class Rerouting:
    """Hands routing tables to gateways; has masters tell of themselves when a table asks for it."""

    def __init__(
        self,
        env: Clock,
        gateways: dict[str, SimGateway],
        masters: Iterable[SimMaster],
        churn: KeyChurn,
        load_reports: LoadReports,
        changes: Changes,
    ) -> None:
        self._env = env
        self._gateways = gateways
        self._masters = tuple(masters)
        self._churn = churn
        self._load_reports = load_reports
        self._changes = changes

    def endpoint_of(self, gateway: str) -> str:
        """Where a gateway is in the network."""
        return self._gateways[gateway].endpoint

    def take_up(self, gateway: str, table: RoutingTable) -> RoutingAck | None:
        """A table has come to a gateway; the answer is its acknowledgement, if it lives."""
        if self._gateways[gateway].down:
            return None
        balancer = self._gateways[gateway].balancer
        before = self._churn.before(self._gateways[gateway], table)
        ack = balancer.apply_routing(self._env.now, table)
        self._churn.after(self._gateways[gateway], before)
        self._changes.rerouted()
        self.begin_feedback()
        return ack

    def ask(self, question: AskGateway) -> GatewayHello | None:
        """A control plane asks a gateway what it knows; a dead one says nothing."""
        asked = self._gateways[question.gateway]
        return None if asked.down else asked.balancer.asked(question.term, question.claim)

    def kill(self, gateway: str) -> None:
        """The process of a gateway dies: nobody takes the messages of its region."""
        self._gateways[gateway].kill()
        self._changes.rerouted()

    def start(self, gateway: str) -> None:
        """One reason for its being dead is gone."""
        self._gateways[gateway].start()
        self._changes.rerouted()
        self.begin_feedback()

    def begin_feedback(self) -> None:
        """Have masters tell of themselves, if an algorithm in use wants to know."""
        self._load_reports.begin_if_wanted()
        if any(gateway.balancer.choice.probes_masters for gateway in self._gateways.values()):
            for master in self._masters:
                master.begin_gauge()
