"""Several leaders-to-be that talk to each other; every word takes 1 ms, unless it is lost."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import json
from collections.abc import Callable

from hasim.events import LeaderElected, ObserverTold, Output, StatusChanged, TellObserver, WakeUp
from hasim.model import Diagnosis, Status
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import chance_of
from hasim.services.frozen import freeze, thaw
from hasim.services.leadership.leader import Leader
from hasim.services.leadership.registry import LEADERS
from hasim.services.leadership.settings import LeadershipSettings
from hasim.units import MILLISECOND
from tests.services.bench import cluster


class Parliament:
    """Observers a, b, c, ... with the same settings; `lost` says which words do not arrive."""

    def __init__(self, count: int, settings: LeadershipSettings, seed: int = 1) -> None:
        self.names = tuple("abcdefghi"[:count])
        made = cluster(3)
        owned = tuple(partition for partition in made.partitions if partition.owner != "m2")
        self._cluster = dataclasses.replace(made, partitions=owned, observers=self.names)
        self.now = 0
        self.lost: Callable[[str, str], bool] = lambda sender, to: False
        self.dead: set[str] = set()
        self.elected: list[tuple[int, LeaderElected]] = []
        self.released: list[tuple[int, str]] = []
        self.seats: dict[str, Leader] = {}
        self._settings, self._seed = settings, seed
        self._order = itertools.count()
        self._words: list[tuple[int, int, str, ObserverTold]] = []
        for name in self.names:
            self.seats[name] = self._seated(name, self._made()(settings.leader))
            self._take(name, self.seats[name].begin(0, born=True))

    @property
    def leaders(self) -> set[str]:
        return {name for name, leader in self.seats.items() if leader.leads} - self.dead

    def judge(self, name: str, master: str, status: Status) -> bool:
        """One of them comes to a verdict; whether that waits for an election."""
        event = StatusChanged(master, Status.HEALTHY, status, Diagnosis.NONE, "silent")
        waits, out = self.seats[name].judged(self.now, event)
        self._take(name, out)
        return waits

    def moved(self, name: str, old: str, new: str) -> None:
        self._take(name, self.seats[name].owns(self.now, {old: False, new: True}))

    def kill(self, name: str) -> None:
        self.dead.add(name)

    def revive(self, name: str) -> None:
        """It starts again, with what it has written down."""
        frozen = json.loads(json.dumps(freeze(self.seats[name])))
        self.seats[name] = self._seated(name, thaw(self._made(), frozen))
        self.dead.discard(name)
        self._take(name, self.seats[name].begin(self.now, born=False))

    def run(self, until_ns: int) -> None:
        while True:
            due = min(((leader.next_ns(), n) for n, leader in self._alive()), default=(NEVER, ""))
            word_ns = self._words[0][0] if self._words else NEVER
            if min(due[0], word_ns) > until_ns:
                self.now = until_ns
                return
            self.now = max(self.now, min(due[0], word_ns))
            if word_ns <= due[0]:
                *_, name, told = heapq.heappop(self._words)
                if name not in self.dead:
                    self._take(name, self.seats[name].step(self.now, told))
            else:
                self._take(due[1], self.seats[due[1]].step(self.now, WakeUp()))

    def _alive(self) -> list[tuple[str, Leader]]:
        return [(name, leader) for name, leader in self.seats.items() if name not in self.dead]

    def _made(self) -> type[Leader]:
        return LEADERS.known[LEADERS.name_of(type(self._settings.leader))]

    def _seated(self, name: str, leader: Leader) -> Leader:
        leader.meet(name, self._cluster, chance_of(self._seed * 100 + ord(name), ()))
        return leader

    def _take(self, name: str, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, LeaderElected):
                self.elected.append((self.now, output))
            elif isinstance(output, TellObserver) and not self.lost(name, output.peer):
                told = ObserverTold(name, output.word, output.ballot, output.master, output.ok)
                word = (self.now + MILLISECOND, next(self._order), output.peer, told)
                heapq.heappush(self._words, word)
        self.released += [(self.now, event.master) for event in self.seats[name].released()]
