"""One simulated world: its parts, built from its settings and handed what they need."""

from __future__ import annotations

from hasim.events import GatewayReport, Input
from hasim.journal import Journal
from hasim.model import Cluster, Master, Partition
from hasim.services.control_plane import ControlPlane
from hasim.simulation.changes import Changes
from hasim.simulation.clients.blocks import Division
from hasim.simulation.clients.churn import KeyChurn
from hasim.simulation.clients.compiled.availability import available, refusal
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.load_reports import LoadReports
from hasim.simulation.clients.plane import DataPlane
from hasim.simulation.clients.reference.plane import MessagePlane
from hasim.simulation.clients.rerouting import Rerouting
from hasim.simulation.clients.traffic import Traffic
from hasim.simulation.clock import Clock
from hasim.simulation.control.commands import Commands
from hasim.simulation.control.driver import Driver
from hasim.simulation.control.fencing import FencingDevice
from hasim.simulation.control.heartbeats import Heartbeats
from hasim.simulation.control.observer import Observer
from hasim.simulation.control.post import Post
from hasim.simulation.control.probes import Probes
from hasim.simulation.control.roles import Roles
from hasim.simulation.control.stretches import NEAREST_NS, Stretches
from hasim.simulation.control.transfers import Transfers
from hasim.simulation.faults.injector import Injector
from hasim.simulation.faults.scene import Scene
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.partitions import Partitions, Replication
from hasim.simulation.masters.traps import Traps
from hasim.simulation.network import (
    Network,
    gateway_endpoint,
    master_endpoint,
    observer_endpoint,
)
from hasim.simulation.oracle import Oracle
from hasim.simulation.recorded import Recorded
from hasim.simulation.recorder import Recorder
from hasim.simulation.service import with_recorded_service
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.operations import Switch
from hasim.simulation.streams import Stream


