"""A standing leader by heartbeats and votes: Raft's election, as etcd has it.

Time is counted in ticks of a heartbeat interval, which each observer has a phase of its own in.
There is no log here: what a leader needs to know it learns from masters and gateways when it asks
for its term. (Ongaro and Ousterhout 2014, sections 5.2 and 6; Ongaro 2014, sections 4.2.3, 6.4 and
9.6; github.com/etcd-io/raft, raft.go: Step, stepLeader, stepCandidate, tickElection.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from hasim.events import Input, LeaderElected, ObserverTold, Output, TellObserver, WakeUp
from hasim.model import Cluster, Word
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import Chance
from hasim.services.leadership.leader import Leader, LeaderSettings
from hasim.settings import duration, settings
from hasim.units import MILLISECOND, SECOND

FOLLOWER, PRE_CANDIDATE, CANDIDATE, LEADER = "follower", "pre-candidate", "candidate", "leader"


@settings
class RaftSettings(LeaderSettings):
    """A standing leader; etcd's settings."""

    heartbeat_ns: Annotated[
        int,
        duration(
            "A leader tells the others that it leads this often; all count time in such ticks.",
            source="etcd --heartbeat-interval (100 ms)",
            above=0,
        ),
    ] = 100 * MILLISECOND
    election_timeout_ns: Annotated[
        int,
        duration(
            "Whoever has not heard of a leader for so long, and up to twice as long by a draw, "
            "wants to be one.",
            source="etcd --election-timeout (1 s)",
            above=0,
        ),
    ] = SECOND
    pre_vote: bool = True
    """Whether it first asks if it would be elected, and begins a new ballot only then: one that was
    cut off deposes nobody when it returns. Source: etcd --pre-vote (true from 3.5 on)."""
    check_quorum: bool = True
    """Whether a leader that a majority has not answered for an election timeout stops leading, and
    whether the others elect nobody in that time after they have heard of a leader (its lease).
    Source: etcd (always)."""

    @property
    def timeout_ticks(self) -> int:
        """The election timeout in ticks."""
        return max(1, self.election_timeout_ns // self.heartbeat_ns)


@dataclass(slots=True)
class Raft(Leader):
    """Elects a leader by majority when none is heard of; it acts as long as a majority answers.

    `chief` is the leader that it knows of, `voted` whom it has voted for in the ballot, `reset_ns`
    since when it counts, `votes` who grants, `active` who has answered a leader lately.
    """

    settings: RaftSettings
    leads: bool = False
    ballot: int = 0
    role: str = FOLLOWER
    chief: str = ""
    voted: str = ""
    reset_ns: int = 0
    checked_ns: int = 0
    draws: int = 0
    patience: int = 0
    votes: dict[str, bool] = field(default_factory=dict)
    active: list[str] = field(default_factory=list)
    due_ns: int = NEVER
    me: str = field(init=False, default="")
    peers: tuple[str, ...] = field(init=False, default=())
    chance: Chance | None = field(init=False, default=None)
    phase_ns: int = field(init=False, default=0)

    def meet(self, me: str, cluster: Cluster, chance: Chance) -> None:
        """Whom to ask, and its phase. The first of all leads the first ballot."""
        self.me, self.chance = me, chance
        self.peers = tuple(observer for observer in cluster.observers if observer != me)
        self.phase_ns = int(chance.draw("raft") * self.settings.heartbeat_ns)
        if self.ballot == 0:
            self.ballot, self.chief = 1, (*cluster.observers, me)[0]
            self.voted = self.chief
            self.leads = self.chief == me

    def begin(self, now: int, *, born: bool) -> list[Output]:
        """The first leads; whoever starts later follows, and knows no leader."""
        if born and self.leads:
            return self._lead(now)
        self._follow(now, self.ballot, self.chief if born else "")
        return []

    def outbid(self, now: int) -> None:
        """Somebody acts under a later term."""
        if self.role == LEADER:
            self._follow(now, self.ballot, "")

    def step(self, now: int, item: Input) -> list[Output]:
        """Take what another one says, or a tick."""
        if isinstance(item, ObserverTold):
            return self._told(now, item)
        if type(item) is not WakeUp or now < self.due_ns:
            return []
        return self._beat(now) if self.role == LEADER else self._campaign(now)

    def next_ns(self) -> int:
        """The next heartbeat of a leader; when another one wants to lead."""
        return self.due_ns

    # -- ticks -----------------------------------------------------------------

    def _tick_ns(self, after_ns: int, count: int) -> int:
        """The tick number `count` after a time."""
        tick_ns = self.settings.heartbeat_ns
        return after_ns + tick_ns - (after_ns - self.phase_ns) % tick_ns + (count - 1) * tick_ns

    def _count(self, now: int) -> None:
        """Time without a leader counts from now."""
        self.reset_ns = now
        self.due_ns = self._tick_ns(now, self.patience)

    def _draw(self) -> None:
        assert self.chance is not None
        ticks, self.draws = self.settings.timeout_ticks, self.draws + 1
        self.patience = ticks + int(self.chance.draw("election", self.draws) * ticks)

    def _beat(self, now: int) -> list[Output]:
        ticks = self.settings.timeout_ticks
        if self.settings.check_quorum and now >= self._tick_ns(self.checked_ns, ticks):
            if not self._majority(len(self.active) + 1):
                self._follow(now, self.ballot, "")
                return []
            self.checked_ns, self.active = now, []
        self.due_ns = self._tick_ns(now, 1)
        return self._say(Word.LEADS)

    # -- roles -----------------------------------------------------------------

    def _follow(self, now: int, ballot: int, chief: str) -> None:
        if ballot != self.ballot:
            self.ballot, self.voted = ballot, ""
        self.role, self.leads, self.chief = FOLLOWER, False, chief
        self._draw()
        self._count(now)

    def _campaign(self, now: int) -> list[Output]:
        """No leader was heard of for long enough."""
        self.chief = ""
        self._count(now)
        if self.settings.pre_vote:
            self.role, self.votes = PRE_CANDIDATE, {self.me: True}
            return self._counted(now) or self._say(Word.PRE_VOTE, self.ballot + 1)
        return self._stand(now)

    def _stand(self, now: int) -> list[Output]:
        self.role, self.votes = CANDIDATE, {self.me: True}
        self.ballot, self.voted, self.chief = self.ballot + 1, self.me, ""
        self._draw()
        self._count(now)
        return self._counted(now) or self._say(Word.VOTE)

    def _counted(self, now: int) -> list[Output]:
        """What follows from the votes so far; nothing if they are not enough either way."""
        granted = sum(self.votes.values())
        if self._majority(granted):
            if self.role == PRE_CANDIDATE:
                return self._stand(now)
            voters = tuple(name for name, granting in self.votes.items() if granting)
            reason = "no leader was heard of"
            return [LeaderElected(self.me, self.ballot, voters, reason), *self._lead(now)]
        if self._majority(len(self.votes) - granted):
            self._follow(now, self.ballot, "")
        return []

    def _lead(self, now: int) -> list[Output]:
        self.role, self.leads, self.chief = LEADER, True, self.me
        self.checked_ns, self.active = now, []
        self.due_ns = self._tick_ns(now, 1)
        return self._say(Word.LEADS)

    def _majority(self, count: int) -> bool:
        return 2 * count > len(self.peers) + 1

    # -- words -----------------------------------------------------------------

    def _told(self, now: int, item: ObserverTold) -> list[Output]:
        asks = item.word in (Word.PRE_VOTE, Word.VOTE)
        if item.ballot > self.ballot:
            if asks and self._in_lease(now):
                return []
            if item.word is not Word.PRE_VOTE and not (item.word is Word.PRE_VOTED and item.ok):
                chief = item.peer if item.word is Word.LEADS else ""
                self._follow(now, item.ballot, chief)
        elif item.ballot < self.ballot:
            return self._outdated(item)
        match item.word:
            case Word.PRE_VOTE | Word.VOTE:
                return self._vote(now, item)
            case Word.PRE_VOTED | Word.VOTED:
                wanted = PRE_CANDIDATE if item.word is Word.PRE_VOTED else CANDIDATE
                if self.role == wanted:
                    self.votes.setdefault(item.peer, item.ok)
                    return self._counted(now)
            case Word.LEADS:
                if self.role != FOLLOWER:
                    self._follow(now, item.ballot, item.peer)
                self.chief = item.peer
                self._count(now)
                return [self._word(item.peer, Word.FOLLOWS)]
            case Word.FOLLOWS if self.role == LEADER:
                self.active += [item.peer] * (item.peer not in self.active)
        return []

    def _vote(self, now: int, item: ObserverTold) -> list[Output]:
        if item.word is Word.PRE_VOTE:
            granted = item.ballot > self.ballot
            return [self._word(item.peer, Word.PRE_VOTED, item.ballot, ok=granted)]
        granted = self.voted in ("", item.peer) and self.chief in ("", item.peer)
        if granted:
            self.voted = item.peer
            self._count(now)
        return [self._word(item.peer, Word.VOTED, ok=granted)]

    def _outdated(self, item: ObserverTold) -> list[Output]:
        """One of an earlier ballot is told which there is by now."""
        if item.word is Word.LEADS:
            return [self._word(item.peer, Word.FOLLOWS)]
        if item.word is Word.PRE_VOTE:
            return [self._word(item.peer, Word.PRE_VOTED, ok=False)]
        return []

    def _in_lease(self, now: int) -> bool:
        """Whether a leader was heard of so lately that nobody else is elected."""
        since_ns = self.checked_ns if self.role == LEADER else self.reset_ns
        over_ns = self._tick_ns(since_ns, self.settings.timeout_ticks)
        return self.settings.check_quorum and self.chief != "" and now < over_ns

    def _say(self, word: Word, ballot: int | None = None) -> list[Output]:
        return [self._word(peer, word, ballot) for peer in self.peers]

    def _word(
        self, peer: str, word: Word, ballot: int | None = None, *, ok: bool = True
    ) -> TellObserver:
        return TellObserver(peer, word, self.ballot if ballot is None else ballot, None, ok)
