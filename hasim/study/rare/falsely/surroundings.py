"""What an exchange of messages takes place in, and does not change: paths, laws, who is who."""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass

import numpy as np

from hasim.model import Cluster
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.simulation.laws import whole_ns
from hasim.simulation.network import Jitter, master_endpoint, observer_endpoint
from hasim.simulation.recorded import Recorded
from hasim.simulation.service import ServiceLaw, law_of, with_recorded_service
from hasim.simulation.settings import ConstantArrivals, PoissonArrivals, WorldSettings
from hasim.simulation.settings.acknowledging import Asynchronous
from hasim.simulation.world import World
from hasim.study.rare.falsely.noise import Noise
from hasim.units import SECOND

Path = tuple[str, str]
"""The endpoints of a path, in order: it has one weather, the same both ways."""
MOST_WAITING = 20
"""Messages within a timeout: so many must be followed after each loss. Twice as many take minutes
of a processor, which nobody expects who asks for a budget."""


@dataclass(frozen=True)
class Surroundings:
    """One tier, its faults and operations aside.

    `watching` are the paths between the observer and each master, `serving` those between the
    gateways (by number) and the masters, `reporting` those between the gateways and the observer.
    """

    tier: WorldSettings
    cluster: Cluster
    noises: dict[Path, Noise]
    watching: dict[str, Path]
    serving: dict[tuple[int, str], Path]
    reporting: tuple[Path, ...]
    laws: dict[str, ServiceLaw]

    @functools.cached_property
    def place(self) -> dict[str, int]:
        """The number of each master."""
        return {master.id: number for number, master in enumerate(self.tier.masters)}

    @functools.cached_property
    def workers(self) -> dict[str, int]:
        """How many messages each master serves at the same time."""
        return {master.id: master.workers for master in self.tier.masters}

    @functools.cached_property
    def rooms(self) -> dict[str, int]:
        """How many wait there at most."""
        return {master.id: master.queue for master in self.tier.masters}

    @functools.cached_property
    def targets(self) -> frozenset[str]:
        """The masters whose declaration begins a failover: owners, or all where nobody owns."""
        found = self.tier.owners or self.tier.masters
        return frozenset(master.id for master in found)

    @functools.cached_property
    def partitions(self) -> tuple[str, ...]:
        """The names of the partitions."""
        return tuple(partition.id for partition in self.cluster.partitions)

    @functools.cached_property
    def patience_ns(self) -> int:
        """How long a probe may take."""
        sources = self.tier.detection.evidence
        return max((s.patience_ns for s in sources if isinstance(s, ProbeSettings)), default=0)

    @functools.cached_property
    def beat_ns(self) -> int:
        """Between heartbeats; 0: there are none."""
        return max(source.heartbeat_ns for source in self.tier.detection.evidence)

    @functools.cached_property
    def messages(self) -> MessageSettings | None:
        """How messages are evidence."""
        found = (s for s in self.tier.detection.evidence if isinstance(s, MessageSettings))
        return next(found, None)

    @functools.cached_property
    def memory_ns(self) -> int:
        """How long a failed message is remembered where no answer refutes it; 0: one does."""
        own = self.messages
        if own is None or own.count_by == "in-row":
            return 0
        return 2 * own.error_window_ns

    def pause_ns(self, u: float) -> int:
        """How long until the next message, by a uniform."""
        law = self.tier.traffic.arrivals
        assert isinstance(law, PoissonArrivals | ConstantArrivals)
        mean_ns = SECOND / law.rate_per_s
        if isinstance(law, ConstantArrivals):
            return int(mean_ns)
        return int(-math.log1p(-u) * mean_ns)

    def demand_ns(self, master: str, u: float) -> int:
        """How long a master works for a message, by a uniform."""
        return int(whole_ns(self.laws[master], np.array([u]))[0])


def surroundings_of(tier: WorldSettings, recorded: Recorded) -> Surroundings:
    """Those of a world of one tier, which `unheard` has nothing against."""
    bare = dataclasses.replace(
        tier, faults=(), operations=(), horizon_ns=SECOND, data_plane="reference"
    )
    world = World(bare, recorded, seed=0, replication=0)
    front, jitter = world.front, Jitter(tier.network, recorded)
    noises: dict[Path, Noise] = {}

    def path(one: str, other: str) -> Path:
        ends = (min(one, other), max(one, other))
        if ends not in noises:
            base_ns = world.network.rtt_ns(one, other) // 2
            noises[ends] = Noise(base_ns, tier.network.loss, tier.network.bursts, jitter)
        return ends

    observer = observer_endpoint(next(iter(front.sites)))
    gateways = [gateway.endpoint for gateway in front.gateways.values()]
    masters = {name: master_endpoint(name) for name in front.masters}
    return Surroundings(
        bare,
        front.cluster,
        noises,
        {name: path(observer, end) for name, end in masters.items()},
        {
            (number, name): path(gateway, end)
            for number, gateway in enumerate(gateways)
            for name, end in masters.items()
        },
        tuple(path(gateway, observer) for gateway in gateways),
        {master.id: law_of(master) for master in with_recorded_service(bare, recorded).masters},
    )


def unheard(world: WorldSettings) -> str:
    """What of messages as evidence the method does not cover, or nothing."""
    traffic, known = world.traffic, ALGORITHMS[world.balancing.algorithm]
    if world.tiers:
        return "messages between tiers: a plain run tells how often they fail"
    if not isinstance(traffic.arrivals, PoissonArrivals | ConstantArrivals):
        return "it covers messages at one rate (poisson, constant): a plain run tells the rest"
    waiting = traffic.arrivals.rate_per_s * traffic.timeout_ns / SECOND
    if waiting > MOST_WAITING:
        return (
            f"{waiting:.0f} messages come within their timeout, and {MOST_WAITING} at most are "
            "followed: a plain run tells how often they fail"
        )
    if traffic.keys is not None or traffic.clients is not None or traffic.client_errors:
        return "it covers messages without keys, pools and errors of clients: a plain run does all"
    if known.probed is not None or known.reported is not None:
        return (
            f"{world.balancing.algorithm} asks masters for their load: a plain run tells the rate"
        )
    if any(master.capacity is not None or master.absent for master in world.masters):
        return "it covers masters that load does not slow, all there: a plain run tells the rest"
    if not isinstance(world.replication.acknowledge, Asynchronous):
        return "writes wait for standbys: a plain run tells how often they are late"
    return ""
