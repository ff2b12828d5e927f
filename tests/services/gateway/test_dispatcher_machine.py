"""Whatever happens to a dispatcher, in whatever order: what must hold, holds."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hasim.model import Cause, RoutingTable
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.addresses import OPENS
from hasim.services.gateway.dispatcher import Dispatcher
from hasim.services.gateway.effects import Cancel, Send, Settle
from hasim.services.gateway.guards import BreakerSettings, LimitSettings
from hasim.services.gateway.rules import HEDGED, NEVER
from hasim.services.gateway.service import GatewayService
from hasim.services.gateway.settings import FAILURES as FAILED
from hasim.services.gateway.settings import (
    ClientSettings,
    ConnectionSettings,
    DispatcherSettings,
    DnsSettings,
    HedgeSettings,
    HoldSettings,
    RetryLayer,
    RetrySettings,
)
from hasim.services.watch import Watch
from tests.services.bench import cluster
from tests.services.machines import at_random

TIMEOUT_NS, DEADLINE_NS = 100, 300
MASTERS = ("m1", "m2", "m3")
LAYER: dict[str, Any] = {
    "on": st.just(FAILED) | st.lists(st.sampled_from(FAILED), unique=True).map(tuple),
    "master": st.sampled_from(["another", "same", "same-then-another", "pinned"]),
    "backoff_ns": st.sampled_from([0, 20, 200]),
    "growth": st.sampled_from([1.0, 2.0]),
    "jitter": st.sampled_from([0.0, 0.5, 1.0]),
}
NAMED = ClientSettings(number=2, dns=DnsSettings(ttl_ns=80))
CONNECTED = ClientSettings(
    number=2, dns=DnsSettings(ttl_ns=50), connections=ConnectionSettings(lifetime_ns=120)
)
FAILURES = [Cause.ERROR, Cause.REFUSED, Cause.RESET, Cause.REJECTED, Cause.NOT_OWNER]


class Machine(RuleBasedStateMachine):
    """A dispatcher, and beside it what is known of each attempt without it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.arrived: dict[int, int] = {}
        self.settled: dict[int, Settle] = {}
        self.sent: dict[int, Send] = {}
        self.open: dict[int, Send] = {}
        self.unconnected: dict[int, int] = {}
        """Until when each attempt must have a connection."""
        self.retries = self.hedges = 0
        self.version = 1

    @initialize(
        algorithm=st.sampled_from(["round-robin", "least-loaded", "two-choices", "maglev"]),
        retry=st.builds(
            RetrySettings,
            attempts=st.integers(1, 3),
            **LAYER,
            inner=st.none() | st.builds(RetryLayer, attempts=st.integers(1, 2), **LAYER),
            budget=st.sampled_from([None, 0.0, 0.5, 1.0]),
            reserve=st.sampled_from([1.0, 5.0]),
            most_active=st.sampled_from([0, 1]),
        ),
        connect_ns=st.sampled_from([0, 40]),
        hold=st.builds(
            HoldSettings, most=st.sampled_from([0, 0, 3]), for_ns=st.sampled_from([60, 250])
        ),
        clients=st.sampled_from([None, None, NAMED, CONNECTED]),
        hedge=st.builds(
            HedgeSettings,
            after_ns=st.sampled_from([0, 30, 100]),
            budget=st.just(0.5),
            reserve=st.sampled_from([1.0, 5.0]),
        ),
        limits=st.builds(
            LimitSettings,
            max_concurrency=st.integers(0, 2),
            max_requests=st.sampled_from([0, 3]),
            max_queue=st.sampled_from([0, 1, 4]),
        ),
        breaker=st.sampled_from([None, BreakerSettings(failures=2, base_ns=50, max_ns=200)]),
    )
    def begin(
        self,
        algorithm: str,
        retry: Any,
        connect_ns: int,
        hold: Any,
        clients: Any,
        hedge: Any,
        limits: Any,
        breaker: Any,
    ) -> None:
        self.balancing = BalancingSettings(
            algorithm=algorithm, limits=limits, breaker=breaker, table_size=251
        )
        self.rules_of = DispatcherSettings(
            timeout_ns=TIMEOUT_NS,
            connect_timeout_ns=connect_ns,
            deadline_ns=DEADLINE_NS,
            retry=retry,
            hedge=hedge,
            hold=hold,
            clients=clients,
        )
        self.gateway = GatewayService(self.balancing, cluster(3), "local", watch=Watch(1))
        self.dispatcher = Dispatcher(self.gateway, self.rules_of)

    # -- what happens ----------------------------------------------------------------

    @rule(
        partition=st.sampled_from([None, None, "p1", "p2"]),
        vip=st.booleans(),
        client=st.integers(0, 1),
    )
    def arrive(self, partition: str | None, vip: bool, client: int) -> None:
        number = len(self.arrived)
        self.arrived[number] = self.now
        self.perform(self.dispatcher.arrived(self.now, number, partition, vip=vip, client=client))

    @rule(which=st.integers(0), cause=st.sampled_from([Cause.OK, *FAILURES]))
    def answer(self, which: int, cause: Cause) -> None:
        """Any attempt that was ever sent, however often."""
        if self.sent:
            attempt = list(self.sent)[which % len(self.sent)]
            awaited = self.open.pop(attempt, None) is not None
            effects = self.dispatcher.answered(self.now, attempt, cause)
            assert awaited or effects == []
            self.perform(effects)

    @rule(which=st.integers(0))
    def connect(self, which: int) -> None:
        """Any attempt that is open is accepted by a host."""
        if self.open and self.rules_of.connect_timeout_ns:
            attempt = list(self.open)[which % len(self.open)]
            del self.unconnected[attempt]
            assert self.dispatcher.connected(self.now, attempt) == []
            self.unconnected[attempt] = NEVER

    @rule(eligible=st.sets(st.sampled_from(MASTERS)))
    def reroute(self, eligible: set[str]) -> None:
        owners = tuple(self.gateway.standing.owners.values())
        named = tuple(sorted(eligible))
        self.version += 1
        table = RoutingTable(self.version, named, owners, self.balancing.algorithm)
        self.gateway.apply_routing(self.now, table)
        self.perform(self.dispatcher.rerouted(self.now))

    @rule(by_ns=st.integers(0, 150))
    def let_time_pass(self, by_ns: int) -> None:
        self.run_until(self.now + by_ns)

    @rule()
    def freeze_and_restore(self) -> None:
        data = json.loads(json.dumps([self.gateway.freeze(), self.dispatcher.freeze()]))
        self.gateway = GatewayService.restore(
            self.balancing, cluster(3), "local", data[0], watch=Watch(1)
        )
        again = Dispatcher.restore(self.gateway, self.rules_of, data[1])
        assert again.next_wakeup() == self.dispatcher.next_wakeup()
        assert again.freeze() == self.dispatcher.freeze()
        self.dispatcher = again

    # -- what is done ------------------------------------------------------------------

    def run_until(self, time_ns: int) -> None:
        while (wakeup := self.dispatcher.next_wakeup()) and wakeup.time_ns <= time_ns:
            assert wakeup.time_ns >= self.now
            self.now = wakeup.time_ns
            for attempt, send in list(self.open.items()):
                if min(send.expires_ns, self.unconnected[attempt]) <= self.now:
                    del self.open[attempt]
            self.perform(self.dispatcher.woken(self.now, wakeup))
        self.now = time_ns

    def perform(self, effects: list[Any]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self.take(effect)
            elif isinstance(effect, Cancel):
                assert self.open.pop(effect.attempt).master == effect.master
            elif isinstance(effect, Settle):
                assert effect.message in self.arrived
                assert effect.message not in self.settled
                self.settled[effect.message] = effect
        if (wakeup := self.dispatcher.next_wakeup()) and wakeup.time_ns <= self.now:
            self.run_until(self.now)

    def take(self, send: Send) -> None:
        each = self.rules_of.retry.total
        assert send.attempt not in self.sent
        assert send.message == send.attempt % HEDGED // each
        assert send.message not in self.settled
        assert send.expires_ns == self.now + TIMEOUT_NS
        clients = self.rules_of.clients
        assert clients or self.gateway.standing.is_eligible(send.master) or self.clings(send)
        twin = self.open.get(send.attempt - HEDGED)
        if send.attempt >= HEDGED:
            self.hedges += 1
            assert twin is not None
            assert twin.master != send.master
        elif send.attempt % each:
            self.retries += 1
            begun_late = self.now >= self.arrived[send.message] + DEADLINE_NS
            waits = self.balancing.limits.max_queue or self.rules_of.hold.most
            assert not begun_late or waits
        self.sent[send.attempt] = self.open[send.attempt] = send
        connect_ns = self.rules_of.connect_timeout_ns
        opens = connect_ns and send.opened_ns == OPENS
        self.unconnected[send.attempt] = self.now + connect_ns if opens else NEVER
        assert send.opened_ns == OPENS or send.opened_ns <= self.now

    def clings(self, send: Send) -> bool:
        """Whether it is a retry that is pinned to a master that the message had before."""
        retry = self.rules_of.retry
        pinned = "pinned" in (retry.master, retry.inner.master if retry.inner else "")
        before = {each.master for each in self.sent.values() if each.message == send.message}
        return pinned and send.master in before

    # -- what must hold ------------------------------------------------------------------

    @invariant()
    def in_flight_is_what_is_open(self) -> None:
        for master, load in zip(MASTERS, self.gateway.reports.loads, strict=True):
            assert load.in_flight == sum(s.master == master for s in self.open.values())
            assert load.sent == sum(s.master == master for s in self.sent.values())

    @invariant()
    def every_message_is_under_way_or_settled(self) -> None:
        under_way = {message.number for message in self.dispatcher.under_way()}
        assert under_way == self.arrived.keys() - self.settled.keys()
        assert not under_way or self.dispatcher.next_wakeup() is not None

    @invariant()
    def limits_and_budgets_are_kept(self) -> None:
        limits, retry = self.balancing.limits, self.rules_of.retry
        frozen = self.dispatcher.freeze()
        assert len(frozen["line"]) <= max(limits.max_queue, self.rules_of.hold.most)
        if not self.rules_of.clients:  # they send where they are connected to
            for load in self.gateway.reports.loads:
                assert load.in_flight <= limits.max_concurrency or limits.max_concurrency == 0
            assert len(self.open) <= limits.max_requests or limits.max_requests == 0
        messages, hedge = len(self.arrived), self.rules_of.hedge
        share = retry.budget
        if share is not None:
            assert self.retries <= (retry.reserve + share * messages if share else 0)
        assert self.hedges <= (hedge.reserve + hedge.budget * messages if hedge.on else 0)
        assert 0 <= frozen["retries"]["active"] <= (retry.most_active or messages)

    def teardown(self) -> None:
        if not hasattr(self, "dispatcher"):
            return
        while (wakeup := self.dispatcher.next_wakeup()) is not None:
            self.run_until(wakeup.time_ns)
        assert self.settled.keys() == self.arrived.keys()
        assert self.open == {}
        assert self.gateway.healthy()
        assert sum(self.dispatcher.causes.values()) == len(self.sent)
        assert self.dispatcher.freeze()["retries"]["active"] == 0
        for number, end in self.settled.items():
            assert end.tries <= 2 * self.rules_of.retry.total
            sent = [s for s in self.sent.values() if s.message == number]
            assert end.master == "" if not sent else end.master in {s.master for s in sent}


TestMachine = Machine.TestCase
TestMachine.settings = at_random(40, 40)
