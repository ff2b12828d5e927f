"""An election for each failover: Redis Sentinel's votes by epoch.

Whoever holds a master to be objectively down raises the epoch and asks the others for their votes;
each gives one per epoch, to whom asks first. All that is Sentinel's happens at the ticks of a
timer. (redis/src/sentinel.c: sentinelTimer, sentinelStartFailoverIfNeeded, sentinelVoteLeader,
sentinelGetLeader, sentinelFailoverWaitStart, sentinelFailoverSelectSlave.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from hasim.events import (
    Input,
    LeaderElected,
    ObserverTold,
    Output,
    StatusChanged,
    TellObserver,
    WakeUp,
)
from hasim.model import Cluster, Diagnosis, Status, Word
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import Chance
from hasim.services.leadership.leader import Leader, LeaderSettings
from hasim.settings import count, duration, settings
from hasim.units import MINUTE, SECOND

STEPS = 2
"""Ticks from the election to the order of promotion: the replica is selected at one, told at the
next."""


@settings
class SentinelSettings(LeaderSettings):
    """An election for each failover; Sentinel's settings."""

    votes: Annotated[
        int,
        count(
            "A leader needs the votes of so many, and of more than half of all observers.",
            source="Redis Sentinel quorum (2 in its sentinel.conf)",
        ),
    ] = 2
    failover_timeout_ns: Annotated[
        int,
        duration(
            "A master is not failed over again, by whoever has begun or has voted for another, "
            "before twice this time is over.",
            source="Redis Sentinel failover-timeout (180 s)",
            above=0,
        ),
    ] = 3 * MINUTE
    election_timeout_ns: Annotated[
        int,
        duration(
            "An election without a winner is given up after this, or after failover_timeout.",
            source="Redis SENTINEL_ELECTION_TIMEOUT (10 s)",
            above=0,
        ),
    ] = 10 * SECOND
    vote_interval_ns: Annotated[
        int,
        duration(
            "Those that have not given their vote are asked again after this.",
            source="Redis SENTINEL_ASK_PERIOD (1 s)",
            above=0,
        ),
    ] = SECOND
    desync_ns: Annotated[
        int,
        duration(
            "Up to so much later, drawn each time, an attempt counts as begun: not all try again "
            "together.",
            source="Redis SENTINEL_MAX_DESYNC (1 s)",
        ),
    ] = SECOND
    hello_interval_ns: Annotated[
        int,
        duration(
            "What was failed over is told to the others this often, until they know.",
            source="Redis SENTINEL_PUBLISH_PERIOD (2 s)",
            above=0,
        ),
    ] = 2 * SECOND
    timer_hz: Annotated[
        int,
        count(
            "Ticks of the timer in a second: at each the next rate is drawn, from this one to "
            "twice as much less one.",
            source="Redis CONFIG_DEFAULT_HZ (10); sentinelTimer, serverCron",
            most=1000,
        ),
    ] = 10


@dataclass(slots=True)
class Attempt:
    """An election that this observer has begun for one master; times in nanoseconds.

    `steps` counts the ticks since it has won; None: it has not.
    """

    ballot: int
    begun_ns: int
    asked_ns: int
    reason: str
    votes: list[str] = field(default_factory=list)
    steps: int | None = None


