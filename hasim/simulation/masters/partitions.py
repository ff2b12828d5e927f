"""The partitions of a world: the state of each, and the streams by which copies follow it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from hasim.simulation.clock import Clock
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.state import PartitionState
from hasim.simulation.network import Network, master_endpoint
from hasim.simulation.settings import MasterSettings, ReplicationSettings


class Partitions:
    """The states of p1, p2, ..., each of which one of the `masters` owns at the start.

    The `owners` are those, in the order of the partitions, whose numbers begin with `first`.
    """

    def __init__(
        self,
        env: Clock,
        owners: tuple[MasterSettings, ...],
        masters: tuple[MasterSettings, ...],
        settings: ReplicationSettings,
        network: Network,
        *,
        first: int = 1,
    ) -> None:
        self._env = env
        self._lag_ns, self._apply_ns = settings.lag_ns, settings.apply_ns
        self.net_timeout_ns = settings.net_timeout_ns
        self._network = network
        self.names = [f"p{number}" for number, _ in enumerate(owners, first)]
        present = (master for master in masters if not master.absent)
        preferred = sorted(present, key=lambda master: master.priority)
        self.unsettled = {
            name: self._state(name, owner, preferred, settings.copies)
            for name, owner in zip(self.names, owners, strict=True)
        }
        """As far as writes were handed over; who wants the last ones as well asks `states`."""
        self.settle: Callable[[], None] = lambda: None
        """Hands over the writes up to now: set by who keeps acknowledged writes for a while."""

    def _state(
        self, name: str, owner: MasterSettings, preferred: list[MasterSettings], copies: int
    ) -> PartitionState:
        state = PartitionState(
            name,
            owner.id,
            size_bytes=owner.state.size_bytes,
            write_bytes=owner.state.write_bytes,
            bandwidth_bytes_per_s=self._network.settings.bandwidth_bytes_per_s,
            apply_ns=self._apply_ns,
        )
        standbys = (master for master in preferred if master.id != owner.id)
        for standby in itertools.islice(standbys, copies):
            state.replicate_to(standby.id, self.lag_ns(owner.id, standby.id), has_copy=True)
        return state

    @property
    def states(self) -> dict[str, PartitionState]:
        """The state of each partition, with all writes up to now."""
        self.settle()
        return self.unsettled

    def owner_of(self, partition: str) -> str:
        """The master that owns a partition in truth, whether or not it is alive."""
        return self.unsettled[partition].owner

    def lag_ns(self, source: str, target: str) -> int:
        """Replication lag between two masters: the setting plus one crossing (nanoseconds)."""
        crossing = 0
        if source != target:
            crossing = self._network.rtt_ns(master_endpoint(source), master_endpoint(target)) // 2
        return self._lag_ns + crossing

    def acknowledge(self, partition: str, master: str) -> None:
        """A master acknowledged a write, now."""
        self.unsettled[partition].acknowledge(self._env.now, master)


class Replication:
    """Which copies can follow: streams break and mend with masters and links."""

    def __init__(
        self, env: Clock, partitions: Partitions, masters: dict[str, SimMaster], network: Network
    ) -> None:
        self.env = env
        self.partitions = partitions
        self.masters = masters
        self._network = network
        self._ends = {master: master_endpoint(master) for master in masters}
        # By owner and standby: since when the standby hears nothing of the owner.
        self._silent_ns: dict[tuple[str, str], int] = {}

    def possible(self, source: str, target: str) -> bool:
        """Whether state can flow from one master to another, now."""
        return (
            self.masters[source].answering
            and self.masters[target].answering
            and self._network.connected(self._ends[source], self._ends[target])
        )

    def connected(self, source: str, target: str) -> bool:
        """Whether packets cross from one master to another, now."""
        return self._network.connected(self._ends[source], self._ends[target])

    def streams(self, source: str, target: str) -> bool:
        """Whether writes that were acknowledged go on to flow from an owner to a standby.

        They do if the owner hangs: what it has sent is under way, and it acknowledges no more.
        """
        owner = self.masters[source]
        return (
            not (owner.offs or owner.crashes)
            and self.masters[target].answering
            and self._network.connected(self._ends[source], self._ends[target])
        )

    def refresh(self) -> None:
        """Masters or links are not what they were: break or mend the streams."""
        for state in self.partitions.states.values():
            state.refresh(self.env.now, self.streams, self.extra_ns)
            for standby in state.streams:
                pair = state.owner, standby
                # Who was made owner while it still received is on no link from itself.
                if standby == state.owner or self._hears(*pair):
                    self._silent_ns.pop(pair, None)
                else:
                    self._silent_ns.setdefault(pair, self.env.now)

    def testimony(self, owner: str, standby: str) -> bool | None:
        """Whether a standby holds replication from an owner to be broken; None: it is no standby.

        A process that dies closes the connection; otherwise silence has to last.
        """
        states = self.partitions.unsettled.values()
        if not any(state.owner == owner and standby in state.streams for state in states):
            return None
        since_ns = self._silent_ns.get((owner, standby))
        if since_ns is None:
            return False
        silent_ns = self.env.now - since_ns
        return self.closed(standby, owner) or silent_ns >= self.partitions.net_timeout_ns

    def closed(self, one: str, other: str) -> bool:
        """Whether a master knows that its connection to another is closed: its process died."""
        return self.masters[other].refusing and self._linked(one, other)

    def round_trip_ns(self, owner: str, standby: str) -> int | None:
        """The median round trip between two masters as things are; None: packets do not pass."""
        return self._network.round_trip_ns(self._ends[owner], self._ends[standby])

    def _hears(self, owner: str, standby: str) -> bool:
        """Whether the threads of two masters that replicate can talk to each other."""
        both = self.masters[owner].beating and self.masters[standby].beating
        return both and self._linked(owner, standby)

    def _linked(self, one: str, other: str) -> bool:
        return self._network.connected(self._ends[one], self._ends[other])

    def extra_ns(self, master: str) -> int:
        """What faults add to the lag of all that a master receives (nanoseconds)."""
        return sum(self.masters[master].lags)
