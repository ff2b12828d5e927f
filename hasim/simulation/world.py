"""One simulated world: everything built from its settings and wired together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hasim.journal import Journal
from hasim.model import Cluster, Master, Partition
from hasim.services.control_plane import ControlPlane
from hasim.simulation.clients.blocks import Division
from hasim.simulation.clients.churn import KeyChurn
from hasim.simulation.clients.compiled.availability import available
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.load_reports import LoadReports
from hasim.simulation.clients.reference.plane import MessagePlane
from hasim.simulation.clients.traffic import Traffic
from hasim.simulation.clock import Clock
from hasim.simulation.control.commands import Commands
from hasim.simulation.control.driver import Driver
from hasim.simulation.faults.repair import Crews
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.state import PartitionState
from hasim.simulation.network import OBSERVER, Network, gateway_endpoint, master_endpoint
from hasim.simulation.oracle import Oracle
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import MasterSettings, WorldSettings
from hasim.simulation.settings.operations import Switch
from hasim.simulation.streams import Stream
from hasim.truth import Truth

if TYPE_CHECKING:
    from hasim.simulation.clients.compiled.plane import CompiledPlane


def owners_at_start(settings: WorldSettings) -> tuple[MasterSettings, ...]:
    """The masters that own p1, p2, ...: all but those that are absent."""
    return tuple(master for master in settings.masters if not master.absent)


def client_regions(settings: WorldSettings) -> tuple[str, ...]:
    """The regions with a gateway: those of the traffic, else those of the masters."""
    if settings.traffic.regions:
        return settings.traffic.regions
    return tuple(dict.fromkeys(master.region for master in settings.masters))


class World:
    """Holds the parts of one replication; the parts find each other through it."""

    def __init__(
        self,
        settings: WorldSettings,
        recorded: Recorded,
        *,
        seed: int,
        replication: int,
        keep_messages: bool = False,
    ) -> None:
        self.settings = settings
        self.recorded = recorded
        self.seed = seed
        self.replication = replication
        self.env = Clock()
        self.journal = Journal()
        self.network = Network(
            settings.network, recorded, _sites(settings), seed=seed, replication=replication
        )
        self.partitions = [f"p{number}" for number, _ in enumerate(owners_at_start(settings), 1)]
        self.cluster = self._cluster()
        self._keep_messages = keep_messages
        self._compiled = _runs_compiled(settings)
        self.oracle = Oracle(self)
        self._faults = 0
        self.crews = Crews(self.env, settings.repair.crews)
        self.torn_transfers: dict[str, int] = {}
        self.promotion_traps: list[Callable[[str], bool]] = []
        ids = [m.id for m in settings.masters]
        # A stream per master: what one of them needs does not shift the others' luck.
        self.probe_draws = {m: Stream(seed, replication, f"probe-errors:{m}") for m in ids}
        self.fence_draws = {m: Stream(seed, replication, f"fencing:{m}") for m in ids}
        self.first_fence_fails: bool | None = None
        self.masters = self._build_masters()
        self._states = self._build_states()
        control_plane = ControlPlane(
            self.cluster,
            settings.detection,
            settings.failover,
            settings.balancing,
            settings.monitor,
        )
        self.commands = Commands(self)
        self.driver = Driver(self.env, control_plane, self.journal, self.commands.perform)
        self.gateways = self._build_gateways(control_plane.detection.watch().failures)
        traffic = self._traffic()
        self.messages = self._build_messages(traffic)
        self.churn = KeyChurn(self, traffic)
        self.load_reports = LoadReports(self)
        self.begin_feedback()

    @property
    def states(self) -> dict[str, PartitionState]:
        """The state of each partition, with all writes up to now."""
        self.messages.settle()
        return self._states

    def give_journal(self) -> Journal:
        """The journal, which the world lets go of.

        The parts of a world refer to each other in circles: whatever they hold stays in
        memory, and is searched through, until the collector of cycles comes by.
        """
        journal = self.journal
        self.journal = self.driver.journal = Journal()
        return journal

    def fence_fails(self, master: str) -> bool:
        """Whether an order to the fencing device fails: drawn, or given for the first one."""
        drawn = self.fence_draws[master].uniform() < self.settings.fencing_device.fails
        given, self.first_fence_fails = self.first_fence_fails, None
        return drawn if given is None else given

    # -- building ----------------------------------------------------------------

    def _cluster(self) -> Cluster:
        masters = tuple(
            Master(m.id, m.region, m.priority, m.workers, m.weight, m.absent)
            for m in self.settings.masters
        )
        gateways = client_regions(self.settings)
        rtt = tuple(
            tuple(self.network.rtt_ns(gateway_endpoint(g), master_endpoint(m.id)) for m in masters)
            for g in gateways
        )
        owners = zip(self.partitions, owners_at_start(self.settings), strict=True)
        return Cluster(masters, tuple(Partition(p, m.id) for p, m in owners), gateways, rtt)

    def _build_masters(self) -> dict[str, SimMaster]:
        kind = SimMaster
        if self._compiled:
            from hasim.simulation.clients.compiled.master import CompiledMaster

            kind = CompiledMaster
        masters = {
            m.id: kind(
                self.env, m, self.settings.traffic.timeout_ns, self.changed, self._acknowledge
            )
            for m in self.settings.masters
        }
        for partition in self.cluster.partitions:
            masters[partition.owner].primaries[partition.id] = 1
        return masters

    def _build_states(self) -> dict[str, PartitionState]:
        states = {}
        present = owners_at_start(self.settings)
        by_priority = sorted(present, key=lambda m: m.priority)
        for partition, owner in zip(self.partitions, present, strict=True):
            state = PartitionState(
                partition,
                owner.id,
                size_bytes=owner.state.size_bytes,
                write_bytes=owner.state.write_bytes,
                bandwidth_bytes_per_s=self.settings.network.bandwidth_bytes_per_s,
            )
            standbys = [m for m in by_priority if m.id != owner.id]
            for standby in standbys[: self.settings.replication.copies]:
                lag_ns = self.lag_ns(owner.id, standby.id)
                state.replicate_to(standby.id, lag_ns, has_copy=True)
            states[partition] = state
        return states

    def _build_gateways(self, watch_failures: int) -> dict[str, SimGateway]:
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
                watch_failures=watch_failures,
                traffic=self.settings.traffic,
                send_report=self.commands.report,
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

    def _build_messages(self, traffic: Traffic) -> MessagePlane | CompiledPlane:
        if self._compiled:
            from hasim.simulation.clients.compiled.plane import CompiledPlane

            return CompiledPlane(self, traffic, self._states, keep_messages=self._keep_messages)
        return MessagePlane(
            self.env,
            self.settings.traffic,
            traffic,
            self.partitions,
            list(self.gateways.values()),
            self.masters,
            self.network,
            self.oracle.answered,
            Division.of(self.settings.warm_up, traffic.horizon_ns),
        )

    # -- what the parts ask of each other ----------------------------------------------

    def record(self, body: Truth) -> None:
        """Journal a truth, now."""
        self.journal.add(self.env.now, "truth", body)

    def changed(self) -> None:
        """The true state changed: replication streams break or mend, the oracle looks again."""
        self.commands.probes.changed()
        for state in self.states.values():
            state.refresh(self.env.now, self.can_replicate)
        self.oracle.update()
        self.messages.changed()

    def rerouted(self) -> None:
        """A gateway uses another routing table; masters and network are what they were."""
        self.oracle.update_service()
        self.messages.rerouted()

    def owner_of(self, partition: str) -> str:
        """The master that owns a partition in truth, whether or not it is alive."""
        return self._states[partition].owner

    def can_replicate(self, source: str, target: str) -> bool:
        """Whether state can flow from one master to another, now."""
        one, other = self.masters[source], self.masters[target]
        return (
            one.answering
            and other.answering
            and self.network.connected(master_endpoint(source), master_endpoint(target))
        )

    def lag_ns(self, source: str, target: str) -> int:
        """Replication lag between two masters: the setting plus one crossing."""
        crossing = 0
        if source != target:
            crossing = self.network.rtt_ns(master_endpoint(source), master_endpoint(target)) // 2
        return self.settings.replication.lag_ns + crossing

    def begin_feedback(self) -> None:
        """Have masters tell of themselves, if an algorithm in use wants to know."""
        self.load_reports.begin_if_wanted()
        if any(gateway.balancer.probes_masters for gateway in self.gateways.values()):
            for master in self.masters.values():
                master.begin_gauge()

    def dies_on_promotion(self, master: str) -> bool:
        """Whether a fault kills `master` now that it is told to promote itself."""
        return any(trap(master) for trap in list(self.promotion_traps))

    def next_fault(self) -> int:
        """A number for the next fault."""
        self._faults += 1
        return self._faults

    def _acknowledge(self, partition: str, master: str) -> None:
        self._states[partition].acknowledge(self.env.now, master)


def _runs_compiled(settings: WorldSettings) -> bool:
    """Whether messages run on the compiled plane: it has every algorithm that will be in use."""
    later = [o.algorithm for o in settings.operations if isinstance(o, Switch)]
    used = [settings.balancing.algorithm, *later]
    return settings.data_plane == "compiled" and all(map(available, used))


def _sites(settings: WorldSettings) -> dict[str, str]:
    """The site of every endpoint."""
    sites = {master_endpoint(m.id): m.region for m in settings.masters}
    sites.update({gateway_endpoint(r): r for r in client_regions(settings)})
    sites[OBSERVER] = settings.observer.region or settings.masters[0].region
    return sites