class World:
    """Builds the parts of one replication and wires them together; does nothing by itself."""

    def __init__(
        self,
        settings: WorldSettings,
        recorded: Recorded,
        *,
        seed: int,
        replication: int,
        keep_messages: bool = False,
    ) -> None:
        self.settings = settings = with_recorded_service(settings, recorded)
        self.recorded = recorded
        self.seed = seed
        self.replication = replication
        self.env = Clock()
        self.journal = Journal()
        self.record = Recorder(self.env, self.journal).record
        self.changes = Changes()
        self.traps = Traps()
        self.network = Network(
            settings.network, recorded, _sites(settings), seed=seed, replication=replication
        )
        self.partitions = Partitions(
            self.env, settings.owners, settings.masters, settings.replication, self.network
        )
        self.cluster = self._cluster()
        self._compiled = _runs_compiled(settings)
        self.masters = self._masters()
        self.streams = Replication(self.env, self.partitions, self.masters, self.network)
        self.device = FencingDevice(
            self.env,
            settings.fencing_device,
            self.masters,
            self.record,
            seed=seed,
            replication=replication,
        )
        self.drivers = {
            name: Driver(self.env, name, self._control_plane(name), self.journal)
            for name in observers_of(settings)
        }
        self.gateways = self._gateways()
        self.oracle = Oracle(
            self.masters,
            self.partitions,
            list(self.gateways.values()),
            self.network,
            settings.traffic.timeout_ns,
            self.record,
        )
        traffic = self._traffic()
        self.messages = self._messages(traffic, keep_messages=keep_messages)
        self.partitions.settle = self.messages.settle
        self.rerouting = self._rerouting(traffic)
        self.observers = self._observers()
        self.injector = self._injector()
        self._follow_changes()
        self.rerouting.begin_feedback()

    def give_journal(self) -> Journal:
        """The journal, of which the world keeps nothing.

        The parts of a world refer to each other in circles: whatever they hold stays in
        memory, and is searched through, until the collector of cycles comes by.
        """
        given = Journal(self.journal.header, self.journal.records)
        self.journal.header, self.journal.records = {}, []
        return given

    # -- building ----------------------------------------------------------------

    def _cluster(self) -> Cluster:
        masters = tuple(
            Master(m.id, m.region, m.priority, m.workers, m.weight, m.absent)
            for m in self.settings.masters
        )
        gateways = self.settings.client_regions
        rtt = tuple(
            tuple(self.network.rtt_ns(gateway_endpoint(g), master_endpoint(m.id)) for m in masters)
            for g in gateways
        )
        owners = zip(self.partitions.names, self.settings.owners, strict=True)
        return Cluster(masters, tuple(Partition(p, m.id) for p, m in owners), gateways, rtt)

    def _masters(self) -> dict[str, SimMaster]:
        kind = SimMaster
        if self._compiled:
            from hasim.simulation.clients.compiled.master import CompiledMaster

            kind = CompiledMaster
        masters = {
            m.id: kind(
                self.env,
                m,
                self.settings.traffic.timeout_ns,
                self.changes.changed,
                self.partitions.acknowledge,
            )
            for m in self.settings.masters
        }
        for partition in self.cluster.partitions:
            masters[partition.owner].primaries[partition.id] = 1
        return masters

    def _control_plane(self, observer: str) -> ControlPlane:
        return ControlPlane(
            self.cluster,
            self.settings.detection,
            self.settings.failover,
            self.settings.balancing,
            self.settings.monitor,
            observer=observer,
        )

    def _gateways(self) -> dict[str, SimGateway]:
        # All observers have the same settings, so they want to be told of the same at once.
        driver = next(iter(self.drivers.values()))
        watch = driver.control_plane.detection.watch()
        kind = SimGateway
        if self._compiled:
            from hasim.simulation.clients.compiled.gateway import CompiledGateway

            kind = CompiledGateway
        return {
            region: kind(
                self.env,
                region,
                self.settings.balancing,
                self.cluster,
                watch=watch,
                send_report=self._report,
            )
            for region in self.cluster.gateways
        }

    def _traffic(self) -> Traffic:
        return Traffic(
            self.settings,
            self.recorded,
            self.network.jitter,
            len(self.gateways),
            seed=self.seed,
            replication=self.replication,
        )

    def _messages(self, traffic: Traffic, *, keep_messages: bool) -> DataPlane:
        gateways = list(self.gateways.values())
        division = Division.of(self.settings.warm_up, traffic.horizon_ns)
        if self._compiled:
            from hasim.simulation.clients.compiled.plane import CompiledPlane

            return CompiledPlane(
                self.env,
                traffic,
                self.partitions,
                gateways,
                self.masters,
                self.network,
                self.oracle,
                division,
                keep_messages=keep_messages,
            )
        return MessagePlane(
            self.env,
            self.settings.traffic,
            traffic,
            self.partitions.names,
            gateways,
            self.masters,
            self.network,
            self.oracle.answered,
            division,
        )

    def _rerouting(self, traffic: Traffic) -> Rerouting:
        gateways, masters = list(self.gateways.values()), list(self.masters.values())
        churn = KeyChurn(self.env, traffic, list(self.gateways), list(self.masters), self.record)
        interval_ns = self.settings.balancing.power.report_interval_ns
        reports = LoadReports(self.env, interval_ns, gateways, masters, self.network)
        return Rerouting(self.env, self.gateways, masters, churn, reports, self.changes)

    def _observers(self) -> dict[str, Observer]:
        # A stream per master: what one of them needs does not shift the others' luck.
        error_draws = {
            m: Stream(self.seed, self.replication, f"probe-errors:{m}") for m in self.masters
        }
        found = {}
        for place, (name, driver) in enumerate(self.drivers.items()):
            post = Post(self.env, self.network, driver)
            roles = Roles(
                post,
                self.settings.promotion,
                self.partitions,
                self.traps,
                self.changes,
                self.record,
            )
            commands = Commands(
                post,
                self.masters,
                Probes(post, self.masters, error_draws, place=place, observers=len(self.drivers)),
                self.device,
                Transfers(post, self.partitions, self.streams, self.traps),
                roles,
                self.rerouting,
            )
            driver.perform = commands.perform
            if self.settings.probes == "stretches" and commands.probes.nearest_ns >= NEAREST_NS:
                driver.deputy = self._stretches(driver, commands.probes)
            found[name] = Observer(driver, post, commands)
        return found

    def _stretches(self, driver: Driver, probes: Probes) -> Stretches:
        stretches = Stretches(
            driver.control_plane,
            probes,
            driver,
            masters=list(self.masters),
            horizon_ns=self.settings.horizon_ns,
        )
        self.changes.on_change += (stretches.changed,)
        return stretches

    def _injector(self) -> Injector:
        scene = Scene(
            self.masters,
            self.network,
            frozenset(gateway.endpoint for gateway in self.gateways.values()),
            frozenset(observer.post.endpoint for observer in self.observers.values()),
            self.partitions.owner_of,
            self.traps,
            list(self.drivers.values()),
            self.changes.changed,
            self.record,
            lambda: self.env.now,
        )
        return Injector(
            self.env,
            scene,
            self.settings.repair,
            self.recorded,
            seed=self.seed,
            replication=self.replication,
        )

    def _follow_changes(self) -> None:
        # Streams break and mend before the oracle looks; the messages learn of it last, since
        # they run on from what the others have found.
        self.changes.on_change += (
            *(observer.commands.probes.changed for observer in self.observers.values()),
            self.streams.refresh,
            self.oracle.update,
            self.messages.changed,
        )
        self.changes.on_reroute = (self.oracle.update_service, self.messages.rerouted)

    # -- all observers -----------------------------------------------------------

    def start(self) -> None:
        """Start every control plane, and the masters' heartbeats if somebody listens to them."""
        for driver in self.drivers.values():
            driver.start()
        if interval_ns := self.settings.detection.heartbeat_ns:
            posts = [observer.post for observer in self.observers.values()]
            source = {"seed": self.seed, "replication": self.replication}
            Heartbeats(self.env, self.masters.values(), posts, interval_ns, **source).start()

    def settle(self) -> None:
        """Bring every control plane up to date, at the end of a run."""
        for driver in self.drivers.values():
            driver.settle()

    def feed(self, item: Input) -> None:
        """An operator tells every control plane something."""
        for driver in self.drivers.values():
            driver.feed(item)

    def _report(self, report: GatewayReport, endpoint: str) -> None:
        for observer in self.observers.values():
            observer.post.bring(endpoint, report)


def observers_of(settings: WorldSettings) -> dict[str, str]:
    """The observers by name, and the site of each. There is one: only this function knows."""
    return {"observer": settings.observer.region or settings.masters[0].region}


def _runs_compiled(settings: WorldSettings) -> bool:
    """Whether messages run on the compiled plane: it can, and has every algorithm in use."""
    later = [o.algorithm for o in settings.operations if isinstance(o, Switch)]
    used = [settings.balancing.algorithm, *later]
    return settings.data_plane == "compiled" and all(map(available, used)) and not refusal()


def _sites(settings: WorldSettings) -> dict[str, str]:
    """The site of every endpoint."""
    sites = {master_endpoint(m.id): m.region for m in settings.masters}
    sites.update({gateway_endpoint(r): r for r in settings.client_regions})
    sites.update({observer_endpoint(o): site for o, site in observers_of(settings).items()})
    return sites
