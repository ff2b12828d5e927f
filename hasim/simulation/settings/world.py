"""All settings of one simulated run."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from hasim.settings import duration, settings
from hasim.simulation.settings.faults import AnyFault, Fault, RepairSettings
from hasim.simulation.settings.masters import MasterSettings
from hasim.simulation.settings.network import NetworkSettings
from hasim.simulation.settings.operations import AnyOperation
from hasim.simulation.settings.tiers import ClusterSettings, TierSettings
from hasim.simulation.settings.traffic import RequestSettings, TrafficSettings
from hasim.simulation.settings.warm_up import WarmUp, WarmUpRule

_REQUESTS = dataclasses.fields(RequestSettings)


@settings
class WorldSettings(ClusterSettings):
    """All that one simulated run is made of."""

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
    warm_up: Annotated[WarmUp, WarmUpRule()] = "none"
    """What the measures of load (latency, attempts, rates, balance) leave out at the start: what
    arrives in a given time, or until MSER-5 finds the latencies steady. Source: White 1997."""
    tiers: tuple[TierSettings, ...] = ()
    """Tiers in series, the one that clients talk to first; instead of `masters` and of how they
    are looked after, which each of them has for itself."""
    data_plane: Literal["compiled", "reference"] = "compiled"
    """How messages are simulated: in compiled batches, or event by event. The results
    are the same; the reference is slower and easier to follow."""
    queues: Literal["uncounted", "counted"] = "uncounted"
    """Whether it is counted who waits at masters for a worker, and for how long: what `wait.share`,
    `wait.mean` and `queue.mean` measure. It changes nothing that happens."""
    probes: Literal["stretches", "single"] = "stretches"
    """How probes are simulated while nothing happens: many at once, or one by one. The results
    are the same; journals of single probes are longer, and tell of each as it happens."""

    @property
    def chain(self) -> tuple[TierSettings, ...]:
        """The tiers in series, the one that clients talk to first; nearly always one alone."""
        if self.tiers:
            first, *behind = self.tiers
            return (dataclasses.replace(first, requests=self.traffic), *behind)
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(ClusterSettings)}
        return (TierSettings(name="", requests=self.traffic, **own),)

    @property
    def stateless(self) -> bool:
        """Whether no tier has state: no message must reach an owner."""
        return all(tier.stateless for tier in self.chain)

    @property
    def owners(self) -> tuple[MasterSettings, ...]:
        """The masters that own p1, p2, ... at the start: none in a tier without state."""
        return tuple(master for tier in self.chain for master in tier.owners)

    @property
    def apart(self) -> tuple[WorldSettings, ...]:
        """Each tier as a world of its own, without faults and operations, which are of them all."""
        if not self.tiers:
            return (self,)
        bare = dataclasses.replace(self, tiers=(), faults=(), operations=())
        found = []
        for tier in self.chain:
            own = {f.name: getattr(tier, f.name) for f in dataclasses.fields(ClusterSettings)}
            asked = {f.name: getattr(tier.requests, f.name) for f in _REQUESTS}
            traffic = dataclasses.replace(self.traffic, **asked)
            found.append(dataclasses.replace(bare, traffic=traffic, **own))
        return tuple(found)

    @property
    def placed_masters(self) -> tuple[tuple[tuple[str | int, ...], MasterSettings], ...]:
        """The masters of all tiers, and where each is written."""
        if not self.tiers:
            return tuple((("masters", i), master) for i, master in enumerate(self.masters))
        return tuple(
            (("tiers", number, "masters", i), master)
            for number, tier in enumerate(self.tiers)
            for i, master in enumerate(tier.masters)
        )

    @property
    def all_masters(self) -> tuple[MasterSettings, ...]:
        """The masters of all tiers."""
        return tuple(master for tier in self.chain for master in tier.masters)

    def struck_by(self, fault: Fault) -> tuple[str, ...]:
        """The names among which the target of a fault is."""
        if fault.STRIKES == "gateways":
            return self.client_regions
        if fault.STRIKES == "observers":
            return tuple(name for tier in self.chain for name in tier.observer_names)
        return tuple(master.id for master in self.all_masters)

    @property
    def client_regions(self) -> tuple[str, ...]:
        """The regions with a gateway: those of the traffic, else those of the masters."""
        return self.traffic.regions or tuple(dict.fromkeys(m.region for m in self.chain[0].masters))
