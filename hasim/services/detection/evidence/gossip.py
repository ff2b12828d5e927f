"""Gossip as evidence: the masters and the observers are members, and watch each other (SWIM)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from hasim.events import GossipHeard, Input, Output, SendGossip
from hasim.model import Cause, Cluster, MemberStanding, Status
from hasim.services.detection.evidence.source import Judge, Source, SourceSettings
from hasim.services.detection.gossip.member import Member, Sent
from hasim.services.detection.gossip.settings import SwimSettings
from hasim.services.detection.gossip.suspicion import least_ns
from hasim.services.frozen import freeze, thaw
from hasim.settings import settings

MOST_PASSES = 100
"""News that a member is alive again is worth as many checks as acquit it, but no more than this."""


@settings
class GossipSettings(SwimSettings, SourceSettings):
    """SWIM's members are the masters and the observers; memberlist's settings for a LAN."""

    @property
    def period_ns(self) -> int:
        """The probe interval."""
        return self.probe_interval_ns

    @property
    def news_ns(self) -> int:
        """Until a suspicion is over that began just before the cure, in a crowd of ten."""
        return self.suspicion_max_mult * least_ns(self, 10) + self.sync_interval_ns


class Gossip(Source):
    """Takes part as a member: suspicions are failed checks, deaths convict, the living are heard.

    A verdict is what this observer's member holds, whoever found it out (a Consul server does so).
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset({GossipHeard})
    WHAT: ClassVar[str] = "member"

    settings: GossipSettings

    def __init__(self, settings: GossipSettings, judge: Judge, cluster: Cluster) -> None:
        self.settings = settings
        self._judge = judge
        self._masters = {master.id for master in cluster.masters}
        names = members_of(cluster)
        own = judge.observer or names[-1]
        others = tuple(name for name in names if name != own)
        seed = int(judge.chance.draw("gossip") * 2**53)
        self._member = Member(settings, own, others, seed)
        self._begun = False

    def begin(self, now: int, master: str) -> list[Output]:
        """Everybody is alive until somebody says otherwise."""
        if not self._begun:
            self._begun = True
            self._member.begin(now)
        return self._alive(now, master)

    def step(self, now: int, item: Input) -> list[Output]:
        """A packet of another member."""
        assert isinstance(item, GossipHeard)
        return self._done(now, self._member.heard(now, item.sender, item.packet))

    def wake(self, now: int) -> list[Output]:
        """What the member has to do by now."""
        return self._done(now, self._member.wake(now))

    def next_ns(self) -> int:
        """When the member is due."""
        return self._member.next_ns()

    def concerns(self, item: Input) -> Iterable[str] | None:
        """Any: news can be of everybody."""
        return None

    def report(self, master: str) -> dict[str, object]:
        """What the member holds of the master, and how well it is itself (0 is good)."""
        peer = self._member.peers.get(master)
        standing = "" if peer is None else peer.standing.value
        return {"standing": standing, "local_health": self._member.score}

    def freeze(self) -> Any:
        """The member."""
        return {"begun": self._begun, "member": freeze(self._member)}

    def thaw(self, data: Any) -> None:
        """Go on as the member that was frozen."""
        self._begun = data["begun"]
        own = data["member"] | {"settings": None}
        self._member = thaw(Member, own)
        self._member.settings = self.settings

    def _done(self, now: int, sent: Sent) -> list[Output]:
        """What is to be sent, and what follows from what was found."""
        out: list[Output] = [SendGossip(member, packet) for member, packet in sent]
        found, self._member.changes = self._member.changes, []
        for news in found:
            if news.member not in self._masters:
                continue
            if news.standing is MemberStanding.ALIVE:
                out += self._alive(now, news.member)
                continue
            reason = f"{news.by} holds it to be {news.standing.value}"
            tell = self._judge.failed
            if news.standing is MemberStanding.DEAD:
                tell = self._judge.convicted
            out += tell(now, news.member, self, Cause.TIMEOUT, reason)
        return out

    def _alive(self, now: int, master: str) -> list[Output]:
        peer, out = self._member.peers[master], list[Output]()
        for _ in range(MOST_PASSES):
            if self._judge.status(master) in (Status.HEALTHY, Status.MAINTENANCE):
                break
            out += self._judge.passed(now, master, self, peer.incarnation, 0)
        return out


def members_of(cluster: Cluster) -> tuple[str, ...]:
    """All members: the masters, and then the observers."""
    return (*(master.id for master in cluster.masters), *(cluster.observers or ("observer",)))
