"""The orchestrator alone, whatever it is told: all of its inputs, late, doubled, of nobody.

Beside it stands an account of its own, kept from orders and answers alone: who may accept writes,
which orders are open, which epochs were given.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hasim.events import (
    AcknowledgeFailover,
    ConfirmOff,
    Copy,
    Demote,
    DemoteResult,
    ExecuteFailover,
    FailoverChanged,
    Fence,
    FenceResult,
    GatewayReport,
    InputRefused,
    LeaseAsked,
    MasterState,
    MasterTraffic,
    Output,
    OwnerChanged,
    Promote,
    PromoteResult,
    RemoveMaster,
    Replica,
    ReplicaReport,
    RollBackFailover,
    RoutingConverged,
    StatusChanged,
    SwitchOver,
    TransferResult,
    TransferState,
    WakeUp,
)
from hasim.model import Cause, Diagnosis, Ownership, Status
from hasim.services.door import InputError
from hasim.services.failover import FailoverOrchestrator, FailoverSettings
from hasim.services.failover.lifecycle import LIFECYCLE, TERMINAL
from hasim.settings import from_plain
from hasim.units import MINUTE, SECOND, format_duration
from tests.services.bench import cluster, demoted, fenced, promoted, whole
from tests.services.machines import at_random
from tests.services.saying import assert_well_formed

MASTERS, PARTITIONS = ("m1", "m2", "m3"), ("p1", "p2", "p3")
FIT = (Status.HEALTHY, Status.SUSPECT)
"""To be promoted once it was chosen: a suspicion since then is no verdict."""
STATUSES = (Status.HEALTHY, Status.SUSPECT, Status.FAILED, Status.RECOVERING, Status.MAINTENANCE)
FENCINGS = ("none", "best-effort", "confirmed", "lease", "token", "step-down", "manual")
LAG_NS = 2 * SECOND
PROOF = ("confirmed", "manual")
"""Nothing is promoted by these before everybody else is known to accept no writes."""
Order = Fence | TransferState | Promote | Demote
Answer = FenceResult | TransferResult | PromoteResult | DemoteResult
OF: dict[type, type] = {
    Fence: FenceResult, TransferState: TransferResult, Promote: PromoteResult, Demote: DemoteResult,
}  # fmt: skip
masters, partitions = st.sampled_from(MASTERS), st.sampled_from(PARTITIONS)
causes = st.sampled_from([Cause.OK] * 4 + [Cause.REFUSED, Cause.ERROR, Cause.TIMEOUT, Cause.RESET])


def about(message: Any) -> str:
    """The master of an order or an answer."""
    return str(getattr(message, "target", None) or message.master)


def same(order: Order, answer: Answer) -> bool:
    """Whether this answers that."""
    return (
        type(answer) is OF[type(order)]
        and answer.term == order.term
        and answer.failover == order.failover
        and about(answer) == about(order)
        and getattr(answer, "epoch", 0) == getattr(order, "epoch", 0)
    )


def is_whole(order: Order, result: TransferResult) -> bool:
    """Whether the transfer brought all that was ordered, as it was sent."""
    assert isinstance(order, TransferState)
    there = {
        copy.partition
        for copy in result.copies
        if copy.received_bytes == copy.source_bytes
        and copy.received_checksum == copy.source_checksum
    }
    return result.cause is Cause.OK and there >= set(order.partitions)


def copies(found: tuple[Copy, ...]) -> st.SearchStrategy[tuple[Copy, ...]]:
    """What may have arrived: all of it, too little, something else, or too few partitions."""
    first, rest = found[0], found[1:]
    wrong = (
        replace(first, received_bytes=first.source_bytes - 1),
        replace(first, received_checksum=first.source_checksum + 1),
        replace(first, behind_ns=LAG_NS + 1),
    )
    return st.sampled_from(
        [found] * 6
        + [(replace(first, behind_ns=LAG_NS), *rest), rest]
        + [(each, *rest) for each in wrong]
    )


class Machine(RuleBasedStateMachine):
    """An orchestrator, a copy that was restored from it, and the account."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.orders: list[Order] = []
        self.open: dict[int, Order] = {}
        self.may: dict[str, dict[str, tuple[int, int]]] = {
            p: {m: (0, 1)} for p, m in zip(PARTITIONS, MASTERS, strict=True)
        }
        """By partition and master: by which order, and under which epoch, it may accept writes."""
        self.epochs = dict.fromkeys(PARTITIONS, 1)
        self.owners = dict(zip(PARTITIONS, MASTERS, strict=True))
        self.statuses = dict.fromkeys(MASTERS, Status.HEALTHY)
        self.states: dict[int, str] = {}
        self.of: dict[int, FailoverChanged] = {}

    @initialize(
        fencing=st.sampled_from(FENCINGS),
        failback=st.sampled_from(["automatic", "manual"]),
        promotion=st.sampled_from(["by-answer", "by-answer", "by-role"]),
        if_none=st.sampled_from(["wait", "fail", "promote"]),
        delay=st.sampled_from(["0s", "3s"]),
        parallel=st.sampled_from([1, 3]),
        lag=st.sampled_from([None, LAG_NS]),
    )
    def begin(
        self,
        fencing: str,
        failback: str,
        promotion: str,
        if_none: str,
        delay: str,
        parallel: int,
        lag: int | None,
    ) -> None:
        self.fencing, self.limited = fencing, lag is not None and if_none != "promote"
        written = {
            "fencing": fencing, "failback": failback, "promotion": promotion, "if_none": if_none,
            "delay": delay, "parallel": parallel,
            "max_lag": None if lag is None else format_duration(lag),
        }  # fmt: skip
        self.settings = from_plain(FailoverSettings, written)
        self.twins = [FailoverOrchestrator(self.settings, cluster(), seed=3)]
        for master in MASTERS:
            self.judge(master, Status.UNKNOWN, Status.HEALTHY)

    # -- what it is told -----------------------------------------------------------------

    @rule(step=st.sampled_from([0, 1, SECOND // 3, SECOND, 10 * SECOND, MINUTE, 20 * MINUTE]))
    def wait(self, step: int) -> None:
        self.now += step
        self.tell(WakeUp())

    @rule(times=st.integers(1, 4))
    def wake(self, times: int) -> None:
        for _ in range(times):
            if (due := self.twins[0].next_wakeup()) is not None:
                self.now = max(self.now, due)
                self.tell(WakeUp())

    @rule(master=masters, status=st.sampled_from(STATUSES))
    def verdict(self, master: str, status: Status) -> None:
        before = self.statuses[master]
        recovers = status is Status.RECOVERING
        if status is not before and (not recovers or before is Status.FAILED):
            self.judge(master, before, status)

    @rule(which=st.integers(0, 3), cause=causes, data=st.data())
    def order_ends(self, which: int, cause: Cause, data: st.DataObject) -> None:
        """One of those that are open, most often the last."""
        if self.open:
            order = list(self.open.values())[-1 - which % len(self.open)]
            self.tell(self.answered(order, cause, data))

    @rule(
        which=st.integers(0, 9),
        cause=causes,
        wrong=st.sampled_from(["", "order", "term", "failover", "epoch", "master"]),
        master=masters,
        data=st.data(),
    )
    def foreign_answer(
        self, which: int, cause: Cause, wrong: str, master: str, data: st.DataObject
    ) -> None:
        """Again, late, or of something that was never asked."""
        if not self.orders:
            return
        answer: Any = self.answered(self.orders[-1 - which % len(self.orders)], cause, data)
        if wrong == "master":
            answer = replace(
                answer, **{"master" if hasattr(answer, "master") else "target": master}
            )
        elif hasattr(answer, wrong or "nothing"):
            answer = replace(answer, **{wrong: getattr(answer, wrong) + 1})
        self.tell(answer)

    @rule(version=st.integers(1, 9))
    def converge(self, version: int) -> None:
        self.hear(
            [twin.handle_failover_event(self.now, RoutingConverged(version)) for twin in self.twins]
        )

    @rule(master=masters, number=st.integers(0, 3), lapses=st.integers(0, 2))
    def lease(self, master: str, number: int, lapses: int) -> None:
        self.tell(LeaseAsked(master, number, lapses))

    @rule(master=masters, partition=partitions, position=st.integers(0, 3))
    def replica(self, master: str, partition: str, position: int) -> None:
        self.tell(ReplicaReport(master, (Replica(partition, position, position, position),)))

    @rule(master=masters, in_flight=st.integers(0, 3))
    def report(self, master: str, in_flight: int) -> None:
        self.tell(
            GatewayReport(
                "local", 1, (MasterTraffic(master, 1, 0, in_flight, 0, Cause.OK, 5, 0),), 1
            )
        )

    @rule(master=masters, accepts=st.booleans())
    def says_what_it_accepts(self, master: str, accepts: bool) -> None:
        """As it would if all that it was told had come, or nothing of it."""
        knows = tuple(
            Ownership(p, master if accepts else "", told[master][1])
            for p, told in self.may.items()
            if master in told
        )
        self.tell(MasterState(master, 1, knows))

    @rule(
        kind=st.sampled_from([ExecuteFailover, RemoveMaster, ConfirmOff, AcknowledgeFailover]),
        master=masters,
    )
    def operate(self, kind: Callable[[str], Any], master: str) -> None:
        self.tell(kind(master))

    @rule(to=masters, of=st.none() | masters)
    def switch_over(self, to: str, of: str | None) -> None:
        self.tell(SwitchOver(to, of, () if of else ("p1",)))

    @rule(back=st.integers(0, 2))
    def roll_back(self, back: int) -> None:
        if self.states:
            self.tell(RollBackFailover(max(self.states) - back))

    @rule(keep=st.booleans())
    def another_goes_on(self, keep: bool) -> None:
        """What was restored is the same; it goes on beside the first, or in its place."""
        frozen = json.loads(json.dumps(self.twins[0].freeze()))
        fresh = FailoverOrchestrator.restore(self.settings, cluster(), frozen, seed=3)
        assert json.loads(json.dumps(fresh.freeze())) == frozen
        assert fresh.next_wakeup() == self.twins[0].next_wakeup()
        self.twins = [self.twins[0], fresh] if keep else [fresh]

    def answered(self, order: Order, cause: Cause, data: st.DataObject | None = None) -> Answer:
        match order:
            case Fence():
                return fenced(order, confirmed=cause is Cause.OK)
            case TransferState() if cause is Cause.OK:
                answer = whole(order)
                return replace(
                    answer, copies=data.draw(copies(answer.copies)) if data else answer.copies
                )
            case TransferState():
                return TransferResult(order.failover, order.target, cause, (), order.order)
            case Promote():
                return promoted(order, cause)
            case Demote():
                return demoted(order, cause)

    # -- telling, and the account --------------------------------------------------------

    def judge(self, master: str, old: Status, new: Status) -> None:
        self.statuses[master] = new
        event = StatusChanged(master, old, new, Diagnosis.NONE, "")
        for twin in self.twins:
            twin.note_verdict(self.now, event)
        self.hear([twin.handle_failover_event(self.now, event) for twin in self.twins])

    def tell(self, item: Any) -> None:
        before = self.twins[0].freeze()
        try:
            said = [twin.step(self.now, item) for twin in self.twins]
        except InputError:
            assert self.twins[0].freeze() == before
            return
        if isinstance(item, Answer):
            asked = self.open.get(item.order)
            if asked is None or not same(asked, item):
                (refused,) = said[0]
                assert isinstance(refused, InputRefused)
                assert self.twins[0].freeze() == before
            else:
                del self.open[item.order]
                self.account(asked, item)
                if isinstance(item, TransferResult) and not self.will_do(asked, item):
                    assert not any(isinstance(out, Promote) for out in said[0])
        elif isinstance(item, ConfirmOff) and not any(isinstance(o, InputRefused) for o in said[0]):
            self.stops(item.master, PARTITIONS)
        elif isinstance(item, MasterState):
            claimed = {own.partition for own in item.knows if own.owner}
            self.stops(item.master, [p for p in PARTITIONS if p not in claimed])
        self.hear(said)

    def will_do(self, order: Order, result: TransferResult) -> bool:
        """Whether what arrived may be promoted."""
        lags = any(copy.behind_ns > LAG_NS for copy in result.copies)
        return is_whole(order, result) and not (lags and self.limited)

    def account(self, order: Order, answer: Answer) -> None:
        """Who accepts no writes any more, by an answer that counts."""
        match answer:
            case FenceResult(confirmed=True):
                self.stops(answer.master, PARTITIONS, told_before=order.order)
            case PromoteResult() if answer.cause not in (Cause.OK, Cause.RESET):
                assert isinstance(order, Promote)
                self.stops(answer.target, order.partitions, below=answer.epoch + 1)
            case DemoteResult(cause=Cause.OK):
                assert isinstance(order, Demote)
                self.stops(answer.target, order.partitions, below=answer.epoch)

    def stops(self, master: str, of: Any, *, told_before: int = 2**62, below: int = 2**62) -> None:
        for partition in of:
            told, epoch = self.may[partition].get(master, (0, 0))
            if told < told_before and epoch < below:
                self.may[partition].pop(master, None)

    # -- what it says --------------------------------------------------------------------

    def hear(self, said: list[list[Output]]) -> None:
        assert all(each == said[0] for each in said), "what was restored goes on otherwise"
        assert_well_formed(said[0])
        for out in said[0]:
            match out:
                case FailoverChanged():
                    self.step(out)
                case OwnerChanged():
                    assert out.epoch <= self.epochs[out.partition]
                    self.owners[out.partition] = out.owner
                case Fence() | TransferState() | Promote() | Demote():
                    self.ordered(out)
        first = self.twins[0]
        assert first.healthy()
        active = first.get_active_failovers()
        assert {f.id for f in active} == {n for n, s in self.states.items() if s not in TERMINAL}
        assert not active or first.next_wakeup() is not None
        busy = [p for f in active for p in f.partitions]
        assert len(busy) == len(set(busy)), "two failovers move one partition"
        assert {p: first.owner_of(p) for p in PARTITIONS} == self.owners

    def step(self, change: FailoverChanged) -> None:
        state = self.states.get(change.failover, "")
        assert change.old == state
        assert state not in TERMINAL
        assert LIFECYCLE[state][change.trigger] == change.new
        assert state or change.failover == max(self.states, default=0) + 1
        if change.trigger in ("selected", "catch-up") and change.candidate != change.master:
            assert self.statuses[change.candidate] is Status.HEALTHY
        self.states[change.failover], self.of[change.failover] = change.new, change

    def ordered(self, order: Order) -> None:
        assert order.order > (self.orders[-1].order if self.orders else 0)
        assert order.term == 1
        self.orders.append(order)
        self.open[order.order] = order
        if isinstance(order, TransferState):
            self.transferred(order)
        elif isinstance(order, Promote):
            self.promotes(order)

    def transferred(self, order: TransferState) -> None:
        """To nobody who has failed; not from itself, nor from an owner that has."""
        change = self.of[order.failover]
        if order.target != change.master:
            assert self.statuses[order.target] in FIT
            assert order.target not in order.sources
            assert set(order.sources) <= {m for m in MASTERS if m != order.target}
            if self.statuses[change.master] is Status.FAILED:
                assert change.master not in order.sources

    def promotes(self, order: Promote) -> None:
        change = self.of[order.failover]
        assert change.candidate == order.target
        assert set(order.partitions) <= set(change.partitions)
        if order.target != change.master:
            assert self.statuses[order.target] in FIT
        for partition in order.partitions:
            assert order.epoch > self.epochs[partition]
            if self.fencing in PROOF:
                assert not set(self.may[partition]) - {order.target}, (partition, self.may)
            self.epochs[partition] = order.epoch
            self.may[partition][order.target] = (order.order, order.epoch)

    # -- the end -------------------------------------------------------------------------

    def teardown(self) -> None:
        """When all masters are healthy, answer and report their copies, every failover ends."""
        if not hasattr(self, "twins"):
            return
        for master in MASTERS:
            self.verdict_at_last(master)
        for _ in range(100):
            while self.open:
                self.tell(self.answered(next(iter(self.open.values())), Cause.OK))
            for master in MASTERS:
                self.says_what_it_accepts_at_last(master)
                for partition in PARTITIONS:  # with a limit of lag nobody is fit by old news
                    self.tell(ReplicaReport(master, (Replica(partition, 3, 3, 0),)))
            if not self.twins[0].get_active_failovers():
                return
            self.now = max(self.now, self.twins[0].next_wakeup() or 0)
            self.tell(WakeUp())
            self.converge_at_last()
        raise AssertionError(self.twins[0].get_active_failovers())

    def verdict_at_last(self, master: str) -> None:
        if self.statuses[master] is not Status.HEALTHY:
            self.judge(master, self.statuses[master], Status.HEALTHY)

    def says_what_it_accepts_at_last(self, master: str) -> None:
        knows = tuple(
            Ownership(p, master, told[master][1]) for p, told in self.may.items() if master in told
        )
        self.tell(MasterState(master, 1, knows))

    def converge_at_last(self) -> None:
        self.hear(
            [twin.handle_failover_event(self.now, RoutingConverged(99)) for twin in self.twins]
        )


TestOrchestrator = Machine.TestCase
TestOrchestrator.settings = at_random(25, 40)


@pytest.mark.slow
class TestOrchestratorLong(Machine.TestCase):
    settings = at_random(3000, 80)
