"""All settings of one simulated run."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.services.balancing.settings import BalancingSettings
from hasim.services.detection.settings import DetectionSettings
from hasim.services.failover.settings import FailoverSettings
from hasim.services.monitoring.settings import MonitorSettings
from hasim.settings import duration, settings
from hasim.simulation.settings.faults import AnyFault, RepairSettings
from hasim.simulation.settings.masters import (
    FencingDeviceSettings,
    MasterSettings,
    PromotionSettings,
    ReplicationSettings,
)
from hasim.simulation.settings.network import NetworkSettings
from hasim.simulation.settings.operations import AnyOperation
from hasim.simulation.settings.traffic import TrafficSettings
from hasim.simulation.settings.warm_up import WarmUp, WarmUpRule


@settings
class ObserverSettings:
    """Where the control plane stands."""

    region: str = ""
    """The site of the control plane. Empty: the region of the first master."""


@settings
class WorldSettings:
    """All that one simulated run is made of."""

    masters: tuple[MasterSettings, ...]
    """The masters; each that is neither a standby nor absent owns one partition at the start: p1,
    p2, ... in this order. If no message is owned (`traffic.owned: 0%`), they are a tier without
    state: none owns anything, so that nothing is fenced or moved, and `uptime` is the share of time
    in which one of them serves."""
    horizon_ns: Annotated[int, duration("Simulated time of one replication.", above=0)]
    network: NetworkSettings = NetworkSettings()
    """Latency, jitter and loss."""
    traffic: TrafficSettings = TrafficSettings()
    """The messages that clients send."""
    faults: tuple[AnyFault, ...] = ()
    """What goes wrong."""
    repair: RepairSettings = RepairSettings()
    """How many faults are repaired at a time."""
    operations: tuple[AnyOperation, ...] = ()
    """What operators do at run time."""
    replication: ReplicationSettings = ReplicationSettings()
    """Copies of the state."""
    fencing_device: FencingDeviceSettings = FencingDeviceSettings()
    """The power switch."""
    promotion: PromotionSettings = PromotionSettings()
    """What a promotion takes."""
    observer: ObserverSettings = ObserverSettings()
    """Where the control plane stands."""
    detection: DetectionSettings = DetectionSettings()
    """Failure detection."""
    failover: FailoverSettings = FailoverSettings()
    """Failover orchestration."""
    balancing: BalancingSettings = BalancingSettings()
    """Load balancing."""
    monitor: MonitorSettings = MonitorSettings()
    """High-availability monitoring."""
    warm_up: Annotated[WarmUp, WarmUpRule()] = "none"
    """What the measures of load (latency, attempts, rates, balance) leave out at the start: what
    arrives in a given time, or until MSER-5 finds the latencies steady. Source: White 1997."""
    data_plane: Literal["compiled", "reference"] = "compiled"
    """How messages are simulated: in compiled batches, or event by event. The results
    are the same; the reference is slower and easier to follow."""
    probes: Literal["stretches", "single"] = "stretches"
    """How probes are simulated while nothing happens: many at once, or one by one. The results
    are the same; journals of single probes are longer, and tell of each as it happens."""

    @property
    def stateless(self) -> bool:
        """Whether this is a tier without state: no message must reach an owner."""
        return self.traffic.owned == 0.0

    @property
    def owners(self) -> tuple[MasterSettings, ...]:
        """The masters that own p1, p2, ... at the start: none in a tier without state."""
        if self.stateless:
            return ()
        return tuple(m for m in self.masters if not (m.standby or m.absent))

    @property
    def client_regions(self) -> tuple[str, ...]:
        """The regions with a gateway: those of the traffic, else those of the masters."""
        return self.traffic.regions or tuple(dict.fromkeys(m.region for m in self.masters))
