"""A crowd of members on a plain network: what is sent takes a millisecond, and nothing is lost.

Members can be blocked, as those in Lifeguard's experiments are: whatever they send or are sent
waits until they go on, while their timers ring.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from hasim.model import MemberStanding
from hasim.services.balancing.chance import mix
from hasim.services.detection.gossip.member import Member
from hasim.services.detection.gossip.settings import SwimSettings
from hasim.units import MILLISECOND


class Crowd:
    """Members m0, m1, ..., and what they declare: (time, who, news)."""

    def __init__(self, settings: SwimSettings, count: int, seed: int) -> None:
        names = [f"m{n}" for n in range(count)]
        self.members = {
            name: Member(settings, name, tuple(o for o in names if o != name), mix(seed * 1000 + n))
            for n, name in enumerate(names)
        }
        self.now = 0
        self.dead: set[str] = set()
        self.blocked: set[str] = set()
        self.packets = 0
        self.deaths: list[tuple[int, str, str]] = []
        self._waiting: dict[str, list[tuple[str, str, Any]]] = {name: [] for name in names}
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._rings: dict[str, int] = {}
        for member in self.members.values():
            member.begin(0)
            self._ring(member)

    def at(self, time_ns: int, what: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (time_ns, next(self._numbers), what))

    def run(self, until_ns: int) -> None:
        while self._heap and self._heap[0][0] <= until_ns:
            self.now, _, what = heapq.heappop(self._heap)
            what()
        self.now = until_ns

    def block(self, name: str) -> None:
        self.blocked.add(name)

    def go_on(self, name: str) -> None:
        self.blocked.discard(name)
        waiting, self._waiting[name] = self._waiting[name], []
        for source, to, packet in waiting:
            self._carry(source, to, packet) if source == name else self._arrive(source, to, packet)

    def _ring(self, member: Member) -> None:
        at = max(self.now, member.next_ns())
        if self._rings.get(member.name) != at:
            self._rings[member.name] = at
            self.at(at, lambda: self._wake(member.name, at))

    def _wake(self, name: str, at: int) -> None:
        if name in self.dead or self._rings.get(name) != at:
            return
        del self._rings[name]
        member = self.members[name]
        self._send(member, member.wake(self.now))
        self._ring(member)

    def _send(self, member: Member, sent: list[tuple[str, Any]]) -> None:
        for to, packet in sent:
            if member.name in self.blocked:
                self._waiting[member.name].append((member.name, to, packet))
            else:
                self._carry(member.name, to, packet)
        for news in member.changes:
            if news.standing is MemberStanding.DEAD:
                self.deaths.append((self.now, member.name, news.member))
        member.changes.clear()

    def _carry(self, source: str, to: str, packet: Any) -> None:
        self.packets += 1
        self.at(self.now + MILLISECOND, lambda: self._arrive(source, to, packet))

    def _arrive(self, source: str, to: str, packet: Any) -> None:
        if to in self.dead:
            return
        if to in self.blocked:
            self._waiting[to].append((source, to, packet))
            return
        member = self.members[to]
        self._send(member, member.heard(self.now, source, packet))
        self._ring(member)