@dataclass(slots=True)
class SentinelElection(Leader):
    """An election for each master that is to be failed over; its winner acts until the next one.

    `voted` has the epoch of the last vote, `since_ns` when the last attempt counts as begun, by
    master; `down` what is held to be failed and waits. `standbys` own nothing, and need no
    failover; `led` is the ballot that it won last; `news` has, by observer, which masters own
    something or nothing as that one has not said to know yet.
    """

    settings: SentinelSettings
    leads: bool = False
    ballot: int = 0
    led: int = 0
    tick_ns: int = NEVER
    ticks: int = 0
    voted: dict[str, int] = field(default_factory=dict)
    since_ns: dict[str, int] = field(default_factory=dict)
    down: dict[str, str] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    won: list[str] = field(default_factory=list)
    standbys: list[str] = field(default_factory=list)
    news: dict[str, dict[str, bool]] = field(default_factory=dict)
    hello_ns: int = NEVER
    me: str = field(init=False, default="")
    peers: tuple[str, ...] = field(init=False, default=())
    chance: Chance | None = field(init=False, default=None)

    def meet(self, me: str, cluster: Cluster, chance: Chance) -> None:
        """Whom to ask; at first, standbys are those that own nothing at the start."""
        self.me, self.chance = me, chance
        self.peers = tuple(observer for observer in cluster.observers if observer != me)
        if self.ballot == 0:
            self.ballot = 1
            self.leads = cluster.observers[:1] in ((), (me,))
            self.led = int(self.leads)
            owners = {partition.owner for partition in cluster.partitions}
            self.standbys = [m.id for m in cluster.masters if m.id not in owners]

    def begin(self, now: int, *, born: bool) -> list[Output]:
        """Who starts again leads nothing, and has forgotten what it has begun."""
        if not born:
            self.leads = False
            self.attempts.clear()
            self._plan(now)
        return []

    def judged(self, now: int, event: StatusChanged) -> tuple[bool, list[Output]]:
        """A master that is failed waits for an election, which begins now if it may."""
        master = event.master
        if event.new is not Status.FAILED:
            if event.new is not Status.RECOVERING:
                self.down.pop(master, None)
                self.attempts.pop(master, None)
            self._plan(now)
            return False, []
        self.down[master] = event.reason
        out = self._try(now, master)
        self._plan(now)
        return master not in self.standbys, out

    def step(self, now: int, item: Input) -> list[Output]:
        """Take a question, a vote, the news of a failover, or a wake-up."""
        if isinstance(item, ObserverTold):
            return self._told(now, item)
        if type(item) is not WakeUp or now < self.next_ns():
            return []
        out: list[Output] = []
        if now >= self.tick_ns:
            self.ticks, self.tick_ns = self.ticks + 1, NEVER
            for master in list(self.attempts):
                out += self._tick(now, master)
        if now >= self.hello_ns:
            out += self._hello(now)
        for master in list(self.down):
            out += self._try(now, master)
        self._plan(now)
        return out

    def released(self) -> list[StatusChanged]:
        """What was won, if it is still held to be failed."""
        won, self.won = self.won, []
        failed, none = Status.FAILED, Diagnosis.NONE
        return [StatusChanged(m, failed, failed, none, self.down[m]) for m in won if m in self.down]

    def owns(self, now: int, owners: Mapping[str, bool]) -> list[Output]:
        """The others are told until they say that they know (Sentinel's hello messages)."""
        changed = {m: owns for m, owns in owners.items() if owns == (m in self.standbys)}
        for master, owning in changed.items():
            self._known(master, owns=owning)
        for peer in self.peers if changed else ():
            self.news.setdefault(peer, {}).update(changed)
        return self._hello(now) if changed else []

    def next_ns(self) -> int:
        """The next tick while an election is under way, else when one may begin."""
        waiting = (self._may_ns(master) for master in self.down if self._wants(master))
        return min([self.tick_ns, self.hello_ns, *waiting])

    # -- inside ----------------------------------------------------------------

    def _try(self, now: int, master: str) -> list[Output]:
        """Begin an election, unless an attempt was begun too lately."""
        if not self._wants(master) or now < self._may_ns(master):
            return []
        self.ballot += 1
        self._begun(now, master)
        self.voted[master] = self.ballot
        self.attempts[master] = Attempt(self.ballot, now, now, self.down[master], [self.me])
        return [self._tell(peer, Word.VOTE, master) for peer in self.peers]

    def _tick(self, now: int, master: str) -> list[Output]:
        """Count the votes; once it has won, select at one tick, and order at the next."""
        attempt = self.attempts[master]
        if attempt.steps is not None:
            attempt.steps += 1
            if attempt.steps == STEPS:
                del self.attempts[master]
                self.leads, self.led = True, attempt.ballot
                self.won.append(master)
            return []
        if len(attempt.votes) >= self._needed:
            attempt.steps = 0
            return [LeaderElected(self.me, attempt.ballot, tuple(attempt.votes), attempt.reason)]
        if now - attempt.begun_ns >= self._patience_ns:
            del self.attempts[master]
            return []
        if now - attempt.asked_ns < self.settings.vote_interval_ns:
            return []
        attempt.asked_ns = now
        silent = [peer for peer in self.peers if peer not in attempt.votes]
        return [self._tell(peer, Word.VOTE, master, attempt.ballot) for peer in silent]

    def _told(self, now: int, item: ObserverTold) -> list[Output]:
        master, out = item.master, list[Output]()
        if master is None:
            return []
        match item.word:
            case Word.VOTE:
                self.ballot = max(self.ballot, item.ballot)
                granted = self.voted.get(master, 0) < item.ballot == self.ballot
                if granted:
                    self.voted[master] = item.ballot
                    self.attempts.pop(master, None)
                    self._begun(now, master)
                out = [self._tell(item.peer, Word.VOTED, master, item.ballot, ok=granted)]
            case Word.VOTED:
                attempt = self.attempts.get(master)
                if attempt and item.ok and attempt.ballot == item.ballot:
                    attempt.votes += [item.peer] * (item.peer not in attempt.votes)
            case Word.OWNS:
                self.ballot = max(self.ballot, item.ballot)
                self.leads = self.leads and item.ballot <= self.led
                self._known(master, owns=item.ok)
                out = [self._tell(item.peer, Word.HEARD, master, ok=item.ok)]
                out += self._try(now, master) if master in self.down else []
            case Word.HEARD:
                news = self.news.get(item.peer, {})
                if news.get(master) == item.ok:
                    del news[master]
        self._plan(now)
        return out

    def _wants(self, master: str) -> bool:
        """Whether an election is wanted: for a standby there is nothing to fail over."""
        return master not in self.attempts and master not in self.standbys

    def _known(self, master: str, *, owns: bool) -> None:
        self.standbys = [m for m in self.standbys if m != master] + [master] * (not owns)
        if not owns:
            self.attempts.pop(master, None)

    def _hello(self, now: int) -> list[Output]:
        told = [(p, m, owns) for p, news in self.news.items() for m, owns in news.items()]
        self.hello_ns = now + self.settings.hello_interval_ns if told else NEVER
        led = self.led
        return [self._tell(peer, Word.OWNS, master, led, ok=owns) for peer, master, owns in told]

    def _begun(self, now: int, master: str) -> None:
        """An attempt, one's own or another's, counts as begun a little later."""
        assert self.chance is not None
        draw = self.chance.draw(f"desync:{master}", self.ballot)
        self.since_ns[master] = now + int(draw * self.settings.desync_ns)

    def _may_ns(self, master: str) -> int:
        """When an election may begin (nanoseconds)."""
        since_ns = self.since_ns.get(master)
        return 0 if since_ns is None else since_ns + 2 * self.settings.failover_timeout_ns

    def _plan(self, now: int) -> None:
        """The timer matters while an election is under way; its next tick is drawn."""
        if not self.attempts:
            self.tick_ns = NEVER
        elif self.tick_ns == NEVER:
            assert self.chance is not None
            base = self.settings.timer_hz
            hz = base + int(self.chance.draw("timer", self.ticks) * base)
            self.tick_ns = now + 1000 // hz * (SECOND // 1000)

    @property
    def _patience_ns(self) -> int:
        return min(self.settings.election_timeout_ns, self.settings.failover_timeout_ns)

    @property
    def _needed(self) -> int:
        return max(self.settings.votes, (len(self.peers) + 1) // 2 + 1)

    def _tell(
        self, peer: str, word: Word, master: str, ballot: int | None = None, *, ok: bool = True
    ) -> TellObserver:
        return TellObserver(peer, word, self.ballot if ballot is None else ballot, master, ok)
