"""The routing service: turns verdicts and owners into routing tables, and merges reports."""

from __future__ import annotations

from typing import Any, ClassVar

from hasim.events import (
    AlgorithmSwitched,
    DrainMaster,
    Event,
    GatewayHello,
    GatewayReport,
    Input,
    Output,
    OwnerChanged,
    RoutingAck,
    StatusChanged,
    SwitchAlgorithm,
    UndrainMaster,
    WakeUp,
)
from hasim.model import Cluster, Ownership, RoutingTable, Status
from hasim.services.accession import Heard
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.door import InputError
from hasim.services.routing.merging import Merging, Row, empty_row
from hasim.services.routing.publisher import RoutingPublisher
from hasim.services.routing.standing import Standing

NOT_ELIGIBLE = (Status.FAILED, Status.RECOVERING, Status.MAINTENANCE)


class RoutingService:
    """The control plane's half of balancing.

    It decides who may take messages and brings that to the gateways (`publish_to`), whose
    reports it merges; whom a message goes to is theirs to choose.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset(
        {
            *(WakeUp, RoutingAck, GatewayReport, GatewayHello),
            *(SwitchAlgorithm, DrainMaster, UndrainMaster),
        }
    )

    def __init__(
        self, settings: BalancingSettings, cluster: Cluster, publish_to: tuple[str, ...]
    ) -> None:
        self.algorithm: str = settings.algorithm
        self.standing = Standing(cluster)
        self._merging = Merging()
        self._publisher = RoutingPublisher(
            self.standing.table(1, self.algorithm), publish_to, settings.resend_interval_ns
        )

    @property
    def table(self) -> RoutingTable:
        """The newest routing table."""
        return self._publisher.table

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds)."""
        match item:
            case WakeUp():
                return self._publisher.on_wakeup(now)
            case RoutingAck():
                return self._publisher.acknowledged(item)
            case GatewayHello():
                self._merging.restarted(item.gateway, item.incarnation)
                return self._publisher.greeted(now, item)
            case GatewayReport():
                return self.update_load_metrics(now, item)
            case SwitchAlgorithm():
                return self.switch_algorithm(now, item.algorithm)
            case DrainMaster():
                return self._set_draining(now, item.master, draining=True)
            case UndrainMaster():
                return self._set_draining(now, item.master, draining=False)
            case _:
                return []

    def next_wakeup(self) -> int | None:
        """When a routing table is to be sent again (nanoseconds)."""
        return self._publisher.next_wakeup()

    def handle_event(self, now: int, event: Event) -> list[Output]:
        """Take an event of another service: verdicts and changes of owner change the routing."""
        match event:
            case StatusChanged():
                return self._status_changed(now, event)
            case OwnerChanged():
                owner = Ownership(event.partition, event.owner, event.epoch)
                self.standing.owners[event.partition] = owner
                self.standing.release()
                return self._publish(now)
            case _:
                return []

    def accede(self, now: int, heard: Heard) -> list[Output]:
        """A term begins: owners and verdicts are those that it begins with, and all are told."""
        standing = self.standing
        standing.owners.update({owner.partition: owner for owner in heard.owners})
        for master, status in heard.statuses.items():
            self._judge(standing.index[master], status)
        version = max(heard.version, self.table.version) + 1
        table = standing.table(version, self.algorithm, heard.term)
        return self._publisher.accede(now, table)

    def update_load_metrics(self, now: int, report: GatewayReport) -> list[Output]:
        """Merge a gateway's report; an older one than the last is ignored."""
        self._merging.take(report)
        return self._publisher.heard(now, report)

    def switch_algorithm(self, now: int, algorithm: str) -> list[Output]:
        """Balance with another algorithm from now on; what is in flight stays counted.

        Raises InputError, naming the known ones, for an unknown algorithm.
        """
        if algorithm not in ALGORITHMS:
            raise InputError(f"unknown algorithm {algorithm!r}; known: {', '.join(ALGORITHMS)}")
        old, self.algorithm = self.algorithm, algorithm
        if old == algorithm:
            return []
        return [AlgorithmSwitched(old, algorithm), *self._publish(now)]

    def load_metrics(self) -> dict[str, Row]:
        """Per master the sums of what the gateways have reported."""
        metrics = {master: empty_row() for master in self.standing.ids}
        self._merging.add_to(metrics)
        return metrics

    def healthy(self) -> bool:
        """Whether this service itself is at work: its table says what it has decided."""
        table = self.standing.table(self.table.version, self.algorithm, self.table.term)
        return table == self.table

    def freeze(self) -> dict[str, Any]:
        """The whole state as plain data (JSON), from which `restore` goes on."""
        return {
            "algorithm": self.algorithm,
            "standing": self.standing.freeze(),
            "merging": self._merging.freeze(),
            "publisher": self._publisher.freeze(),
        }

    @classmethod
    def restore(
        cls,
        settings: BalancingSettings,
        cluster: Cluster,
        publish_to: tuple[str, ...],
        data: dict[str, Any],
    ) -> RoutingService:
        """The service that `freeze` was called on."""
        service = cls(settings, cluster, publish_to)
        service.algorithm = data["algorithm"]
        service.standing.restore(data["standing"])
        service._merging.restore(data["merging"])
        service._publisher.restore(data["publisher"])
        return service

    def _publish(self, now: int) -> list[Output]:
        table = self.standing.table(self.table.version, self.algorithm, self.table.term)
        return self._publisher.change(now, table)

    def _set_draining(self, now: int, master: str, *, draining: bool) -> list[Output]:
        """KeyError for an unknown master."""
        self.standing.draining[self.standing.index[master]] = draining
        return self._publish(now)

    def _status_changed(self, now: int, event: StatusChanged) -> list[Output]:
        changed = self._judge(self.standing.index[event.master], event.new)
        return self._publish(now) if changed else []

    def _judge(self, index: int, status: Status) -> bool:
        """Who is healthy is eligible, who is failed is not; a suspect stays what it was.

        Who is taken out of service and owns something goes on serving that until it is moved.
        """
        standing = self.standing
        before = standing.eligible[index], standing.draining[index], standing.away[index]
        eligible, draining, away = before
        if status is Status.HEALTHY:
            eligible, away, draining = True, False, draining and not away
        elif status in NOT_ELIGIBLE:
            eligible = False
        if status is Status.MAINTENANCE:
            eligible = before[0] and standing.owns(standing.ids[index])
            away, draining = True, eligible
        standing.eligible[index], standing.draining[index] = eligible, draining
        standing.away[index] = away
        return (eligible, draining, away) != before
