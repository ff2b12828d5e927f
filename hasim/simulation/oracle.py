"""The oracle: watches the true state of the world and journals when it changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.partitions import Partitions
from hasim.simulation.network import Network, master_endpoint
from hasim.truth import PartitionAnswered, PartitionServed, StatelessServed, Truth, Writers


class Oracle:
    """Who serves which partition, who accepts its writes, and whether stateless messages are."""

    def __init__(
        self,
        masters: dict[str, SimMaster],
        partitions: Partitions,
        gateways: Sequence[SimGateway],
        network: Network,
        patience_ns: int,
        record: Callable[[Truth], None],
        now: Callable[[], int],
    ) -> None:
        self._masters = masters
        self._partitions = partitions
        self._gateways = gateways
        self._network = network
        self._patience_ns = patience_ns
        self._record, self._now = record, now
        self.holders = self._holders()
        """By partition, the masters that take themselves for its primary, in their order."""
        self._ranks = {partition: rank for rank, partition in enumerate(partitions.names)}
        self._served: dict[str, bool] = {}
        self._down: set[str] = set()
        self._reasons: dict[str, str] = {}
        self._writers: dict[str, tuple[str, ...]] = {}
        self._stateless: bool | None = None
        self._servers: dict[str, str] = {}
        """By partition, who serves it; nobody: an empty text."""
        self._unanswered: dict[str, int] = {}
        """By partition that has gone down: since when no message of it was answered (ns)."""
        self._timely: dict[tuple[str, str], bool] = {}
        """By gateway and master: whether answers come in time; kept while no fault does."""

    def update(self) -> None:
        """Compare the world with what was last journalled."""
        self._timely.clear()
        self.holders = self._holders()
        for partition in self._partitions.names:
            self._update_writers(partition)
            self._update_partition(partition)
        self._update_stateless()

    def update_service(self) -> None:
        """The same when nothing but a gateway's routing has changed."""
        for partition in self._partitions.names:
            self._update_partition(partition)
        self._update_stateless()

    def update_overload(self, master: SimMaster) -> set[str]:
        """The same when nothing but the overload of a master has: returns what was looked at."""
        concerned = self._down.union(master.primaries)
        for partition in sorted(concerned, key=self._ranks.__getitem__):
            self._update_partition(partition)
        self._update_stateless()
        return concerned

    def _holders(self) -> dict[str, list[SimMaster]]:
        holders: dict[str, list[SimMaster]] = {name: [] for name in self._partitions.names}
        for master in self._masters.values():
            for partition in master.primaries:
                holders[partition].append(master)
        return holders

    def _update_stateless(self) -> None:
        stateless = any(self._reached(m, None) for m in self._masters.values())
        if stateless != self._stateless:
            self._stateless = stateless
            self._record(StatelessServed(stateless))

    @property
    def unanswered(self) -> Mapping[str, int]:
        """Partitions of which no message was answered since they went down, and since when (ns)."""
        return self._unanswered

    def answered(self, partition: str, master: str, served_ns: int) -> None:
        """A message for this partition was answered, which that master had served at that time.

        It counts if it was served since the partition went down, by the one who serves it again:
        not what was on its way already, nor what an old owner had still in work.
        """
        fell_ns = self._unanswered.get(partition)
        if fell_ns is None or served_ns < fell_ns or self._servers.get(partition) != master:
            return
        del self._unanswered[partition]
        self._record(PartitionAnswered(partition))

    def _update_writers(self, partition: str) -> None:
        holders = self.holders[partition]
        writers = tuple(sorted(m.id for m in holders if m.answering and partition not in m.held))
        if writers != self._writers.get(partition):
            self._writers[partition] = writers
            self._record(Writers(partition, writers))

    def _update_partition(self, partition: str) -> None:
        server = next((m for m in self.holders[partition] if self._reached(m, partition)), None)
        up = server is not None
        owner = self._partitions.owner_of(partition) if server is None else server.id
        reason = "" if up else self._reason(partition, owner)
        self._servers[partition] = "" if server is None else server.id
        if up == self._served.get(partition) and reason == self._reasons.get(partition):
            return
        if not up and self._served.get(partition):
            self._unanswered[partition] = self._now()
        self._served[partition], self._reasons[partition] = up, reason
        (self._down.discard if up else self._down.add)(partition)
        self._record(PartitionServed(partition, up, owner, reason))

    def _reached(self, master: SimMaster, partition: str | None) -> bool:
        """Whether it answers, and more than half of the gateways send to it and reach it."""
        if master.impairment() or (partition is not None and not self._writes(master)):
            return False
        reached, half = 0, len(self._gateways) / 2
        for gateway in self._gateways:
            standing = gateway.balancer.standing
            routed = standing.is_eligible(master.id) and (
                partition is None or standing.owner_of(partition) == master.id
            )
            if routed and self._in_time(gateway.endpoint, master):
                reached += 1
                if reached > half:
                    return True
        return False

    def _writes(self, master: SimMaster) -> bool:
        """Whether it acknowledges a write while its client waits."""
        return not master.writes_wait and master.commits_after_ns <= self._patience_ns

    def _in_time(self, gateway: str, master: SimMaster) -> bool:
        """Whether an answer crosses back before the client gives up, by the median."""
        key = gateway, master.id
        known = self._timely.get(key)
        if known is None:
            round_trip_ns = self._network.round_trip_ns(gateway, master_endpoint(master.id))
            known = round_trip_ns is not None and (
                round_trip_ns + master.service_ns <= self._patience_ns
            )
            self._timely[key] = known
        return known

    def _reason(self, partition: str, owner: str) -> str:
        master = self._masters[owner]
        if master.impairment():
            return master.impairment()
        if master.writes_wait:
            return "disk-stall" if master.disks else "no-majority"
        if not self._writes(master):
            return "no-standby"
        endpoint = master_endpoint(owner)
        gateways = [gateway.endpoint for gateway in self._gateways]
        connected = sum(self._network.connected(g, endpoint) for g in gateways)
        if 2 * connected <= len(gateways):
            return "partition"
        if 2 * sum(self._in_time(g, master) for g in gateways) <= len(gateways):
            return "latency"
        return "unrouted" if partition in master.primaries else "no-primary"
