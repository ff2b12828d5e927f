"""Heartbeats: masters tell every observer by themselves that they live."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from hasim.events import Heartbeat
from hasim.simulation.clock import ARRIVAL, Call, Clock
from hasim.simulation.control.post import Post
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import master_endpoint
from hasim.simulation.streams import Stream


class Heartbeats:
    """Each master sends a heartbeat every `interval_ns` by its own clock, while it answers.

    Where in the interval it begins is drawn for each, in every replication anew. A heartbeat
    that falls into a crash, a hang or a power-off is never sent, and its number is left out, as
    the numbers go by the clock. One that stops in good order sends a last one. A service that is
    slow or fails delays none of them.
    """

    def __init__(
        self,
        env: Clock,
        masters: Iterable[SimMaster],
        posts: Sequence[Post],
        interval_ns: int,
        *,
        seed: int,
        replication: int,
    ) -> None:
        self.env = env
        self._masters = list(masters)
        self._posts = posts
        self._interval_ns = interval_ns
        self._source = (seed, replication)
        self._sent = dict.fromkeys((master.id for master in self._masters), 0)
        for master in self._masters:
            master.farewell = partial(self._leave, master)

    def start(self) -> None:
        """The first heartbeat of every master lies within the first interval."""
        for rank, master in enumerate(self._masters):
            phase = Stream(*self._source, f"heartbeats:{master.id}").uniform()
            first = (master, rank, 1)
            Call(self.env, int(phase * self._interval_ns), ARRIVAL, self._beat, first, rank)

    def _beat(self, call: Call) -> None:
        master, rank, number = call.load
        if master.beating:
            self._sent[master.id] = number
            self._tell(Heartbeat(master.id, number, self.env.now))
        following = (master, rank, number + 1)
        Call(self.env, self._interval_ns, ARRIVAL, self._beat, following, rank)

    def _leave(self, master: SimMaster) -> None:
        """It stops in good order: its last heartbeat says so, between two others."""
        if master.beating:
            self._tell(Heartbeat(master.id, self._sent[master.id], self.env.now, leaving=True))

    def _tell(self, beat: Heartbeat) -> None:
        for post in self._posts:
            post.bring(master_endpoint(beat.master), beat)
