"""One member: probes others, helps to, suspects, refutes, and passes on what it hears."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hasim.events import GossipPacket, MemberNews
from hasim.model import MemberStanding, PacketKind
from hasim.services.agenda import NEVER
from hasim.services.balancing.chance import uniform
from hasim.services.detection.gossip.news import Outbox, sendings
from hasim.services.detection.gossip.settings import SwimSettings
from hasim.services.detection.gossip.suspicion import Suspicion, confirmations_wanted, least_ns
from hasim.units import SECOND

ALIVE, SUSPECT, DEAD = MemberStanding.ALIVE, MemberStanding.SUSPECT, MemberStanding.DEAD
TO_THE_DEAD_NS = 30 * SECOND
"""News goes to members for this long after their death (memberlist GossipToTheDeadTime)."""
Sent = list[tuple[str, GossipPacket]]
"""To whom, and what."""


@dataclass(slots=True)
class Peer:
    """What is known of another member."""

    standing: MemberStanding = ALIVE
    incarnation: int = 0
    since_ns: int = 0


@dataclass(slots=True)
class Probe:
    """A probe that is under way: of whom, when others are asked to help, and when it fails."""

    number: int
    target: str
    tries_ns: int
    ends_ns: int
    asked: int = 0
    nacks: int = 0


@dataclass(slots=True)
class Favour:
    """A ping for somebody else: whose, by which number, and when it is said that none answered."""

    asker: str
    number: int
    ends_ns: int


@dataclass(slots=True)
class Member:
    """SWIM (Das, Gupta, Motivala 2002) as memberlist does it, with Lifeguard (Dadgar et al. 2018).

    `others` are all other members. Chance is handed in as `seed`, from which it goes on by
    arithmetic. What its methods answer is to be sent; `changes` are the standings of others that
    were found since it was last emptied.
    """

    settings: SwimSettings
    name: str
    others: tuple[str, ...]
    seed: int
    peers: dict[str, Peer] = field(default_factory=dict)
    suspicions: dict[str, Suspicion] = field(default_factory=dict)
    outbox: Outbox = field(default_factory=Outbox)
    incarnation: int = 0
    score: int = 0
    number: int = 0
    taken: int = 0
    round: list[str] = field(default_factory=list)
    probe: Probe | None = None
    favours: dict[int, Favour] = field(default_factory=dict)
    probe_ns: int = NEVER
    gossip_ns: int = NEVER
    sync_ns: int = NEVER
    changes: list[MemberNews] = field(default_factory=list)

    # -- what a driver calls -------------------------------------------------------------

    def begin(self, now: int) -> None:
        """Everybody is alive; the first of all that is done again and again is within its interval.

        Where in it is drawn.
        """
        own = self.settings
        self.peers = {other: Peer(since_ns=now) for other in self.others}
        self.suspicions, self.outbox, self.favours = {}, Outbox(), {}
        self.probe, self.round = None, []
        self.incarnation = self.score = 0
        self.probe_ns = now + int(self._draw() * own.probe_interval_ns)
        self.gossip_ns = now + int(self._draw() * own.gossip_interval_ns)
        self.sync_ns = now + int(self._draw() * own.sync_interval_ns)

    def restart(self, now: int) -> Sent:
        """The process is new: it knows whom there is, and asks one of them for the rest."""
        self.begin(now)
        return self._sync(now)

    def next_ns(self) -> int:
        """When something is due (nanoseconds)."""
        times = [self.sync_ns, self.gossip_ns if self.outbox.pieces else NEVER]
        probe = self.probe
        times.append(self.probe_ns if probe is None else min(probe.tries_ns, probe.ends_ns))
        times += [favour.ends_ns for favour in self.favours.values()]
        times += [suspicion.due_ns for suspicion in self.suspicions.values()]
        return min(times)

    def wake(self, now: int) -> Sent:
        """Do what is due by now."""
        for name, suspicion in list(self.suspicions.items()):
            if suspicion.due_ns <= now:
                self._bury(now, MemberNews(name, DEAD, self.peers[name].incarnation, self.name))
        out = self._regret(now)
        probe = self.probe
        if probe is not None and probe.tries_ns <= now:
            out += self._ask_others(now, probe)
        if probe is not None and probe.ends_ns <= now:
            self._fail(now, probe)
        if self.probe is None and self.probe_ns <= now:
            out += self._probe_next(now)
        if self.gossip_ns <= now:
            out += self._gossip(now)
        return out + self._sync(now) if self.sync_ns <= now else out

    def heard(self, now: int, source: str, packet: GossipPacket) -> Sent:
        """A packet came in: what it asks for, and then the news in it."""
        out: Sent = []
        kind = packet.kind
        if kind is PacketKind.PING:
            out = [(source, self._packet(PacketKind.ACK, packet.number))]
        elif kind is PacketKind.PING_REQ and packet.about in self.peers:
            self.number += 1
            ends_ns = now + self.settings.probe_timeout_ns
            self.favours[self.number] = Favour(source, packet.number, ends_ns)
            out = [(packet.about, self._packet(PacketKind.PING, self.number))]
        elif kind is PacketKind.ACK:
            out = self._acked(packet.number)
        elif kind is PacketKind.NACK and self.probe and self.probe.number == packet.number:
            self.probe.nacks += 1
        elif kind is PacketKind.SYNC:
            out = [(source, GossipPacket(PacketKind.SYNCED, 0, "", self._all()))]
        self.learn(now, packet.news, source if kind in SYNCS else "")
        return out

    def learn(self, now: int, news: Iterable[MemberNews], synced_with: str = "") -> None:
        """Take news in. Who is dead to a member that one exchanged all with is only suspected."""
        for item in news:
            if item.standing is ALIVE:
                self._revive(now, item)
            elif item.standing is SUSPECT:
                self._suspect(now, item)
            elif synced_with:
                told = MemberNews(item.member, SUSPECT, item.incarnation, synced_with)
                self._suspect(now, told)
            else:
                self._bury(now, item)

    # -- probing -------------------------------------------------------------------------

    def _probe_next(self, now: int) -> Sent:
        own = self.settings
        while self.probe_ns <= now:
            self.probe_ns += own.probe_interval_ns
        target = self._next_target()
        if target is None:
            return []
        self.number += 1
        interval_ns = own.probe_interval_ns * (1 + self.score if own.lha_probe else 1)
        self.probe = Probe(self.number, target, now + own.probe_timeout_ns, now + interval_ns)
        peer, said = self.peers[target], tuple[MemberNews, ...]()
        if own.buddy and peer.standing is SUSPECT:
            said = (MemberNews(target, SUSPECT, peer.incarnation, self.name),)
        return [(target, self._packet(PacketKind.PING, self.number, said=said))]

    def _next_target(self) -> str | None:
        peers = self.peers
        if self.settings.probe_order == "random":
            there = [name for name, peer in peers.items() if peer.standing is not DEAD]
            return there[int(self._draw() * len(there))] if there else None
        for _ in range(2):
            while self.round:
                name = self.round.pop()
                if peers[name].standing is not DEAD:
                    return name
            there = [name for name, peer in peers.items() if peer.standing is not DEAD]
            self.round = self._some(len(there), there)
        return None

    def _ask_others(self, now: int, probe: Probe) -> Sent:
        probe.tries_ns = NEVER
        others = [
            name
            for name, peer in self.peers.items()
            if peer.standing is ALIVE and name != probe.target
        ]
        helpers = self._some(self.settings.indirect_checks, others)
        probe.asked = len(helpers)
        kind = PacketKind.PING_REQ
        return [(name, self._packet(kind, probe.number, probe.target)) for name in helpers]

    def _acked(self, number: int) -> Sent:
        if self.probe is not None and self.probe.number == number:
            self.probe = None
            self._score(-1)
            return []
        favour = self.favours.pop(number, None)
        if favour is None:
            return []
        return [(favour.asker, self._packet(PacketKind.ACK, favour.number))]

    def _regret(self, now: int) -> Sent:
        """Tell whoever asked that the ping for them has no answer."""
        out: Sent = []
        for number, favour in list(self.favours.items()):
            if favour.ends_ns <= now:
                del self.favours[number]
                out.append((favour.asker, self._packet(PacketKind.NACK, favour.number)))
        return out

    def _fail(self, now: int, probe: Probe) -> None:
        """Nobody answered: the target is suspected, and this one too, if helpers were not heard."""
        self.probe = None
        self._score(probe.asked - probe.nacks if probe.asked else 1)
        known = self.peers[probe.target]
        self._suspect(now, MemberNews(probe.target, SUSPECT, known.incarnation, self.name))

    def _score(self, by: int) -> None:
        """The local health: 0 is good."""
        self.score = min(max(0, self.score + by), self.settings.awareness_max - 1)

    # -- what is known of others -----------------------------------------------------------

    def _suspect(self, now: int, news: MemberNews) -> None:
        if news.member == self.name:
            self._refute(now, news)
            return
        peer = self.peers.get(news.member)
        if peer is None or news.incarnation < peer.incarnation:
            return
        suspicion = self.suspicions.get(news.member)
        if suspicion is not None:
            if suspicion.confirm(news.by):
                self._tell(now, news)
            return
        if peer.standing is not ALIVE:
            return
        own, members = self.settings, len(self.others) + 1
        least = least_ns(own, members)
        wanted = confirmations_wanted(own, members)
        most = own.suspicion_max_mult * least
        self.suspicions[news.member] = Suspicion(now, least, most, wanted, [news.by])
        self._change(now, peer, news)

    def _bury(self, now: int, news: MemberNews) -> None:
        if news.member == self.name:
            self._refute(now, news)
            return
        peer = self.peers.get(news.member)
        if peer is None or news.incarnation < peer.incarnation or peer.standing is DEAD:
            return
        self.suspicions.pop(news.member, None)
        self._change(now, peer, news)

    def _revive(self, now: int, news: MemberNews) -> None:
        peer = self.peers.get(news.member)
        if peer is None or news.incarnation <= peer.incarnation:
            return
        self.suspicions.pop(news.member, None)
        self._change(now, peer, news)

    def _change(self, now: int, peer: Peer, news: MemberNews) -> None:
        peer.standing, peer.incarnation, peer.since_ns = news.standing, news.incarnation, now
        self.changes.append(news)
        self._tell(now, news)

    def _refute(self, now: int, news: MemberNews) -> None:
        """It is alive, and says so under a higher number than the accusation has."""
        if news.incarnation >= self.incarnation:
            self.incarnation = news.incarnation + 1
            self._score(1)
            self._tell(now, MemberNews(self.name, ALIVE, self.incarnation, self.name))

    # -- passing on ------------------------------------------------------------------------

    def _tell(self, now: int, news: MemberNews) -> None:
        self.outbox.put(news)
        if self.gossip_ns <= now:
            interval_ns = self.settings.gossip_interval_ns
            self.gossip_ns += ((now - self.gossip_ns) // interval_ns + 1) * interval_ns

    def _gossip(self, now: int) -> Sent:
        self.gossip_ns += self.settings.gossip_interval_ns
        if not self.outbox.pieces:
            return []
        there = [
            name
            for name, peer in self.peers.items()
            if peer.standing is not DEAD or now - peer.since_ns <= TO_THE_DEAD_NS
        ]
        to = self._some(self.settings.gossip_nodes, there)
        return [(name, self._packet(PacketKind.GOSSIP, 0)) for name in to if self.outbox.pieces]

    def _sync(self, now: int) -> Sent:
        """Tell one of the others all that is known, and be told the same."""
        self.sync_ns = now + self.settings.sync_interval_ns
        there = [name for name, peer in self.peers.items() if peer.standing is ALIVE]
        to = self._some(1, there)
        return [(name, GossipPacket(PacketKind.SYNC, 0, "", self._all())) for name in to]

    def _all(self) -> tuple[MemberNews, ...]:
        own = MemberNews(self.name, ALIVE, self.incarnation, self.name)
        rest = self.peers.items()
        return (own, *(MemberNews(n, p.standing, p.incarnation, self.name) for n, p in rest))

    def _packet(
        self, kind: PacketKind, number: int, about: str = "", said: tuple[MemberNews, ...] = ()
    ) -> GossipPacket:
        if not self.outbox.pieces:
            return GossipPacket(kind, number, about, said)
        limit = sendings(self.settings.retransmit_mult, len(self.others) + 1)
        return GossipPacket(kind, number, about, said + self.outbox.take(limit))

    # -- chance ------------------------------------------------------------------------------

    def _draw(self) -> float:
        self.taken += 1
        return uniform(self.seed, self.taken)

    def _some(self, number: int, names: list[str]) -> list[str]:
        """So many of the names (all, if they are fewer), in an order that is drawn."""
        pool = list(names)
        for place in range(min(number, len(pool))):
            other = place + int(self._draw() * (len(pool) - place))
            pool[place], pool[other] = pool[other], pool[place]
        return pool[:number]


SYNCS = (PacketKind.SYNC, PacketKind.SYNCED)
