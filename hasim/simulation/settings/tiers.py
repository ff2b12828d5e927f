"""Settings of a tier: its masters, and how its control plane is set."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.services.accession import AccessionSettings
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.detection.settings import DetectionSettings
from hasim.services.failover.settings import FailoverSettings
from hasim.services.leadership.settings import LeadershipSettings
from hasim.services.monitoring.settings import MonitorSettings
from hasim.settings import count, duration, settings
from hasim.simulation.settings.masters import (
    FencingDeviceSettings,
    MasterSettings,
    PromotionSettings,
    ReplicationSettings,
)
from hasim.simulation.settings.traffic import RequestSettings
from hasim.units import MINUTE

Memory = Literal["everything", "snapshots", "nothing"]


@settings
class ObserverSettings:
    """Where the control plane stands, what it remembers when killed, and who has an opinion."""

    region: str = ""
    """Where the control plane stands: a region, or a place in one (`eu/zone-a/rack-1`). Empty: the
    region of the first master."""
    third_site: bool = False
    """Whether that is a site of its own, where neither masters nor clients are, as an arbitrator
    of a pair of sites has."""
    remembers: Memory = "everything"
    """`everything` (its journal is written before anything is sent), what the last of its
    `snapshots` holds, or `nothing`. In any case it asks masters and gateways before it acts."""
    snapshot_interval_ns: Annotated[
        int, duration("Time between snapshots, where those are remembered.", above=0)
    ] = MINUTE
    witnesses: tuple[str, ...] = ()
    """The sites of further observers: they detect by themselves, in the same way, and act on
    nothing unless they come to lead (`leadership`); confirmations other than `alone` go by what
    they hold."""


@settings
class ClusterSettings:
    """Masters that a control plane looks after, and how it does."""

    masters: tuple[MasterSettings, ...] = ()
    """The masters; each that is neither a standby nor absent owns one partition at the start: p1,
    p2, ... in this order. If no message is owned (`owned: 0%`), they are a tier without
    state: none owns anything, so that nothing is fenced or moved, and `uptime` is the share of time
    in which one of them serves."""
    needed: Annotated[
        int,
        count(
            "How many masters must serve for there to be enough of them (k of n): what "
            "`uptime.k_of_n` measures. It changes nothing that happens."
        ),
    ] = 1
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
    accession: AccessionSettings = AccessionSettings()
    """How a control plane that starts among masters at work comes to act."""
    leadership: LeadershipSettings = LeadershipSettings()
    """Which of several control planes acts."""


@settings
class TierSettings(ClusterSettings):
    """One of several tiers in series, each with a control plane of its own.

    Clients send their messages to the first. Whoever serves a message there makes a request to the
    next tier, and answers when that is answered; its worker is busy all the while, as a thread is.
    """

    name: str
    """A short name, which its control plane has as well."""
    requests: RequestSettings = RequestSettings()
    """What the masters of the tier before ask of this one (of the first, clients do: `traffic`)."""

    @property
    def observer_names(self) -> tuple[str, ...]:
        """The one that acts, then those that watch."""
        own = self.name or "observer"
        return own, *(f"{own}-{n}" for n, _ in enumerate(self.observer.witnesses, 2))

    @property
    def stateless(self) -> bool:
        """Whether this is a tier without state: no message must reach an owner."""
        return self.requests.owned == 0.0

    @property
    def owners(self) -> tuple[MasterSettings, ...]:
        """The masters that own a partition at the start: none in a tier without state."""
        if self.stateless:
            return ()
        return tuple(m for m in self.masters if not (m.standby or m.absent))
