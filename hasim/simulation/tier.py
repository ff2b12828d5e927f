"""One tier of a world: its parts, built from its settings and handed what they need."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from hasim.events import Input
from hasim.model import Cluster, Master, Partition
from hasim.services.control_plane import ControlPlane
from hasim.services.failover.fencing.lease import LeaseFencingSettings
from hasim.simulation.clients.blocks import Division
from hasim.simulation.clients.churn import KeyChurn
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.load_reports import LoadReports
from hasim.simulation.clients.plane import DataPlane
from hasim.simulation.clients.reference.plane import MessagePlane
from hasim.simulation.clients.reference.requests import RequestPlane
from hasim.simulation.clients.rerouting import Rerouting
from hasim.simulation.clients.traffic import Traffic
from hasim.simulation.control.commands import Commands
from hasim.simulation.control.connections import Connections
from hasim.simulation.control.deadlines import Deadlines
from hasim.simulation.control.deep_probes import ProbeDraws
from hasim.simulation.control.dependency import Dependency
from hasim.simulation.control.driver import Driver
from hasim.simulation.control.fencing import FencingDevice
from hasim.simulation.control.gossip import agents_of
from hasim.simulation.control.heartbeats import Heartbeats
from hasim.simulation.control.leases import Leases
from hasim.simulation.control.observer import Observer
from hasim.simulation.control.post import Post
from hasim.simulation.control.probes import Probes
from hasim.simulation.control.replica_reports import ReplicaReports
from hasim.simulation.control.roles import Roles
from hasim.simulation.control.stretches import NEAREST_NS, Stretches
from hasim.simulation.control.transfers import Transfers
from hasim.simulation.durations import Durations
from hasim.simulation.laws import Law
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.partitions import Partitions, Replication
from hasim.simulation.masters.synchrony import synchrony_of
from hasim.simulation.masters.tokens import tokens_of
from hasim.simulation.network import master_endpoint
from hasim.simulation.oracle import Oracle
from hasim.simulation.recorder import Recorder
from hasim.simulation.settings import TierSettings
from hasim.simulation.settings.faults import ObserverCrash
from hasim.simulation.streams import seed_of
from hasim.simulation.surroundings import Surroundings


class Tier:
    """Builds the parts of one tier and wires them together; does nothing by itself.

    `clients` are the names of its gateways and their endpoints, `sites` those of its observers
    and where they stand. It is tier `place` of the chain, its partitions are numbered from `first`
    on, and its masters ask the tier `behind`, if there is one.
    """

    def __init__(
        self,
        around: Surroundings,
        settings: TierSettings,
        clients: Mapping[str, str],
        sites: Mapping[str, str],
        *,
        place: int,
        first: int,
        behind: Tier | None,
    ) -> None:
        self.settings = settings
        self.name = settings.name
        self.sites = sites
        self._around = around
        self._place, self._behind = place, behind
        self.env, self.journal = around.env, around.journal
        self.changes, self.traps, self.network = around.changes, around.traps, around.network
        self.seed, self.replication = around.seed, around.replication
        self.record = Recorder(self.env, self.journal, self.name).record
        self._endpoints = clients
        self.partitions = Partitions(
            self.env,
            settings.owners,
            settings.masters,
            settings.replication,
            self.network,
            first=first,
        )
        self.cluster = self._cluster()
        self._compiled = around.compiled
        self.masters = self._masters()
        self.streams = Replication(self.env, self.partitions, self.masters, self.network)
        fencing = settings.failover.fencing
        self.tokens = tokens_of(fencing, self.masters, self.partitions, self.streams)
        self.synchrony = synchrony_of(settings.replication, self.streams, self.changes, self.record)
        self.device = FencingDevice(
            self.env,
            settings.fencing_device,
            self.masters,
            self.record,
            seed=self.seed,
            replication=self.replication,
        )
        self.drivers = {
            name: Driver(self.env, name, self._control_plane(name), self.journal) for name in sites
        }
        self.gateways = self._gateways()
        self.oracle = Oracle(
            self.masters,
            self.partitions,
            list(self.gateways.values()),
            self.network,
            settings.requests.timeout_ns,
            self.record,
            lambda: self.env.now,
        )
        traffic = self._traffic()
        self.messages = self._messages(traffic)
        self.partitions.settle = self.messages.settle
        self.rerouting = self._rerouting(traffic)
        self.observers = self._observers()
        self.agents = agents_of(
            settings.detection.evidence, self.network, self.masters, self.observers.values(), around
        )
        self.rerouting.begin_feedback()

    # -- building ----------------------------------------------------------------

    def _cluster(self) -> Cluster:
        masters = tuple(
            Master(m.id, m.region, m.priority, m.workers, m.weight, m.absent, m.promotion_rule)
            for m in self.settings.masters
        )
        rtt = tuple(
            tuple(self.network.rtt_ns(gateway, master_endpoint(m.id)) for m in masters)
            for gateway in self._endpoints.values()
        )
        owners = zip(self.partitions.names, self.settings.owners, strict=True)
        return Cluster(
            masters,
            tuple(Partition(p, m.id) for p, m in owners),
            tuple(self._endpoints),
            rtt,
            tuple(self.sites),
        )

    def _masters(self) -> dict[str, SimMaster]:
        kind = SimMaster
        if self._compiled:
            from hasim.simulation.clients.compiled.master import CompiledMaster

            kind = CompiledMaster
        masters = {
            m.id: kind(
                self.env,
                m,
                self.settings.requests.timeout_ns,
                self.changes.changed,
                self.partitions.acknowledge,
            )
            for m in self.settings.masters
        }
        for partition in self.cluster.partitions:
            masters[partition.owner].primaries[partition.id] = 1
        return masters

    def _control_plane(self, observer: str) -> ControlPlane:
        made = self.settings
        return ControlPlane(
            self.cluster,
            *(made.detection, made.failover, made.balancing, made.monitor),
            *(made.accession, made.leadership),
            observer=observer,
            seed=self.chance_of(observer),
            acts=self.acts(observer),
        )

    def acts(self, observer: str) -> bool:
        """Whether an observer may act on what it sees: the first, or any that comes to lead."""
        return self.settings.leadership.shared or observer == next(iter(self.sites))

    def chance_of(self, observer: str) -> int:
        """The seed of an observer's chance: another one in each replication."""
        return seed_of(self.seed, self.replication, f"checks:{observer}")

    def _gateways(self) -> dict[str, SimGateway]:
        # All observers have the same settings, so they want to be told of the same at once.
        driver = next(iter(self.drivers.values()))
        watch = driver.control_plane.detection.watch()
        kind = SimGateway
        if self._compiled:
            from hasim.simulation.clients.compiled.gateway import CompiledGateway

            kind = CompiledGateway
        return {
            name: kind(
                self.env,
                name,
                endpoint,
                self.settings.balancing,
                self.cluster,
                watch=watch,
                send=self._tell_all,
            )
            for name, endpoint in self._endpoints.items()
        }

    def _traffic(self) -> Traffic:
        return Traffic(
            self._around.settings,
            self._around.recorded,
            self.network.jitter,
            len(self.gateways),
            seed=self.seed,
            replication=self.replication,
            place=self._place,
        )

    def _messages(self, traffic: Traffic) -> DataPlane:
        gateways = list(self.gateways.values())
        division = Division.of(self._around.settings.warm_up, traffic.horizon_ns)
        if self._compiled:
            from hasim.simulation.clients.compiled.chain import put_before
            from hasim.simulation.clients.compiled.plane import CompiledPlane

            compiled = CompiledPlane(
                self.env,
                traffic,
                self.partitions,
                gateways,
                self.masters,
                self.network,
                self.oracle,
                division,
                keep_messages=self._around.keep_messages,
            )
            if self._behind is not None:
                next_plane = self._behind.messages
                assert isinstance(next_plane, CompiledPlane), "all tiers are on the same plane"
                put_before(compiled, next_plane)
            return compiled
        kind = RequestPlane if self._place else MessagePlane
        made = kind(
            self.env,
            self.settings.requests,
            traffic,
            self.partitions.names,
            gateways,
            self.masters,
            self.network,
            self.oracle.answered,
            division,
            place=self._place,
        )
        if self._behind is not None:
            behind = self._behind.messages
            assert isinstance(behind, RequestPlane), "all tiers are on the same plane"
            made.put_before(behind)
            for number, master in enumerate(self.masters.values()):
                master.ask = partial(behind.take, number)
        return made

    def _rerouting(self, traffic: Traffic) -> Rerouting:
        gateways, masters = list(self.gateways.values()), list(self.masters.values())
        churn = KeyChurn(self.env, traffic, list(self.gateways), list(self.masters), self.record)
        interval_ns = self.settings.balancing.power.report_interval_ns
        reports = LoadReports(self.env, interval_ns, gateways, masters, self.network)
        return Rerouting(self.env, self.gateways, masters, churn, reports, self.changes)

    def _observers(self) -> dict[str, Observer]:
        source = {"seed": self.seed, "replication": self.replication}
        draws = {
            name: ProbeDraws(master.settings, master.law, **source)
            for name, master in self.masters.items()
        }
        found = {}
        tiers, own = len(self._around.settings.chain), len(self.drivers)
        for place, (name, driver) in enumerate(self.drivers.items(), self._place * own):
            post = Post(self.env, self.network, driver)
            roles = Roles(
                post,
                self.masters,
                self._durations(self.settings.promotion.duration, f"promotion:{name}"),
                self.partitions,
                self.traps,
                self.changes,
                self.record,
                self.tokens,
            )
            commands = Commands(
                post,
                self.masters,
                Probes(
                    post,
                    self.masters,
                    draws,
                    deadlines=Deadlines(self.env, self.settings.detection.probes, post.receive),
                    place=place,
                    observers=own * tiers,
                ),
                self.device,
                Transfers(
                    post,
                    self.partitions,
                    self.streams,
                    self.traps,
                    self._durations(self.settings.replication.setup, f"transfer:{name}"),
                ),
                roles,
                self.rerouting,
            )
            if self._behind is not None:
                commands.probes.behind = self._behind.dependency(source)
            driver.perform = commands.perform
            far = commands.probes.nearest_ns >= NEAREST_NS
            if self._around.settings.probes == "stretches" and far:
                driver.deputy = self._stretches(driver, commands.probes)
            found[name] = Observer(driver, post, commands)
        for observer in found.values():
            observer.commands.peers = {name: other.post for name, other in found.items()}
        return found

    def dependency(self, source: Mapping[str, int]) -> Dependency:
        """What checks of the tier before ask of this one."""
        return Dependency(self.env, self.network, self.masters, self.partitions, **source)

    def _durations(self, law: Law, concern: str) -> Durations:
        return Durations(law, concern, self.masters, seed=self.seed, replication=self.replication)

    def _stretches(self, driver: Driver, probes: Probes) -> Stretches:
        stretches = Stretches(
            driver.control_plane,
            probes,
            driver,
            masters=list(self.masters),
            horizon_ns=self._around.settings.horizon_ns,
        )
        self.changes.on_change += (stretches.changed,)
        return stretches

    def follow_changes(self) -> None:
        """Look again whenever something changes; to be called once, when all tiers are there."""
        # Streams break and mend before the oracle looks; the messages learn of it last, since
        # they run on from what the others have found.
        for part in (self.agents, self.tokens):
            self.changes.on_change += () if part is None else (part.changed,)
        if any(source.connected for source in self.settings.detection.evidence):
            posts = [observer.post for observer in self.observers.values()]
            self.changes.on_change += (Connections(self.masters.values(), posts).changed,)
        self.changes.on_change += (
            *(observer.commands.probes.changed for observer in self.observers.values()),
            self.streams.refresh,
            *([] if self.synchrony is None else [self.synchrony.changed]),
            *(self.oracle.update, self.messages.changed),
        )
        self.changes.on_reroute += (self.oracle.update_service, self.messages.rerouted)

    @property
    def _dies(self) -> bool:
        """Whether a control plane may be killed at all."""
        return any(isinstance(fault, ObserverCrash) for fault in self._around.settings.faults)

    # -- all observers -----------------------------------------------------------

    def start(self) -> None:
        """Start every control plane, and the masters' heartbeats if somebody listens to them."""
        for driver in self.drivers.values():
            driver.remembers = self.settings.observer.remembers
            if self._dies and driver.remembers == "snapshots":
                driver.keep_snapshots(self.settings.observer.snapshot_interval_ns)
            driver.start()
        if self.agents is not None:
            self.agents.start()
        source = {"seed": self.seed, "replication": self.replication}
        masters, failover = self.masters.values(), self.settings.failover
        posts = [observer.post for observer in self.observers.values()]
        if isinstance(failover.fencing, LeaseFencingSettings):
            acting = [one for name, one in self.observers.items() if self.acts(name)]
            reset, changed = self.device.reset, self.changes.changed
            Leases(self.env, failover.fencing, masters, acting, reset, changed, **source).start()
        if interval_ns := self.settings.detection.heartbeat_ns:
            Heartbeats(self.env, masters, posts, interval_ns, **source).start()
        if self.partitions.names and failover.wants_reports:
            parts, waits = self.partitions, self.synchrony
            ReplicaReports(self.env, masters, posts, parts, failover, waits, **source).start()

    def settle(self) -> None:
        """Bring every control plane up to date, at the end of a run."""
        for driver in self.drivers.values():
            driver.settle()

    def feed(self, item: Input) -> None:
        """An operator tells every control plane something."""
        for driver in self.drivers.values():
            driver.feed(item)

    def _tell_all(self, item: Input, endpoint: str) -> None:
        for observer in self.observers.values():
            observer.post.bring(endpoint, item)
