"""The load balancing service as its users know it: routing, and a gateway for whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from hasim.events import Event, GatewayReport, Input, Output, SendReport
from hasim.model import Cause, Cluster
from hasim.services.accession import Heard
from hasim.services.balancing.fairness import jain_index
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.door import Door
from hasim.services.gateway.service import GatewayService
from hasim.services.possible import check
from hasim.services.routing.service import RoutingService
from hasim.services.watch import UNWATCHED, Watch


class LoadBalancingService:
    """Routing and, from the first message on, a gateway that goes by it: both under one name.

    In the control plane it is the routing service, which publishes to the cluster's gateways:
    no message passes there, so that no gateway is built. Where there is no control plane it
    serves alone: `gateway` says which of the cluster's gateways it is, and so from where
    round-trip times are counted; it publishes nothing then, but reports, as `GatewayService`
    does, which explains `watch` and `draw`.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = RoutingService.INPUTS

    def __init__(
        self,
        settings: BalancingSettings,
        cluster: Cluster,
        *,
        gateway: str | None = None,
        watch: Watch = UNWATCHED,
        draw: Callable[[], float] | None = None,
    ) -> None:
        check(cluster, settings)
        self.settings = settings
        self._cluster = cluster
        self._door = Door(cluster)
        self._name = gateway
        self._place = gateway or next(iter(cluster.gateways), "")
        self._publish_to = cluster.gateways if gateway is None else ()
        self._watch, self._draw = watch, draw
        self._gateway: GatewayService | None = None
        self.routing = RoutingService(settings, cluster, self._publish_to)

    # -- messages ----------------------------------------------------------------

    @property
    def gateway(self) -> GatewayService:
        """The gateway of its own, built when it is first asked for."""
        if self._gateway is None:
            self._gateway = GatewayService(
                self.settings,
                self._cluster,
                self._place,
                watch=self._watch,
                draw=self._draw,
            )
            self._gateway.apply_routing(0, self.routing.table)
        return self._gateway

    def select_master(
        self,
        now: int,
        partition: str | None = None,
        *,
        vip: bool = False,
        avoid: str | Sequence[str] | None = None,
        key: str | int | None = None,
        hashed: int | None = None,
        draw: Callable[[], float] | None = None,
        strict: bool = False,
    ) -> str | None:
        """The master for one attempt, or None; see `GatewayService.select_master`."""
        return self.gateway.select_master(
            now,
            partition,
            vip=vip,
            avoid=avoid,
            key=key,
            hashed=hashed,
            draw=draw,
            strict=strict,
        )

    def record_message_corresponded(
        self, now: int, master: str, latency_ns: int
    ) -> list[SendReport]:
        """A message was answered after `latency_ns` nanoseconds."""
        return self.gateway.record_message_corresponded(now, master, latency_ns)

    def record_message_failed(
        self, now: int, master: str, cause: Cause, elapsed_ns: int = 0
    ) -> list[SendReport]:
        """An attempt failed after `elapsed_ns` nanoseconds."""
        return self.gateway.record_message_failed(now, master, cause, elapsed_ns)

    # -- acting ------------------------------------------------------------------

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds). InputError for one that cannot be."""
        self._door.check(now, item)
        return self.take(now, item)

    def take(self, now: int, item: Input) -> list[Output]:
        """Take one input that has been looked at."""
        made = self._followed(now, self.routing.step(now, item))
        return made if self._name is None else [*made, *self.gateway.step(now, item)]

    def next_wakeup(self) -> int | None:
        """When a repeated routing table, or a gateway's report, is due (nanoseconds)."""
        return self.routing.next_wakeup() if self._name is None else self.gateway.next_wakeup()

    def handle_event(self, now: int, event: Event) -> list[Output]:
        """Take an event of another service: verdicts and changes of owner change the routing."""
        return self._followed(now, self.routing.handle_event(now, event))

    def accede(self, now: int, heard: Heard) -> list[Output]:
        """A term begins; see `RoutingService.accede`."""
        return self._followed(now, self.routing.accede(now, heard))

    def update_load_metrics(self, now: int, report: GatewayReport) -> list[Output]:
        """Merge a gateway's report; an older one than the last is ignored."""
        return self.routing.update_load_metrics(now, report)

    def switch_algorithm(self, now: int, algorithm: str) -> list[Output]:
        """Balance with another algorithm from now on; what is in flight stays counted.

        Raises InputError, naming the known ones, for an unknown algorithm.
        """
        return self._followed(now, self.routing.switch_algorithm(now, algorithm))

    def _followed(self, now: int, outputs: list[Output]) -> list[Output]:
        """A gateway that is there follows the routing at once."""
        if self._gateway is not None:
            self._gateway.apply_routing(now, self.routing.table)
        return outputs

    # -- asking ------------------------------------------------------------------

    @property
    def algorithm(self) -> str:
        """The algorithm in use."""
        return self.routing.algorithm

    def eligible_masters(self) -> list[str]:
        """Masters that may take messages."""
        return self.routing.standing.eligible_masters()

    def get_load_metrics(self) -> dict[str, dict[str, int]]:
        """Per master: sent, answered, failed, in flight, moving average of latency (ns).

        The sums over the gateways' last reports, and what a gateway of its own has counted.
        """
        metrics = self.routing.load_metrics()
        if self._gateway is not None:
            for row, load in zip(metrics.values(), self._gateway.reports.loads, strict=True):
                row["sent"] += load.sent
                row["answered"] += load.answered
                row["failed"] += load.failed
                row["in_flight"] += load.in_flight
                row["latency_ns"] = max(row["latency_ns"], load.latency_ns)
        return metrics

    def compute_load_distribution(self) -> dict[str, float]:
        """Each master's share of the attempts sent; all 0 before the first."""
        sent = {master: row["sent"] for master, row in self.get_load_metrics().items()}
        total = sum(sent.values())
        return {master: count / total if total else 0.0 for master, count in sent.items()}

    def get_metrics_report(self) -> dict[str, object]:
        """Algorithm, eligible masters, load, distribution, Jain's index over all and eligible."""
        distribution = self.compute_load_distribution()
        eligible = self.eligible_masters()
        return {
            "algorithm": self.algorithm,
            "eligible": eligible,
            "load": self.get_load_metrics(),
            "distribution": distribution,
            "jain": jain_index(distribution.values()),
            "jain_eligible": jain_index(distribution[master] for master in eligible),
        }

    def healthy(self) -> bool:
        """Whether both halves are at work."""
        own = self._gateway is None or self._gateway.healthy()
        return own and self.routing.healthy()

    # -- freezing --------------------------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """The whole state as plain data (JSON), from which `restore` goes on."""
        own = None if self._gateway is None else self._gateway.freeze()
        return {"routing": self.routing.freeze(), "gateway": own}

    @classmethod
    def restore(
        cls,
        settings: BalancingSettings,
        cluster: Cluster,
        data: dict[str, Any],
        *,
        gateway: str | None = None,
        watch: Watch = UNWATCHED,
        draw: Callable[[], float] | None = None,
    ) -> LoadBalancingService:
        """The service that `freeze` was called on."""
        service = cls(settings, cluster, gateway=gateway, watch=watch, draw=draw)
        service.routing = RoutingService.restore(
            settings, cluster, service._publish_to, data["routing"]
        )
        if data["gateway"] is not None:
            service._gateway = GatewayService.restore(
                settings,
                cluster,
                service._place,
                data["gateway"],
                watch=watch,
                draw=draw,
            )
        return service
