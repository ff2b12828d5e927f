"""The load balancing service: chooses a master for each message and keeps count."""

from __future__ import annotations

from typing import Any, ClassVar

from hasim.events import (
    AlgorithmSwitched,
    Event,
    GatewayReport,
    Input,
    MasterTraffic,
    Output,
    OwnerChanged,
    RoutingAck,
    SendReport,
    StatusChanged,
    SwitchAlgorithm,
    WakeUp,
)
from hasim.model import Cause, Cluster, Ownership, RoutingTable, Status
from hasim.services.balancing import pickers
from hasim.services.balancing.load import Load, jain_index
from hasim.services.balancing.routing import RoutingPublisher
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.frozen import freeze, thaw

ALGORITHMS: dict[str, str] = {
    "round-robin": "The next eligible master in a fixed circle.",
    "priority": "The best tier with room; VIP messages first; spill-over to the next tier.",
    "least-loaded": "Fewest messages in flight per worker, by a full scan.",
    "geo": "The nearest eligible region; least loaded within it.",
}
NOT_ELIGIBLE = (Status.FAILED, Status.RECOVERING, Status.MAINTENANCE)


class LoadBalancingService:
    """One instance chooses masters at each gateway; one in the control plane decides the routing.

    The control plane's instance (`gateway` None) turns verdicts and changes of
    owner into routing tables and merges the gateways' reports. A gateway's
    instance applies the newest table, selects masters, counts what becomes of
    the messages, and reports; it can also serve alone, without any table.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset(
        {WakeUp, RoutingAck, GatewayReport, SwitchAlgorithm}
    )

    def __init__(
        self,
        settings: BalancingSettings,
        cluster: Cluster,
        *,
        gateway: str | None = None,
        watch_failures: int = 0,
    ) -> None:
        self.settings = settings
        self.gateway = gateway
        self.algorithm: str = settings.algorithm
        self._watch_failures = watch_failures
        self._ids = [master.id for master in cluster.masters]
        self._index = {master: i for i, master in enumerate(self._ids)}
        self._workers = [master.workers for master in cluster.masters]
        self._tiers = [master.priority for master in cluster.masters]
        self._rtt = _round_trips(cluster, gateway)
        self._loads = [Load() for _ in self._ids]
        # The loads' in flight once more, as the plain sequence that pickers scan.
        self._in_flight = [0] * len(self._ids)
        self._eligible = [True] * len(self._ids)
        self._owners = {p.id: Ownership(p.id, p.owner, 1) for p in cluster.partitions}
        self._cursor = -1
        self._sequence = 0
        self._report_at: int | None = None
        self._gateways: dict[str, dict[str, MasterTraffic]] = {}
        self._reports: dict[str, int] = {}
        table = RoutingTable(1, tuple(self._ids), tuple(self._owners.values()), self.algorithm)
        self._version = table.version
        publish_to = cluster.gateways if gateway is None else ()
        self._publisher = RoutingPublisher(table, publish_to, settings.resend_interval_ns)

    # -- messages --------------------------------------------------------------

    def select_master(
        self, now: int, partition: str | None = None, *, vip: bool = False, avoid: str | None = None
    ) -> str | None:
        """The master for one attempt, or None if nobody is eligible.

        An owned message (`partition` given) goes to the owner of its partition if
        that is eligible. `avoid` is a master that just failed the message.
        """
        if partition is not None:
            index = self._index[self._owners[partition].owner]
            if not self._eligible[index]:
                return None
        else:
            index = self._pick(vip, -1 if avoid is None else self._index[avoid])
            if index < 0:
                return None
        load = self._loads[index]
        load.sent += 1
        load.in_flight += 1
        self._in_flight[index] += 1
        self.expect_report(now)
        return self._ids[index]

    def record_message_corresponded(self, now: int, master: str, latency_ns: int) -> list[Output]:
        """A message was answered after `latency_ns` nanoseconds."""
        index = self._index[master]
        load = self._loads[index]
        ends_run = load.streak > 0 and self._watch_failures > 0
        load.answer(latency_ns)
        self._in_flight[index] -= 1
        return self._report(now, [index]) if ends_run else []

    def record_message_failed(self, now: int, master: str, cause: Cause) -> list[Output]:
        """An attempt failed; the first failures of a run are reported at once."""
        index = self._index[master]
        load = self._loads[index]
        load.fail(cause)
        self._in_flight[index] -= 1
        news = 0 < load.streak <= self._watch_failures
        return self._report(now, [index]) if news else []

    def _pick(self, vip: bool, avoid: int) -> int:
        match self.algorithm:
            case "round-robin":
                index = pickers.round_robin(self._eligible, self._cursor, avoid)
                if index >= 0:
                    self._cursor = index
                return index
            case "least-loaded":
                return pickers.least_loaded(self._eligible, self._in_flight, self._workers, avoid)
            case "geo":
                return pickers.geo(self._eligible, self._in_flight, self._workers, self._rtt, avoid)
            case _:
                return pickers.priority(
                    self._eligible,
                    self._in_flight,
                    self._workers,
                    self._tiers,
                    vip,
                    self.settings.reserve,
                    avoid,
                )

    # -- counting by somebody else -----------------------------------------------

    def load_of(self, master: str) -> Load:
        """A master's counters, for a data plane that selects and counts by itself to fill in."""
        return self._loads[self._index[master]]

    def expect_report(self, now: int) -> None:
        """Such a data plane has sent an attempt: a regular report is due in an interval."""
        if self._report_at is None:
            self._report_at = now + self.settings.report_interval_ns

    def report_now(self, now: int, master: str) -> list[Output]:
        """Such a data plane has seen something about a master that is reported at once."""
        return self._report(now, [self._index[master]])

    # -- acting ----------------------------------------------------------------

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds)."""
        match item:
            case WakeUp():
                return self._publisher.on_wakeup(now) + self._regular_report(now)
            case RoutingAck():
                return self._publisher.acknowledged(item)
            case GatewayReport():
                return self.update_load_metrics(now, item)
            case SwitchAlgorithm():
                return self.switch_algorithm(now, item.algorithm)
            case _:
                return []

    def next_wakeup(self) -> int | None:
        """When a report or a repeated routing table is due (nanoseconds)."""
        report, resend = self._report_at, self._publisher.next_wakeup()
        if report is None or resend is None:
            return resend if report is None else report
        return min(report, resend)

    def handle_event(self, now: int, event: Event) -> list[Output]:
        """Take an event of another service: verdicts and changes of owner change the routing."""
        match event:
            case StatusChanged():
                self._eligible[self._index[event.master]] = event.new not in NOT_ELIGIBLE
                eligible = tuple(m for m in self._ids if self._eligible[self._index[m]])
                return self._publisher.change(now, eligible=eligible)
            case OwnerChanged():
                self._owners[event.partition] = Ownership(event.partition, event.owner, event.epoch)
                return self._publisher.change(now, owners=tuple(self._owners.values()))
            case _:
                return []

    def apply_routing(self, now: int, table: RoutingTable) -> RoutingAck:
        """Use `table` unless a newer one is in use; messages in flight are counted on as before."""
        if table.version > self._version:
            self._version = table.version
            for index, master in enumerate(self._ids):
                self._eligible[index] = master in table.eligible
            self._owners = {o.partition: o for o in table.owners}
            self.algorithm = table.algorithm
        return RoutingAck(self.gateway or "", self._version)

    def update_load_metrics(self, now: int, report: GatewayReport) -> list[Output]:
        """Merge a gateway's report; an older one than the last is ignored."""
        if report.sequence > self._reports.get(report.gateway, 0):
            self._reports[report.gateway] = report.sequence
            for traffic in report.masters:
                self._gateways.setdefault(report.gateway, {})[traffic.master] = traffic
        return []

    def switch_algorithm(self, now: int, algorithm: str) -> list[Output]:
        """Balance with another algorithm from now on; what is in flight stays counted.

        Raises ValueError, naming the known ones, for an unknown algorithm.
        """
        if algorithm not in ALGORITHMS:
            raise ValueError(f"unknown algorithm {algorithm!r}; known: {', '.join(ALGORITHMS)}")
        old, self.algorithm = self.algorithm, algorithm
        if old == algorithm:
            return []
        switched: list[Output] = [AlgorithmSwitched(old, algorithm)]
        return switched + self._publisher.change(now, algorithm=algorithm)

    # -- asking ----------------------------------------------------------------

    def owner_of(self, partition: str) -> str:
        """The owner by the routing in use. KeyError for an unknown partition."""
        return self._owners[partition].owner

    def is_eligible(self, master: str) -> bool:
        """Whether a master may take messages. KeyError for an unknown one."""
        return self._eligible[self._index[master]]

    def eligible_masters(self) -> list[str]:
        """Masters that may take messages."""
        return [master for master, may in zip(self._ids, self._eligible, strict=True) if may]

    def get_load_metrics(self) -> dict[str, dict[str, int]]:
        """Per master: sent, answered, failed, in flight, moving average of latency (ns).

        In the control plane, the sum over the gateways' last reports beside its own counts.
        """
        metrics = {
            master: {
                "sent": load.sent,
                "answered": load.answered,
                "failed": load.failed,
                "in_flight": load.in_flight,
                "latency_ns": load.latency_ns,
            }
            for master, load in zip(self._ids, self._loads, strict=True)
        }
        for reported in self._gateways.values():
            for master, traffic in reported.items():
                row = metrics[master]
                row["sent"] += traffic.answered + traffic.failed + traffic.in_flight
                row["answered"] += traffic.answered
                row["failed"] += traffic.failed
                row["in_flight"] += traffic.in_flight
                row["latency_ns"] = max(row["latency_ns"], traffic.latency_ns)
        return metrics

    def compute_load_distribution(self) -> dict[str, float]:
        """Each master's share of the attempts sent; all 0 before the first."""
        sent = {master: row["sent"] for master, row in self.get_load_metrics().items()}
        total = sum(sent.values())
        return {master: count / total if total else 0.0 for master, count in sent.items()}

    def get_metrics_report(self) -> dict[str, object]:
        """Algorithm, eligible masters, load, distribution, Jain's index over all and eligible."""
        distribution = self.compute_load_distribution()
        return {
            "algorithm": self.algorithm,
            "eligible": self.eligible_masters(),
            "load": self.get_load_metrics(),
            "distribution": distribution,
            "jain": jain_index(distribution.values()),
            "jain_eligible": jain_index(distribution[m] for m in self.eligible_masters()),
        }

    def healthy(self) -> bool:
        """Whether this service itself is at work: no count has gone below zero."""
        return all(load.in_flight >= 0 for load in self._loads)

    # -- freezing --------------------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """The whole state as plain data (JSON), from which `restore` goes on."""
        return {
            "algorithm": self.algorithm,
            "loads": freeze(self._loads),
            "eligible": freeze(self._eligible),
            "owners": freeze(self._owners),
            "cursor": self._cursor,
            "sequence": self._sequence,
            "report_at": self._report_at,
            "gateways": freeze(self._gateways),
            "reports": freeze(self._reports),
            "version": self._version,
            "publisher": self._publisher.freeze(),
        }

    @classmethod
    def restore(
        cls,
        settings: BalancingSettings,
        cluster: Cluster,
        data: dict[str, Any],
        *,
        gateway: str | None = None,
        watch_failures: int = 0,
    ) -> LoadBalancingService:
        """The service that `freeze` was called on."""
        service = cls(settings, cluster, gateway=gateway, watch_failures=watch_failures)
        service.algorithm = data["algorithm"]
        service._loads = thaw(list[Load], data["loads"])
        service._in_flight = [load.in_flight for load in service._loads]
        service._eligible = thaw(list[bool], data["eligible"])
        service._owners = thaw(dict[str, Ownership], data["owners"])
        service._cursor = data["cursor"]
        service._sequence = data["sequence"]
        service._report_at = data["report_at"]
        service._gateways = thaw(dict[str, dict[str, MasterTraffic]], data["gateways"])
        service._reports = thaw(dict[str, int], data["reports"])
        service._version = data["version"]
        service._publisher.restore(data["publisher"])
        return service

    # -- reporting -------------------------------------------------------------

    def _regular_report(self, now: int) -> list[Output]:
        if self._report_at is None or now < self._report_at:
            return []
        self._report_at = None
        if self.gateway is None:
            return []
        news = [i for i, load in enumerate(self._loads) if not load.reported]
        return self._report(now, news)

    def _report(self, now: int, indexes: list[int]) -> list[Output]:
        if not indexes:
            return []
        self._sequence += 1
        return [
            SendReport(
                GatewayReport(
                    self.gateway or "", self._sequence, tuple(map(self._traffic, indexes))
                )
            )
        ]

    def _traffic(self, index: int) -> MasterTraffic:
        load = self._loads[index]
        load.reported = True
        return MasterTraffic(
            self._ids[index],
            load.answered,
            load.failed,
            load.in_flight,
            load.streak,
            load.last_cause,
            load.latency_ns,
        )


def _round_trips(cluster: Cluster, gateway: str | None) -> list[int]:
    """Expected round-trip times from this gateway; from the first one in the control plane."""
    if not cluster.rtt_ns:
        return [0] * len(cluster.masters)
    row = 0 if gateway is None else cluster.gateways.index(gateway)
    return list(cluster.rtt_ns[row])
