"""Gossip between masters: each has an agent beside it that is a member, as Consul's agents are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Protocol

from hasim.events import GossipHeard, GossipPacket
from hasim.services.detection.gossip.member import Member, Sent
from hasim.services.detection.gossip.settings import SwimSettings
from hasim.simulation.clock import ARRIVAL, Call, Clock, Timer
from hasim.simulation.control.post import Post
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import Network, master_endpoint
from hasim.simulation.streams import seed_of


class Agents:
    """The members at the masters, and what they and the observers send to each other.

    An agent shares its master's fate: what comes while that is down is lost, and after a crash it
    begins anew; during a hang packets wait. When that is over, timers that are overdue ring first,
    then it reads what waits (Go looks at timers before it looks at the network).
    """

    def __init__(
        self,
        env: Clock,
        network: Network,
        masters: dict[str, SimMaster],
        posts: dict[str, Post],
        settings: SwimSettings,
        *,
        seed: int,
        replication: int,
    ) -> None:
        self.env = env
        self._network = network
        self._posts = posts
        names = (*masters, *posts)
        self._agents = {
            name: Agent(
                self,
                master,
                Member(
                    settings,
                    name,
                    tuple(other for other in names if other != name),
                    seed_of(seed, replication, f"gossip:{name}"),
                ),
            )
            for name, master in masters.items()
        }

    def start(self) -> None:
        """All members begin."""
        for agent in self._agents.values():
            agent.start()

    def changed(self) -> None:
        """Masters are not what they were."""
        for agent in self._agents.values():
            agent.look()

    def send(self, sender: str, endpoint: str, to: str, packet: GossipPacket) -> None:
        """A datagram from one member to another, which may be lost."""
        post = self._posts.get(to)
        if post is not None:
            post.bring(endpoint, GossipHeard(sender, packet))
            return
        delay = self._network.cross(endpoint, master_endpoint(to), self.env.now)
        if delay >= 0:
            arrive = partial(self._arrive, to, sender, packet)
            Call(self.env, delay, ARRIVAL, arrive)

    def _arrive(self, to: str, sender: str, packet: GossipPacket, _: Call) -> None:
        self._agents[to].hear(sender, packet)


class Agent:
    """One member at a master: owns its timer, and waits while the master hangs."""

    def __init__(self, agents: Agents, master: SimMaster, member: Member) -> None:
        self._agents = agents
        self._master = master
        self._member = member
        self._endpoint = master_endpoint(master.id)
        self._timer = Timer(agents.env, self._ring)
        self._life = master.life
        self._answering = True
        self._waiting: list[tuple[str, GossipPacket]] = []

    def start(self) -> None:
        """Begin, and wait for the first time at which something is due."""
        self._member.begin(self._agents.env.now)
        self._set()

    def hear(self, sender: str, packet: GossipPacket) -> None:
        """A packet is there."""
        if self._master.answering:
            self._do(self._member.heard(self._agents.env.now, sender, packet))
        elif not (self._master.silent or self._master.refusing):
            self._waiting.append((sender, packet))

    def look(self) -> None:
        """The master may have gone, or be back."""
        answering, now = self._master.answering, self._agents.env.now
        if answering == self._answering:
            return
        self._answering = answering
        if not answering:
            self._timer.stop()
            return
        waiting, self._waiting = self._waiting, []
        if self._master.life != self._life:
            self._life = self._master.life
            self._do(self._member.restart(now))
            return
        self._do(self._member.wake(now))
        for sender, packet in waiting:
            self.hear(sender, packet)

    def _ring(self) -> None:
        self._do(self._member.wake(self._agents.env.now))

    def _do(self, sent: Sent) -> None:
        self._member.changes.clear()
        for to, packet in sent:
            self._agents.send(self._member.name, self._endpoint, to, packet)
        self._set()

    def _set(self) -> None:
        self._timer.set(self._member.next_ns())


class Speaker(Protocol):
    """What the gossip needs of an observer's commands."""

    agents: Agents | None


class Listener(Protocol):
    """An observer that is a member of the gossip."""

    @property
    def post(self) -> Post:
        """What crosses the network to it."""
        ...

    @property
    def commands(self) -> Speaker:
        """Who sends what it says."""
        ...


class Chance(Protocol):
    """Whose replication it is."""

    @property
    def seed(self) -> int:
        """Of the study."""
        ...

    @property
    def replication(self) -> int:
        """From 0."""
        ...


def agents_of(
    evidence: Iterable[object],
    network: Network,
    masters: dict[str, SimMaster],
    observers: Collection[Listener],
    chance: Chance,
) -> Agents | None:
    """The masters' agents, if the evidence has a gossip; the observers send by them."""
    own = next((source for source in evidence if isinstance(source, SwimSettings)), None)
    if own is None:
        return None
    posts = {observer.post.observer: observer.post for observer in observers}
    env = next(iter(posts.values())).env
    source = {"seed": chance.seed, "replication": chance.replication}
    made = Agents(env, network, masters, posts, own, **source)
    for observer in observers:
        observer.commands.agents = made
    return made
