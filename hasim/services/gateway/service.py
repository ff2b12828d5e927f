"""The gateway service: applies routing, chooses a master for each attempt, counts, and reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hasim.events import GatewayHello, Input, RoutingAck, SendHello, SendReport, WakeUp
from hasim.model import Cause, Cluster, Ownership, RoutingTable
from hasim.services.balancing.chance import Uniforms, hash_of_number, hash_of_text
from hasim.services.balancing.fleet import Request
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.frozen import as_one_unreadable
from hasim.services.gateway.choice import Choice
from hasim.services.gateway.greeting import Greeting
from hasim.services.gateway.guards.gate import ANSWERED, CANCELLED, FAILED, FULL, ROOM
from hasim.services.gateway.reports import Reports
from hasim.services.routing.standing import Standing
from hasim.services.watch import UNWATCHED, Watch

Draw = Callable[[], float]
"""Gives a uniform in [0, 1) at each call."""


class GatewayService:
    """One gateway's half of balancing: it chooses, counts, and reports.

    It goes by the newest routing table that it was given, and before the first one by what
    the cluster is at the start. `incarnation` is that of its process (`GatewayHello`). `granted` is
    the term that an earlier process of it has granted, and to whose claim: whoever runs it keeps
    that on disk, as Raft keeps currentTerm and votedFor (Ongaro 2014, 3.4). A majority that has
    forgotten its grant would grant the same term twice.
    `draw` gives the uniforms that some algorithms need; without it the service uses a sequence
    of its own, the same for the same gateway.
    """

    def __init__(
        self,
        settings: BalancingSettings,
        cluster: Cluster,
        gateway: str,
        *,
        watch: Watch = UNWATCHED,
        incarnation: int = 1,
        granted: tuple[int, str] = (1, ""),
        draw: Draw | None = None,
    ) -> None:
        self.settings = settings
        self.gateway = gateway
        self.standing = Standing(cluster)
        self.choice = Choice(settings, cluster, gateway, self.standing)
        self.reports = Reports(
            self.standing.ids, gateway, settings.report_interval_ns, watch, incarnation
        )
        self.greeting = Greeting(gateway, incarnation, settings.resend_interval_ns)
        self.refusal = Cause.UNROUTABLE
        self._ids, self._index = self.standing.ids, self.standing.index
        self._uniforms = Uniforms(hash_of_text(gateway))
        self._draw: Draw = draw or self._uniforms
        self._messages = 0
        self._version = 1
        # The highest term heard of, to whom it is granted, and that of the table in use.
        (self._term, self._claim), self._of_term = granted, 1
        self.left_ns = [-1] * len(self._ids)
        """Since when each master may not be sent stateless messages; -1 if it may."""
        self.moved_ns = dict.fromkeys(self.standing.owners, 0)
        """When each partition came to its owner."""
        self.tabled_ns = 0
        """Since when the routing table is in use."""

    # -- attempts ----------------------------------------------------------------

    def select_master(
        self,
        now: int,
        partition: str | None = None,
        *,
        vip: bool = False,
        avoid: str | Sequence[str] | None = None,
        key: str | int | None = None,
        hashed: int | None = None,
        draw: Draw | None = None,
        strict: bool = False,
        again: str | None = None,
        pinned: bool = False,
    ) -> str | None:
        """The master for one attempt, or None: `refusal` then says why (a `Cause`).

        UNROUTABLE: nobody is eligible; OVERFLOW: nobody has room, by the limits. An owned
        message (`partition` given) goes to the owner of its partition if that is
        eligible. `avoid` are masters that failed the message so far, in turn; they are chosen
        only if there is no other, the last one of them least of all, and not even then if
        `strict`. `key` is what hashing algorithms and
        sticky sessions go by (a session, a user); without one each message is a key of
        its own, unless its hash is given as `hashed` (0 to 2**63). `draw` gives this
        attempt's uniforms in place of the service's. `again` takes it as if it were an owner, as
        long as it takes messages, or if it is `pinned` to it.
        """
        owner = -1 if partition is None else self._index[self.standing.owners[partition].owner]
        choice = self.choice
        pinned = pinned and again is not None
        if again is not None and (pinned or choice.fleet.eligible[self._index[again]]):
            owner = self._index[again]
        found = choice.admit(now, owner, pinned=pinned)
        if found != ROOM:
            self.refusal = Cause.OVERFLOW if found == FULL else Cause.UNROUTABLE
            return None
        self.refusal = Cause.UNROUTABLE
        named = (avoid,) if isinstance(avoid, str) else avoid or ()
        avoided = [self._index[master] for master in named]
        index = owner
        if owner < 0:
            if hashed is None:
                hashed = self._hash(key)
            given = draw or self._draw
            draws = tuple([given() for _ in range(choice.draws)])
            index = choice.pick(Request(now, vip, hashed, key is not None, draws), avoided)
        if index < 0 or (strict and avoided and index == avoided[-1]):
            return None
        self.reports.sent(now, index)
        choice.sent(now, index)
        return self._ids[index]

    def send_to(self, now: int, master: str) -> None:
        """A client sends an attempt to a master of its own choice."""
        index = self._index[master]
        self.reports.sent(now, index)
        self.choice.sent(now, index)

    def record_message_corresponded(
        self, now: int, master: str, latency_ns: int
    ) -> list[SendReport]:
        """An attempt was answered after `latency_ns` nanoseconds."""
        index = self._index[master]
        self.choice.ended(now, index, latency_ns, ANSWERED)
        return self.reports.answered(index, latency_ns)

    def record_message_failed(
        self, now: int, master: str, cause: Cause, elapsed_ns: int = 0
    ) -> list[SendReport]:
        """An attempt failed after `elapsed_ns`; what is watched for is reported at once."""
        index = self._index[master]
        self.choice.ended(now, index, elapsed_ns, FAILED)
        return self.reports.failed(now, index, cause)

    def record_message_cancelled(self, now: int, master: str, elapsed_ns: int) -> None:
        """An attempt was given up after `elapsed_ns`, since its twin (hedging) was answered."""
        index = self._index[master]
        self.choice.ended(now, index, elapsed_ns, CANCELLED)
        self.reports.cancelled(index)

    @property
    def opens_ns(self) -> int:
        """When an attempt that was refused (`refusal`) may find room although none ends.

        Nanoseconds: then a breaker lets a trial through, or an ejection may end; `NEVER` if that
        is not to be. Whoever lets attempts wait looks again then, when an attempt ends, and when
        a routing table was applied.
        """
        return int(self.choice.protection.gate.opens_ns)

    # -- what masters tell ---------------------------------------------------------

    def record_load_report(
        self, now: int, master: str, rate: float, error_rate: float, utilisation: float
    ) -> None:
        """A master reports of itself: answers and errors per second, share of busy workers."""
        self.choice.reported(now, self._index[master], rate, error_rate, utilisation)

    def record_load_probe(self, now: int, master: str, in_flight: int, latency_ns: int) -> None:
        """A master answered a load probe: requests at it, and the latency that it expects."""
        self.choice.probed(now, self._index[master], in_flight, latency_ns)

    def take_load_probes(self) -> list[str]:
        """The masters that shall be asked for their load, after the last selection; once."""
        return [self._ids[index] for index in self.choice.take_targets()]

    # -- routing and reports -------------------------------------------------------

    @property
    def version(self) -> int:
        """The version of the routing table in use."""
        return self._version

    @property
    def granted(self) -> tuple[int, str]:
        """The term that it obeys, and to whose claim it is granted: what a restart must not lose.

        To be on disk before an answer of `asked` or `apply_routing` is sent.
        """
        return self._term, self._claim

    def apply_routing(self, now: int, table: RoutingTable) -> RoutingAck:
        """Use `table` unless a newer one is in use; messages in flight are counted on as before.

        One of an older term than was heard of is refused: the answer says what is in use.
        """
        newer = (table.term, table.version) > (self._of_term, self._version)
        if newer and table.term >= self._term:
            if table.term > self._term:
                self._claim = ""  # it has granted that term to nobody yet
            self._term = self._of_term = table.term
            self._version = table.version
            eligible, away = self.standing.eligible[:], self.standing.away[:]
            owners = self.standing.owners
            self.standing.take(table)
            self._note_changes(now, owners)
            now_eligible = self.standing.eligible
            self.reports.back(i for i, was in enumerate(eligible) if now_eligible[i] and not was)
            self.choice.change(now, eligible, away, table.algorithm)
        self.greeting.heard()
        return RoutingAck(self.gateway, self._version, self.greeting.incarnation, self._term)

    def asked(self, term: int, claim: str = "") -> GatewayHello:
        """A control plane asks: no term below its own is obeyed from now on, unless one was heard.

        The answer says what is known here, and which term is obeyed: granted to whose claim.
        """
        if term > self._term or (term == self._term and not self._claim):
            self._term, self._claim = term, claim
        owners = tuple(self.standing.owners.values())
        incarnation = self.greeting.incarnation
        known = (incarnation, self._version, self._term, owners, self._claim)
        return GatewayHello(self.gateway, *known)

    def start(self, now: int) -> list[SendHello]:
        """Say that it is there, until it is sent a routing table: after a restart.

        One that begins together with its control plane need not: they know the same.
        """
        return self.greeting.say(now, self._version)

    def go_down(self, now: int) -> None:
        """The process is killed: it sends nothing to anybody, until `restart`."""
        nobody = [False for _ in self._ids]
        self._stand(now, nobody, [True for _ in self._ids])

    def restart(self, now: int, cluster: Cluster) -> list[SendHello]:
        """A new process takes its place, which knows what the cluster is at the start.

        And the term that was granted, which is on disk. Its counts begin anew, but for what is
        under way, whose answers it will get.
        """
        first, self._version = Standing(cluster), 1
        self._of_term = 1
        self.standing.owners = first.owners
        self.standing.draining[:] = first.draining
        self._stand(now, first.eligible, first.away)
        self.choice.begin(self.settings.algorithm)
        for guard in self.choice.protection.guards:
            guard.back_ns = -1  # as at any start, none of them begins slowly
        self.greeting.incarnation += 1
        self.reports.restart(self.greeting.incarnation)
        return self.start(now)

    def _stand(self, now: int, eligible: Sequence[bool], away: Sequence[bool]) -> None:
        standing = self.standing
        before = standing.eligible[:], standing.away[:]
        standing.eligible[:], standing.away[:] = eligible, away
        self.choice.change(now, *before, self.choice.algorithm)

    def step(self, now: int, item: Input) -> list[SendReport | SendHello]:
        """Take one input at `now` (nanoseconds): a wake-up, for reports and hellos."""
        if not isinstance(item, WakeUp):
            return []
        return [*self.reports.regular(now), *self.greeting.wake(now, self._version)]

    def next_wakeup(self) -> int | None:
        """When a report or a hello is due (nanoseconds)."""
        times = (self.reports.next_wakeup(), self.greeting.next_wakeup())
        return min((time for time in times if time is not None), default=None)

    def healthy(self) -> bool:
        """Whether this service itself is at work: no count has gone below zero."""
        return all(load.in_flight >= 0 for load in self.reports.loads)

    # -- freezing --------------------------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """The whole state as plain data (JSON), from which `restore` goes on."""
        return {
            "standing": self.standing.freeze(),
            "choice": self.choice.freeze(),
            "reports": self.reports.freeze(),
            "greeting": self.greeting.freeze(),
            "uniforms_taken": self._uniforms.taken,
            "messages": self._messages,
            "left_ns": self.left_ns,
            "moved_ns": self.moved_ns,
            "tabled_ns": self.tabled_ns,
            "version": self._version,
            "terms": [self._term, self._of_term],
            "claim": self._claim,
        }

    @classmethod
    def restore(
        cls,
        settings: BalancingSettings,
        cluster: Cluster,
        gateway: str,
        data: dict[str, Any],
        *,
        watch: Watch = UNWATCHED,
        draw: Draw | None = None,
    ) -> GatewayService:
        """The service that `freeze` was called on.

        ValueError for what another version of hasim has frozen.
        """
        service = cls(settings, cluster, gateway, watch=watch, draw=draw)
        with as_one_unreadable():
            service.standing.restore(data["standing"])
            service.reports.restore(data["reports"])
            service.greeting.restore(data["greeting"])
            in_flight = [load.in_flight for load in service.reports.loads]
            service.choice.restore(data["choice"], in_flight)
            service._uniforms.taken = data["uniforms_taken"]
            service._messages, service._version = data["messages"], data["version"]
            service._term, service._of_term = data["terms"]
            service.left_ns, service.moved_ns = list(data["left_ns"]), dict(data["moved_ns"])
            service._claim, service.tabled_ns = data["claim"], data["tabled_ns"]
        return service

    def _note_changes(self, now: int, owners: Mapping[str, Ownership]) -> None:
        """Another routing table is in use."""
        self.tabled_ns = now
        usable = set(self.standing.usable_masters())
        for index, master in enumerate(self._ids):
            if master in usable:
                self.left_ns[index] = -1
            elif self.left_ns[index] < 0:
                self.left_ns[index] = now
        for partition, ownership in self.standing.owners.items():
            if partition not in owners or owners[partition].owner != ownership.owner:
                self.moved_ns[partition] = now

    def _hash(self, key: str | int | None) -> int:
        if key is None:
            self._messages += 1
            return hash_of_number(self._messages)
        return hash_of_number(key) if isinstance(key, int) else hash_of_text(key)
