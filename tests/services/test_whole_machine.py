"""A control plane, whatever it is told in whatever order, late, twice, or by nobody.

Its services are told all of their inputs: answers to orders that stand, stood or never were,
probes, reports, hellos, operations; time goes forward by any step. What must hold is held against
what it said alone.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hasim.events import (
    AddMaster,
    AlertChanged,
    CheckMaster,
    ConnectionClosed,
    Demote,
    DrainMaster,
    ExecuteFailover,
    FailoverChanged,
    Fence,
    GatewayHello,
    GatewayReport,
    Heartbeat,
    Input,
    MasterTraffic,
    ProbeReply,
    Promote,
    PublishRouting,
    RecordFailure,
    RecordRecovery,
    RemoveMaster,
    Replica,
    ReplicaReport,
    RollBackFailover,
    RoutingAck,
    SendProbe,
    ServiceFailed,
    StartMaintenance,
    StatusChanged,
    StopMaintenance,
    SwitchAlgorithm,
    TransferResult,
    TransferState,
    UndrainMaster,
    WakeUp,
)
from hasim.model import Cause, Severity
from hasim.services.balancing import BalancingSettings
from hasim.services.control_plane import ASKING, ControlPlane
from hasim.services.door import InputError
from hasim.services.failover import FailoverSettings
from hasim.services.failover.lifecycle import LIFECYCLE, TERMINAL
from hasim.services.monitoring import MonitorSettings
from hasim.settings import from_plain
from tests.services.bench import cluster, demoted, detection, fenced, promoted, whole
from tests.services.machines import at_random

MASTERS, PARTITIONS = ("m1", "m2", "m3"), ("p1", "p2", "p3")
SECOND = 1_000_000_000
OPERATIONS = (
    StartMaintenance, StopMaintenance, DrainMaster, UndrainMaster, AddMaster, RemoveMaster,
    RecordFailure, RecordRecovery, CheckMaster, ExecuteFailover, RollBackFailover,
    ConnectionClosed,
)  # fmt: skip
CAUSES = st.sampled_from([Cause.OK, Cause.OK, Cause.OK, Cause.REFUSED, Cause.ERROR, Cause.TIMEOUT])
Order = Fence | TransferState | Promote | Demote
FENCINGS = ("none", "best-effort", "confirmed", "token")


class Machine(RuleBasedStateMachine):
    """A control plane, and beside it what it has said."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.orders: list[Order] = []
        self.numbers: set[int] = set()
        self.probes: list[SendProbe] = []
        self.tables: list[PublishRouting] = []
        self.states: dict[int, str] = {}
        self.statuses: dict[str, Any] = {}
        self.alerts: dict[int, tuple[str, Severity]] = {}
        self.epochs: dict[str, int] = dict.fromkeys(PARTITIONS, 1)
        self.versions: dict[str, int] = {}

    @initialize(
        fencing=st.sampled_from(FENCINGS),
        failback=st.sampled_from(["automatic", "manual"]),
        fall=st.integers(1, 2),
        evidence=st.sampled_from([["probe"], ["probe", "messages"], ["messages"]]),
    )
    def begin(self, fencing: str, failback: str, fall: int, evidence: list[str]) -> None:
        written = {"fencing": fencing, "failback": failback}
        self.plane = self.made = ControlPlane(
            cluster(),
            detection(evidence=evidence, fall=fall, rise=1),
            from_plain(FailoverSettings, written),
            BalancingSettings(),
            MonitorSettings(),
        )
        self.hear(self.plane.start(0))

    # -- what it is told -----------------------------------------------------------------

    @rule(step=st.sampled_from([0, 1, 10**6, SECOND // 2, SECOND, 5 * SECOND, 60 * SECOND]))
    def wait(self, step: int) -> None:
        self.now += step
        self.tell(WakeUp())

    @rule(times=st.integers(1, 4))
    def wake(self, times: int) -> None:
        """As often as it wants to be."""
        for _ in range(times):
            if (due := self.plane.next_wakeup()) is not None:
                self.now = max(self.now, due)
                self.tell(WakeUp())

    @rule(which=st.integers(0, 5), cause=CAUSES, beside=st.sampled_from([0, 0, 0, 0, 1]))
    def probe_ends(self, which: int, cause: Cause, beside: int) -> None:
        if self.probes:
            probe = self.probes[-1 - which % len(self.probes)]
            self.tell(ProbeReply(probe.master, probe.probe + beside, cause))

    @rule(
        which=st.integers(0, 6),
        cause=CAUSES,
        foreign=st.sampled_from(["", "", "", "", "order", "term", "failover", "master"]),
        data=st.data(),
    )
    def order_ends(self, which: int, cause: Cause, foreign: str, data: st.DataObject) -> None:
        """One of the last orders is answered, again perhaps, or one that nobody gave."""
        if not self.orders:
            return
        answer = self.answered(self.orders[-1 - which % len(self.orders)], cause)
        if foreign == "master":
            name = "master" if hasattr(answer, "master") else "target"
            answer = replace(answer, **{name: data.draw(st.sampled_from(MASTERS))})
        elif foreign:
            more = data.draw(st.sampled_from([1, 7]))
            answer = replace(answer, **{foreign: getattr(answer, foreign) + more})
        self.tell(answer)

    @rule(which=st.integers(0, 3), beside=st.sampled_from([0, 0, 0, 1, -1]))
    def table_arrives(self, which: int, beside: int) -> None:
        if self.tables:
            told = self.tables[-1 - which % len(self.tables)]
            version = max(0, told.table.version + beside)
            self.tell(RoutingAck(told.gateway, version, term=told.table.term))

    @rule(
        sequence=st.integers(0, 9),
        master=st.sampled_from(MASTERS),
        answered=st.integers(0, 3),
        failed=st.integers(0, 3),
        incarnation=st.sampled_from([1, 1, 1, 2]),
    )
    def report(
        self, sequence: int, master: str, answered: int, failed: int, incarnation: int
    ) -> None:
        cause = Cause.ERROR if failed else Cause.OK
        row = MasterTraffic(master, answered, failed, 0, failed, cause, 1000, failed)
        self.tell(GatewayReport("local", sequence, (row,), incarnation))

    @rule(incarnation=st.integers(1, 3), version=st.integers(0, 3))
    def gateway_says_hello(self, incarnation: int, version: int) -> None:
        self.tell(GatewayHello("local", incarnation, version))

    @rule(master=st.sampled_from(MASTERS), number=st.integers(0, 5))
    def beat(self, master: str, number: int) -> None:
        self.tell(Heartbeat(master, number, self.now))

    @rule(
        master=st.sampled_from(MASTERS),
        partition=st.sampled_from(PARTITIONS),
        position=st.integers(0, 5),
    )
    def replica(self, master: str, partition: str, position: int) -> None:
        self.tell(ReplicaReport(master, (Replica(partition, position, position, 0),)))

    @rule(kind=st.sampled_from(OPERATIONS), master=st.sampled_from(MASTERS))
    def operate(self, kind: type[Any], master: str) -> None:
        self.tell(kind(master))

    @rule(algorithm=st.sampled_from(["round-robin", "least-loaded"]))
    def switch(self, algorithm: str) -> None:
        self.tell(SwitchAlgorithm(algorithm))

    @rule(
        item=st.sampled_from([
            ProbeReply("stranger", 1, Cause.OK), RoutingAck("nowhere", 1), RecordFailure("m9"),
            ProbeReply("m1", -1, Cause.OK),
        ])
    )  # fmt: skip
    def what_cannot_be(self, item: Input) -> None:
        before = self.plane.freeze()
        with pytest.raises(InputError):
            self.plane.step(self.now, item)
        assert self.plane.freeze() == before

    @rule()
    def time_runs_back(self) -> None:
        if self.now and self.plane is self.made:  # whoever is restored has another clock
            before = self.plane.freeze()
            with pytest.raises(InputError):
                self.plane.step(self.now - 1, WakeUp())
            assert self.plane.freeze() == before

    @rule()
    def another_goes_on(self) -> None:
        """What was frozen and restored is the same, and knows all orders and epochs."""
        frozen = json.loads(json.dumps(self.plane.freeze()))
        fresh = self.plane.reborn()
        fresh.restore(frozen)
        assert json.loads(json.dumps(fresh.freeze())) == frozen
        if ASKING in self.plane._due_ns:  # it was outbid, and asks; a new process asks by itself
            return
        assert fresh.next_wakeup() == self.plane.next_wakeup()
        self.plane = fresh

    def answered(self, order: Order, cause: Cause) -> Any:
        match order:
            case Fence():
                return fenced(order, confirmed=cause is Cause.OK)
            case TransferState() if cause is Cause.OK:
                return replace(whole(order), term=order.term)
            case TransferState():
                return TransferResult(
                    order.failover, order.target, cause, (), order.order, order.term
                )
            case Promote():
                return promoted(order, cause)
            case Demote():
                return demoted(order, cause)

    def tell(self, item: Input) -> None:
        with contextlib.suppress(InputError):  # an operation that cannot be: who is not there
            self.hear(self.plane.step(self.now, item))

    # -- what it says --------------------------------------------------------------------

    def hear(self, said: list[Any]) -> None:
        for one in said:
            match one:
                case ServiceFailed():
                    raise AssertionError(one)
                case SendProbe():
                    self.probes.append(one)
                case PublishRouting():
                    assert one.table.version >= self.versions.get(one.gateway, 0)
                    self.versions[one.gateway] = one.table.version
                    self.tables.append(one)
                case StatusChanged():
                    known = self.statuses.get(one.master, one.old)
                    assert (one.old, one.old != one.new) == (known, True)
                    self.statuses[one.master] = one.new
                case AlertChanged():
                    self.alert(one)
                case FailoverChanged():
                    self.step(one)
                case Fence() | TransferState() | Promote() | Demote():
                    self.order(one)

    def step(self, change: FailoverChanged) -> None:
        """Only steps of the table, and none after the end."""
        state = self.states.get(change.failover, "")
        assert change.old == state
        assert state not in TERMINAL
        assert LIFECYCLE[state][change.trigger] == change.new
        self.states[change.failover] = change.new

    def order(self, order: Order) -> None:
        """A number of its own, of a failover that goes on; epochs grow, sources are others."""
        assert order.order not in self.numbers, order
        if isinstance(order, TransferState):
            assert order.target not in order.sources or len(order.sources) == 1
        if isinstance(order, Promote):
            assert self.statuses.get(order.target) not in ("failed", "suspect")
            for partition in order.partitions:
                assert order.epoch > self.epochs[partition], order
                self.epochs[partition] = order.epoch
        self.numbers.add(order.order)
        self.orders.append(order)

    def alert(self, change: AlertChanged) -> None:
        """Raised or of another severity than before, or resolved once; never of two subjects."""
        before = self.alerts.get(change.alert)
        assert before is None or before[0] == change.subject
        assert change.severity != (before[1] if before else Severity.RESOLVED)
        assert before is None or before[1] != Severity.RESOLVED
        self.alerts[change.alert] = (change.subject, change.severity)


TestControlPlane = Machine.TestCase
TestControlPlane.settings = at_random(15, 30)


@pytest.mark.slow
class TestControlPlaneLong(Machine.TestCase):
    settings = at_random(2000, 60)
