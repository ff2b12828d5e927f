"""The load balancing service alone, whatever it is told: verdicts, owners, answers, reports.

Beside it stand the gateways, each with what it was sent and has said, and the rules of who may take
messages, written down once more.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hasim.events import (
    AlgorithmSwitched,
    DrainMaster,
    GatewayHello,
    GatewayReport,
    InputRefused,
    MasterTraffic,
    Output,
    OwnerChanged,
    PublishRouting,
    RoutingAck,
    RoutingConverged,
    StatusChanged,
    SwitchAlgorithm,
    UndrainMaster,
    WakeUp,
)
from hasim.model import Cause, Diagnosis, RoutingTable, Status
from hasim.services.balancing import BalancingSettings
from hasim.services.balancing.service import LoadBalancingService
from hasim.services.door import InputError
from hasim.units import SECOND
from tests.services.bench import cluster
from tests.services.machines import at_random
from tests.services.saying import assert_well_formed

MASTERS, PARTITIONS, GATEWAYS = ("m1", "m2", "m3"), ("p1", "p2", "p3"), ("a", "b")
CLUSTER = cluster(3, GATEWAYS)
ALGORITHMS = ("round-robin", "least-loaded", "priority", "geo", "two-choices")
masters, gateways = st.sampled_from(MASTERS), st.sampled_from(GATEWAYS)


class Machine(RuleBasedStateMachine):
    """A service, a copy restored from it, and the gateways that it publishes to."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.sent: dict[str, list[RoutingTable]] = {g: [] for g in GATEWAYS}
        self.acked = dict.fromkeys(GATEWAYS, 1)
        self.lives = dict.fromkeys(GATEWAYS, 1)
        self.newest = 1
        self.last_sent = dict.fromkeys(GATEWAYS, 0)
        self.takes = dict.fromkeys(MASTERS, True)
        self.drains = dict.fromkeys(MASTERS, False)
        self.away: set[str] = set()
        self.owners = dict(zip(PARTITIONS, MASTERS, strict=True))
        self.epoch = 1
        self.counts: dict[tuple[str, str], tuple[int, int, int, int]] = {}
        """By gateway and master: number of the report, answered, failed, in flight."""
        self.sequences = dict.fromkeys(GATEWAYS, (1, 0))

    @initialize(algorithm=st.sampled_from(ALGORITHMS), resend=st.sampled_from([SECOND, 3 * SECOND]))
    def begin(self, algorithm: str, resend: int) -> None:
        self.settings = BalancingSettings(algorithm=algorithm, resend_interval_ns=resend)
        self.algorithm, self.resend = algorithm, resend
        self.twins = [LoadBalancingService(self.settings, CLUSTER)]

    # -- what it is told -----------------------------------------------------------------

    @rule(step=st.sampled_from([0, 1, SECOND // 2, SECOND, 3 * SECOND, 100 * SECOND]))
    def wait(self, step: int) -> None:
        self.now += step
        said = self.tell(WakeUp())
        for gateway in GATEWAYS:
            if self.behind(gateway) and self.now >= self.last_sent[gateway] + self.resend:
                raise AssertionError(f"{gateway} is not told again: {said}")

    @rule()
    def wake(self) -> None:
        if (due := self.twins[0].next_wakeup()) is not None:
            self.now = max(self.now, due)
            self.tell(WakeUp())

    @rule(master=masters, status=st.sampled_from(list(Status)))
    def verdict(self, master: str, status: Status) -> None:
        if status is Status.HEALTHY:
            self.takes[master] = True
            if master in self.away:
                self.drains[master] = False
            self.away.discard(master)
        elif status is Status.MAINTENANCE:  # it serves what it owns until that is moved
            self.takes[master] = self.takes[master] and master in self.owners.values()
            self.drains[master] = self.takes[master]
            self.away.add(master)
        elif status in (Status.FAILED, Status.RECOVERING):
            self.takes[master] = False
        self.event(StatusChanged(master, Status.UNKNOWN, status, Diagnosis.NONE, ""))

    @rule(partition=st.sampled_from(PARTITIONS), master=masters)
    def owner(self, partition: str, master: str) -> None:
        self.owners[partition] = master
        self.epoch += 1
        for each in self.away - set(self.owners.values()):
            if self.takes[each]:
                self.takes[each] = self.drains[each] = False
        self.event(OwnerChanged(partition, master, self.epoch, 1))

    @rule(master=masters, drains=st.booleans())
    def drain(self, master: str, drains: bool) -> None:
        self.drains[master] = drains
        self.tell(DrainMaster(master) if drains else UndrainMaster(master))

    @rule(algorithm=st.sampled_from([*ALGORITHMS, "none"]))
    def switch(self, algorithm: str) -> None:
        if algorithm == "none":
            before = self.twins[0].freeze()
            with pytest.raises(InputError, match="unknown algorithm 'none'"):
                self.twins[0].step(self.now, SwitchAlgorithm(algorithm))
            assert self.twins[0].freeze() == before
            return
        old, self.algorithm = self.algorithm, algorithm
        said = self.tell(SwitchAlgorithm(algorithm))
        told = [AlgorithmSwitched(old, algorithm)] if old != algorithm else []
        assert said[: len(told)] == told

    @rule(gateway=gateways, which=st.integers(0, 2), beside=st.sampled_from([0, 0, 0, 1]))
    def acknowledge(self, gateway: str, which: int, beside: int) -> None:
        """One of the last tables that it was sent, again perhaps, or one that never was."""
        if self.sent[gateway]:
            version = self.sent[gateway][-1 - which % len(self.sent[gateway])].version + beside
            self.ack(RoutingAck(gateway, version, self.lives[gateway]))

    @rule(gateway=gateways, life=st.integers(1, 3), term=st.integers(1, 2))
    def acknowledge_of_another(self, gateway: str, life: int, term: int) -> None:
        """Of another incarnation or term."""
        self.ack(RoutingAck(gateway, self.newest, life, term))

    @rule(gateway=gateways, life=st.integers(1, 3))
    def hello(self, gateway: str, life: int) -> None:
        before = self.twins[0].freeze()
        if life < self.lives[gateway]:
            (refused,) = self.tell(GatewayHello(gateway, life, 0))
            assert isinstance(refused, InputRefused)
            assert self.twins[0].freeze() == before
            return
        self.begins(gateway, life)
        said = self.tell(GatewayHello(gateway, life, 0))
        assert said == [PublishRouting(gateway, self.twins[0].routing.table)]

    @rule(
        gateway=gateways, master=masters, answered=st.integers(0, 3), failed=st.integers(0, 2),
        in_flight=st.integers(0, 3), back=st.sampled_from([0, 0, 1]), life=st.integers(0, 1),
    )  # fmt: skip
    def report(
        self, gateway: str, master: str, answered: int, failed: int, in_flight: int, back: int,
        life: int,
    ) -> None:  # fmt: skip
        """It counts unless a newer one was about the master; one of a new life begins anew."""
        lives, last = self.sequences[gateway]
        at = (lives + life, max(1, last + 1 - 2 * back))
        if at[0] > lives:
            self.counts = {k: v for k, v in self.counts.items() if k[0] != gateway}
        self.sequences[gateway] = max(at, self.sequences[gateway])
        if at[1] > self.counts.get((gateway, master), (0, 0, 0, 0))[0]:
            self.counts[gateway, master] = (at[1], answered, failed, in_flight)
        if at[0] > self.lives[gateway]:
            self.begins(gateway, at[0])
        cause = Cause.ERROR if failed else Cause.OK
        row = MasterTraffic(master, answered, failed, in_flight, failed, cause, 1000, failed)
        self.tell(GatewayReport(gateway, at[1], (row,), at[0]))

    @rule(keep=st.booleans())
    def another_goes_on(self, keep: bool) -> None:
        frozen = json.loads(json.dumps(self.twins[0].freeze()))
        fresh = LoadBalancingService.restore(self.settings, CLUSTER, frozen)
        assert json.loads(json.dumps(fresh.freeze())) == frozen
        assert fresh.next_wakeup() == self.twins[0].next_wakeup()
        assert fresh.get_metrics_report() == self.twins[0].get_metrics_report()
        self.twins = [self.twins[0], fresh] if keep else [fresh]

    # -- telling, and what it says -------------------------------------------------------

    def begins(self, gateway: str, life: int) -> None:
        """It has restarted, or said hello again: it knows no table."""
        lives, _ = self.sequences[gateway]
        if life > lives:
            self.sequences[gateway] = (life, 0)
            self.counts = {k: v for k, v in self.counts.items() if k[0] != gateway}
        self.lives[gateway], self.acked[gateway] = life, 0

    def ack(self, ack: RoutingAck) -> None:
        before = self.twins[0].freeze()
        counts = (
            ack.incarnation == self.lives[ack.gateway]
            and ack.term == 1
            and self.acked[ack.gateway] < ack.version <= self.newest
        )
        if counts:
            self.acked[ack.gateway] = ack.version
        said = self.tell(ack)
        if not counts:
            assert isinstance(said[0], InputRefused)
            assert self.twins[0].freeze() == before
        elif not any(map(self.behind, GATEWAYS)):
            assert said == [RoutingConverged(self.newest)]
        else:
            assert said == []

    def behind(self, gateway: str) -> bool:
        return self.acked[gateway] < self.newest

    def event(self, event: Any) -> None:
        self.hear([twin.handle_event(self.now, event) for twin in self.twins])

    def tell(self, item: Any) -> list[Output]:
        said = [twin.step(self.now, item) for twin in self.twins]
        self.hear(said)
        return said[0]

    def hear(self, said: list[list[Output]]) -> None:
        assert all(each == said[0] for each in said), "what was restored goes on otherwise"
        assert_well_formed(said[0])
        for out in said[0]:
            if isinstance(out, PublishRouting):
                assert out.table.version >= self.newest
                self.newest = out.table.version
                self.sent[out.gateway].append(out.table)
                self.last_sent[out.gateway] = self.now
        first = self.twins[0]
        table = first.routing.table
        assert table.version == self.newest or not GATEWAYS
        assert table.algorithm == self.algorithm == first.algorithm
        assert table.eligible == tuple(m for m in MASTERS if self.takes[m])
        assert table.draining == tuple(m for m in MASTERS if self.drains[m])
        assert {o.partition: o.owner for o in table.owners} == self.owners
        assert first.healthy()
        if any(map(self.behind, GATEWAYS)):
            assert first.next_wakeup() is not None, "nobody is told again"
        load = first.get_load_metrics()
        for master in MASTERS:
            rows = [row for (_, name), row in self.counts.items() if name == master]
            answered, failed, in_flight = (sum(row[i] for row in rows) for i in (1, 2, 3))
            found = load[master]
            assert (found["answered"], found["failed"]) == (answered, failed)
            assert found["in_flight"] == in_flight
            assert found["sent"] == answered + failed + in_flight


TestBalancing = Machine.TestCase
TestBalancing.settings = at_random(40, 40)


@pytest.mark.slow
class TestBalancingLong(Machine.TestCase):
    settings = at_random(3000, 80)
