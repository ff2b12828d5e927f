"""Masters tell every observer how far their copies are: evidence, with its age."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hasim.events import Replica, ReplicaReport
from hasim.services.failover.settings import FailoverSettings
from hasim.simulation.clock import ARRIVAL, Call, Clock
from hasim.simulation.control.post import Post
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.partitions import Partitions
from hasim.simulation.masters.state import NO_COPY
from hasim.simulation.masters.synchrony import Synchrony
from hasim.simulation.network import master_endpoint
from hasim.simulation.streams import Stream


class ReplicaReports:
    """Each master reports by its own clock, as often as failover says, while it answers.

    Where only synchronous standbys may take over, it says for whose copies its acknowledgements
    wait, and that at once when it is for others.
    """

    def __init__(
        self,
        env: Clock,
        masters: Iterable[SimMaster],
        posts: Sequence[Post],
        partitions: Partitions,
        settings: FailoverSettings,
        synchrony: Synchrony | None,
        *,
        seed: int,
        replication: int,
    ) -> None:
        self.env = env
        self._masters, self._posts = list(masters), posts
        self._partitions, self._interval_ns = partitions, settings.report_interval_ns
        self._synchrony = synchrony if settings.synchronous_only else None
        self._source = (seed, replication)

    def start(self) -> None:
        """The first report of every master lies within the first interval."""
        if self._synchrony is not None:
            self._synchrony.told = self._tell
        for rank, master in enumerate(self._masters):
            phase = Stream(*self._source, f"reports:{master.id}").uniform()
            first = (master, rank)
            Call(self.env, int(phase * self._interval_ns), ARRIVAL, self._report, first, rank)

    def _report(self, call: Call) -> None:
        master, rank = call.load
        self._tell(master)
        Call(self.env, self._interval_ns, ARRIVAL, self._report, call.load, rank)

    def _tell(self, master: SimMaster) -> None:
        if master.beating:
            report = ReplicaReport(master.id, tuple(self._copies(master)))
            for post in self._posts:
                post.bring(master_endpoint(master.id), report)

    def _copies(self, told: SimMaster) -> Iterable[Replica]:
        now, master = self.env.now, told.id
        for partition, state in self._partitions.states.items():
            received = state.position(now, master)
            if received != NO_COPY:
                applied = state.applied(now, master)
                missed_ns = state.missed_ns(now, master)
                yield Replica(partition, received, applied, missed_ns, self._waits(told, partition))

    def _waits(self, master: SimMaster, partition: str) -> tuple[str, ...] | None:
        if self._synchrony is None or partition not in master.primaries:
            return None
        return self._synchrony.waits_for(master.id, partition)
