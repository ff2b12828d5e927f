"""Masters tell every observer how far their copies are: evidence, with its age."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hasim.events import Replica, ReplicaReport
from hasim.simulation.clock import ARRIVAL, Call, Clock
from hasim.simulation.control.post import Post
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.partitions import Partitions
from hasim.simulation.masters.state import NO_COPY
from hasim.simulation.network import master_endpoint
from hasim.simulation.streams import Stream


class ReplicaReports:
    """Each master reports every `interval_ns` by its own clock, while it answers."""

    def __init__(
        self,
        env: Clock,
        masters: Iterable[SimMaster],
        posts: Sequence[Post],
        partitions: Partitions,
        interval_ns: int,
        *,
        seed: int,
        replication: int,
    ) -> None:
        self.env = env
        self._masters, self._posts = list(masters), posts
        self._partitions, self._interval_ns = partitions, interval_ns
        self._source = (seed, replication)

    def start(self) -> None:
        """The first report of every master lies within the first interval."""
        for rank, master in enumerate(self._masters):
            phase = Stream(*self._source, f"reports:{master.id}").uniform()
            first = (master, rank)
            Call(self.env, int(phase * self._interval_ns), ARRIVAL, self._report, first, rank)

    def _report(self, call: Call) -> None:
        master, rank = call.load
        if master.beating:
            report = ReplicaReport(master.id, tuple(self._copies(master.id)))
            for post in self._posts:
                post.bring(master_endpoint(master.id), report)
        Call(self.env, self._interval_ns, ARRIVAL, self._report, call.load, rank)

    def _copies(self, master: str) -> Iterable[Replica]:
        now = self.env.now
        for partition, state in self._partitions.states.items():
            received = state.position(now, master)
            if received != NO_COPY:
                applied = state.applied(now, master)
                yield Replica(partition, received, applied, state.missed_ns(now, master))
