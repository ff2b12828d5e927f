"""What a control plane is made of: its settings, and the four services that are built from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from hasim.model import Cluster
from hasim.services.accession import AccessionSettings
from hasim.services.balancing.service import LoadBalancingService
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.detection import DetectionSettings, FailoverDetectionService
from hasim.services.failover import FailoverOrchestrator, FailoverSettings
from hasim.services.frozen import as_one_unreadable, fingerprint
from hasim.services.leadership.settings import LeadershipSettings
from hasim.services.monitoring import HighAvailabilityMonitor, MonitorSettings
from hasim.services.reign import Reign


class Four(NamedTuple):
    """The services, by their names."""

    detection: FailoverDetectionService
    failover: FailoverOrchestrator
    balancing: LoadBalancingService
    monitor: HighAvailabilityMonitor

    def freeze(self) -> dict[str, Any]:
        """The state of each, as plain data (JSON)."""
        return {name: service.freeze() for name, service in self._asdict().items()}


@dataclass(frozen=True)
class Assembly:
    """Builds the services of a cluster's control plane, new or as they were frozen."""

    cluster: Cluster
    detection: DetectionSettings
    failover: FailoverSettings
    balancing: BalancingSettings
    monitor: MonitorSettings
    accession: AccessionSettings
    leadership: LeadershipSettings
    observer: str
    seed: int | None

    def reign(self) -> Reign:
        """Under which term it acts, as at the birth of the cluster."""
        return Reign(self.accession, self.leadership, self.cluster, self.observer, self.seed)

    def services(self) -> Four:
        """As at the birth of the cluster."""
        cluster, seed, name = self.cluster, self.seed, self.observer
        return Four(
            FailoverDetectionService(self.detection, cluster, seed=seed, observer=name),
            FailoverOrchestrator(self.failover, cluster, seed=seed),
            LoadBalancingService(self.balancing, cluster),
            HighAvailabilityMonitor(self.monitor, cluster, observer=name),
        )

    def read(self, data: dict[str, Any]) -> tuple[Four, Reign, int]:
        """What a control plane has frozen: its services, its reign, the last time that it has seen.

        ValueError if that had another configuration, or was of another version of hasim.
        """
        own, frozen = self.fingerprint, data.get("configuration")
        if frozen != own:
            raise ValueError(f"of another configuration: {frozen} was frozen, this one is {own}")
        with as_one_unreadable():
            reign = self.reign()
            reign.thaw(data)
            return self._restored(data), reign, data["last_ns"]

    def _restored(self, data: dict[str, Any]) -> Four:
        """As they were frozen."""
        cluster, seed, name = self.cluster, self.seed, self.observer
        return Four(
            FailoverDetectionService.restore(
                self.detection, cluster, data["detection"], seed=seed, observer=name
            ),
            FailoverOrchestrator.restore(self.failover, cluster, data["failover"], seed=seed),
            LoadBalancingService.restore(self.balancing, cluster, data["balancing"]),
            HighAvailabilityMonitor.restore(self.monitor, cluster, data["monitor"], observer=name),
        )

    @cached_property
    def fingerprint(self) -> str:
        """Of the cluster and of all that is set, reckoned when it is first asked for."""
        return fingerprint(
            self.cluster,
            *(self.detection, self.failover, self.balancing, self.monitor, self.leadership),
        )
