"""A control plane that starts among masters at work, or from a snapshot: it asks, then it acts."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from hasim.events import (
    AskGateway,
    AskMaster,
    CancelFence,
    Demote,
    Effect,
    FailoverChanged,
    Fence,
    FenceResult,
    GatewayHello,
    InputRefused,
    MasterState,
    OwnerChanged,
    ProbeStretch,
    Promote,
    PromoteResult,
    PublishRouting,
    RecordFailure,
    RecordRecovery,
    RoutingAck,
    RoutingConverged,
    ServiceFailed,
    StatusChanged,
    TermBegun,
    TermEnded,
    TransferState,
    WakeUp,
)
from hasim.model import Cause, Ownership, RoutingTable, Status
from hasim.services.accession import Accession, AccessionSettings
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.control_plane import ControlPlane
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.services.gateway.service import GatewayService
from hasim.times import Times
from hasim.units import HOUR, MILLISECOND, MINUTE, SECOND
from tests.services.bench import Bench, cluster
from tests.services.members import Members

CLUSTER = cluster(3, ("near", "far"))
FAILED = Status.FAILED
ORDERS = (Fence, TransferState, Promote, Demote, PublishRouting)


def plane(**failover: Any) -> ControlPlane:
    return ControlPlane(CLUSTER, failover=FailoverSettings(**failover))


def bench(control_plane: ControlPlane | None = None) -> tuple[Bench, Members]:
    """One that has started together with its cluster."""
    made, members = Bench(control_plane or plane()), Members(CLUSTER)
    members.serve(made)
    made.run(SECOND)
    return made, members


def reborn(old: Bench, members: Members, *, snapshot: Any = None) -> Bench:
    """Another control plane in its place, 1 s later: without a memory, or with a snapshot."""
    control_plane = old.control_plane.reborn()
    if snapshot is not None:
        control_plane.restore(json.loads(json.dumps(snapshot)))
    made = Bench.__new__(Bench)
    made.__dict__.update(old.__dict__)
    made.control_plane, made.outputs, made._pending = control_plane, [], []
    members.serve(made)
    made.now += SECOND
    made._take(control_plane.resume(made.now))
    return made


def ordered(made: Bench, *kinds: type) -> list[Any]:
    return [o for _, o in made.outputs if isinstance(o, kinds)]


def move_p1(made: Bench) -> None:
    made.feed(RecordFailure("m1"))
    made.run(made.now + 10 * SECOND)
    assert made.control_plane.failover.owner_of("p1") == "m2"


# -- asking ----------------------------------------------------------------------


def test_it_asks_everybody_and_orders_nothing_before_they_have_answered() -> None:
    old, members = bench()
    move_p1(old)
    members.cut = {"m1", "m2", "near"}
    made = reborn(old, members)
    asked = [o for _, o in made.outputs if isinstance(o, AskMaster | AskGateway)]
    assert {getattr(o, "master", None) or o.gateway for o in asked} == set(members.terms)
    assert {o.term for o in asked} == {2}
    made.run(made.now + 60 * SECOND)  # two of five are no majority
    assert ordered(made, *ORDERS, TermBegun, FailoverChanged) == []
    assert [e.new for e in made.events(StatusChanged) if e.master == "m1"][-1] is Status.FAILED
    members.cut = {"m1"}
    made.run(made.now + 2 * SECOND)
    assert len(ordered(made, TermBegun)) == 1


def test_probes_that_ended_before_begin_no_term() -> None:
    """They are told when somebody wakes it up: what that changes is the wake-up's."""
    old, _ = bench()
    made = old.control_plane.reborn()
    now = old.now + SECOND
    asked = [o for o in made.resume(now) if isinstance(o, AskMaster)]
    for question in asked:
        made.step(now + 1, MasterState(question.master, 2, (), question.claim))
    made.hand_over_probing("m1")
    patience_ns = now + AccessionSettings().patience_ns
    while (due_ns := made.next_wakeup()) < patience_ns:
        assert not any(isinstance(o, TermBegun) for o in made.step(due_ns, WakeUp()))
    times = Times([now + SECOND]), Times([MILLISECOND])
    assert made.step(patience_ns, ProbeStretch("m1", 1, Cause.OK, *times, None)) == []
    assert made.next_wakeup() == patience_ns
    assert any(isinstance(o, TermBegun) for o in made.step(patience_ns, WakeUp()))


def test_it_learns_owners_epochs_and_the_version_of_the_routing() -> None:
    old, members = bench()
    move_p1(old)
    before = max(table.version for table in members.tables.values())
    made = reborn(old, members)
    made.run(made.now + SECOND)
    (begun,) = ordered(made, TermBegun)
    assert begun.term == 2
    owners = {(owner.partition, owner.owner) for owner in begun.owners}
    assert owners == {("p1", "m2"), ("p2", "m2"), ("p3", "m3")}
    tables = [o.table for o in ordered(made, PublishRouting)]
    assert {(t.term, t.version) for t in tables} == {(2, before + 1)}
    assert {o.partition: o.owner for o in tables[0].owners}["p1"] == "m2"
    assert len(made.events(RoutingConverged)) == 1
    assert ordered(made, Fence, Promote) == []
    # Epochs of another term are other numbers.
    made.feed(RecordFailure("m2"))
    made.run(made.now + 20 * SECOND)
    promoted = ordered(made, Promote)[-1]
    assert promoted.term == 2
    assert promoted.epoch > 1 << 32


def test_one_that_does_not_answer_holds_nothing_up_and_may_accept_anything() -> None:
    old, members = bench()
    move_p1(old)
    members.hung = {"m3"}
    made = reborn(old, members)
    made.overrides[Fence] = lambda e: None
    made.run(made.now + SECOND // 4)
    assert ordered(made, TermBegun) == []
    made.run(made.now + 6 * SECOND)  # it is declared failed, and nobody waits for it any more
    assert len(ordered(made, TermBegun)) == 1
    writers = made.control_plane.failover._known.writers
    assert all(writers.accepts("m3", partition) for partition in ("p1", "p2", "p3"))
    members.hung = set()
    made.overrides[Fence] = members.answer
    made.run(made.now + HOUR // 60)
    assert made.control_plane.detection.get_healthy_masters() == ["m1", "m2", "m3"]
    assert [p for p in ("p1", "p2", "p3") if writers.accepts("m3", p)] == sorted(
        members.roles["m3"]
    )
    assert made.control_plane.failover._known.silent == set()


def test_a_failover_whose_control_plane_died_is_begun_again() -> None:
    """The owner was powered off, and nobody promoted: nothing in the configuration says so."""
    old, members = bench()
    old.overrides[TransferState] = lambda e: None
    old.feed(RecordFailure("m1"))
    old.run(old.now + SECOND)
    assert members.writers("p1") == set()
    made = reborn(old, members)
    made.run(made.now + 10 * SECOND)
    assert members.writers("p1") == {"m2"}
    first = made.events(FailoverChanged)[0]
    assert (first.master, first.partitions, first.reason) == ("m1", ("p1",), "m1 accepts no writes")
    assert ordered(made, Fence) == []  # it holds nothing: nobody needs to be powered off


def test_of_two_that_accept_the_same_writes_the_older_one_is_told_to_stop() -> None:
    old, members = bench(plane(fencing=NoFencingSettings()))
    members.cut = {"m1"}
    members.hung = {"m1"}
    old.run(old.now + 60 * SECOND)
    members.cut = members.hung = set()
    assert members.writers("p1") == {"m1", "m2"}
    made = reborn(old, members)
    made.run(made.now + 40 * SECOND)
    assert members.writers("p1") == {"m2"}
    assert made.control_plane.failover.owner_of("p1") == "m2"
    assert not made.control_plane.failover._known.writers.accepts("m1", "p1")


# -- terms -----------------------------------------------------------------------


def test_an_older_control_plane_is_refused_by_all_and_acts_no_more() -> None:
    """It was paused; another one took its place. It wakes and goes on where it stood."""
    old, members = bench()
    old.overrides[Promote] = lambda e: None
    old.feed(RecordFailure("m1"))
    old.run(old.now + SECOND)
    new = reborn(old, members)
    new.run(new.now + 20 * SECOND)
    (owner,) = members.writers("p1")
    members.serve(old)
    old.now = new.now
    old.run(old.now + 2 * SECOND)  # its promotion times out, it tries to take it back
    assert old.control_plane.term == 1 or ordered(old, TermBegun)
    assert members.writers("p1") == {owner}
    refused = [o for o in ordered(old, Promote, Demote) if o.term == 1]
    assert refused
    assert ordered(old, AskMaster)[-1].term > 2  # it has heard of the later one, and asks


@pytest.mark.parametrize(("claim", "anew"), [("", False), ("other@1", True)])
def test_who_has_granted_its_term_to_nobody_outbids_nobody(claim: str, *, anew: bool) -> None:
    """It knows the term by an order under it; what it says may answer another question."""
    made = Accession(AccessionSettings(), CLUSTER, "observer")
    made.confirm(0, 2, "observer@0")
    asked = made.take(1, MasterState("m1", 2, (), claim))
    assert bool(asked) is anew
    assert "m1" not in made.masters
    assert made.take(2, MasterState("m1", made.term, (), made.claim)) == []
    assert "m1" in made.masters


def test_two_control_planes_never_promote_under_the_same_epoch() -> None:
    """Each takes the other for dead, and they fail p1 over in turn."""
    first, members = bench(plane(fencing=NoFencingSettings()))
    second = reborn(first, members)
    for turn in range(8):
        made = (first, second)[turn % 2]
        made.now = max(first.now, second.now) + SECOND
        owner = made.control_plane.failover.owner_of("p1")
        made.feed(RecordFailure(owner, "turn"))
        made.run(made.now + 5 * SECOND)
    epochs: dict[tuple[str, int], str] = {}
    for partition, epoch, master in members.ever:
        assert epochs.setdefault((partition, epoch), master) == master
    assert len({epoch for _, epoch, _ in members.ever}) >= 4


def test_an_order_to_power_off_does_not_outlive_the_term() -> None:
    """Whoever is outbid takes back what it has asked, and the next term what others have."""
    made, members = bench()
    members.cut = {"m1"}
    made.overrides[Fence] = lambda e: None  # it takes its time
    made.feed(RecordFailure("m1"))
    (fence,) = ordered(made, Fence)
    made.feed(RoutingAck("near", 1, 1, term=7))
    (cancel,) = ordered(made, CancelFence)
    assert (cancel.master, cancel.order, cancel.failover) == ("m1", fence.order, fence.failover)
    made.run(made.now + 2 * SECOND)
    # It acts again, under a later term than all: nothing of before is left, and it orders anew.
    _, *rest = ordered(made, CancelFence)
    assert [(c.master, c.order, c.term) for c in rest] == [(m, 0, 8) for m in ("m1", "m2", "m3")]
    assert [order.term for order in ordered(made, Fence)] == [1, 8]


def test_a_term_begins_with_one_order_about_a_master_however_many_wait_for_it() -> None:
    """A second power-off would strike a master that is back by then."""
    old, members = bench()
    members.cut = {"m1", "m3"}
    made = reborn(old, members)
    made.overrides[Fence] = lambda e: None
    made.run(made.now + 2 * MINUTE)
    waits = [f for f in made.control_plane.failover.get_active_failovers() if f.fencing == "m1"]
    assert [failover.master for failover in waits] == ["m1", "m3"]
    made.feed(RoutingAck("near", 1, 1, term=7))
    made.run(made.now + SECOND)
    assert made.control_plane.term == 8
    assert [ended.term for ended in made.events(TermEnded)] == [2]
    assert [order.master for order in ordered(made, Fence) if order.term == 8] == ["m1"]


def test_an_owner_that_was_promoted_anew_is_not_promoted_beside() -> None:
    """m1 was fenced, and another control plane has given p1 back to it before this one goes on."""
    made, members = bench()
    made.overrides[Promote] = lambda e: None  # it is lost
    made.feed(RecordFailure("m1"))
    made.run(made.now + SECOND)
    (order,) = ordered(made, Promote)
    assert (order.target, members.writers("p1")) == ("m2", set())
    members.roles["m1"]["p1"] = order.epoch + 5
    members.serve(made)
    made.feed(RoutingAck("near", 1, 1, term=7))
    made.run(made.now + 10 * SECOND)
    assert made.control_plane.term == 8
    assert made.events(FailoverChanged)[-1].trigger == "superseded"
    assert ordered(made, Promote) == [order]
    assert members.writers("p1") == {"m1"}
    assert made.control_plane.failover.owner_of("p1") == "m1"


def test_whoever_has_taken_over_unheard_is_not_left_for_an_owner_that_returns() -> None:
    made, members = bench()

    def unheard(order: Effect) -> None:
        members.answer(order)

    made.overrides[Promote] = unheard
    made.feed(RecordFailure("m1"))
    made.run(made.now + SECOND)
    assert members.writers("p1") == {"m2"}
    made.feed(RoutingAck("near", 1, 1, term=7))
    made.run(made.now + MILLISECOND)
    (begun,) = ordered(made, TermBegun)
    assert [each.owner for each in begun.owners if each.partition == "p1"] == ["m2"]
    made.feed(RecordRecovery("m1"))
    assert made.events(StatusChanged)[-1].new is Status.HEALTHY
    assert "owner-recovered" not in [change.trigger for change in made.events(FailoverChanged)]
    members.serve(made)
    made.run(made.now + 20 * SECOND)
    assert members.writers("p1") == {made.control_plane.failover.owner_of("p1")}


def test_an_acknowledgement_of_another_term_is_no_agreement() -> None:
    old, members = bench()
    made = reborn(old, members)
    made.run(made.now + SECOND)
    table = made.control_plane.balancing.routing.table
    made.feed(RoutingAck("near", table.version, 1, 1))
    (refused,) = made.events(InputRefused)
    assert "of term 1" in refused.reason


def test_a_later_term_while_it_asks_is_outbid() -> None:
    old, members = bench()
    members.terms["m3"] = 9
    made = reborn(old, members)
    made.run(made.now + SECOND)
    assert made.control_plane.term == 10
    assert set(members.terms.values()) == {10}


# -- snapshots -------------------------------------------------------------------


@pytest.mark.parametrize("state", ["fencing", "transferring", "promoting", "redirecting"])
def test_restored_in_the_middle_of_a_failover_it_gives_back_what_was_under_way(state: str) -> None:
    """Not after the time-outs of orders that died with the old one: within seconds."""
    kind = {
        "fencing": Fence,
        "transferring": TransferState,
        "promoting": Promote,
        "redirecting": PublishRouting,
    }[state]
    old, members = bench()
    old.overrides[kind] = lambda e: None
    old.feed(RecordFailure("m1"))
    old.run(old.now + SECOND // 2)
    (under_way,) = old.control_plane.failover.get_active_failovers()
    assert under_way.state == state
    made = reborn(old, members, snapshot=old.control_plane.freeze())
    began = made.now
    made.run(made.now + 60 * SECOND)
    done = next(
        t for t, o in made.outputs if isinstance(o, FailoverChanged) and o.new == "completed"
    )
    assert done - began < SECOND
    assert members.writers("p1") == {"m2"}
    assert ordered(made, ServiceFailed) == []
    assert {o.failover for o in ordered(made, FailoverChanged)} == {1}


def test_an_old_snapshot_knows_by_asking_what_it_did_not_live_to_see() -> None:
    old, members = bench()
    snapshot = old.control_plane.freeze()
    move_p1(old)
    versions = {table.version for table in members.tables.values()}
    made = reborn(old, members, snapshot=snapshot)
    made.run(made.now + 20 * SECOND)
    assert made.control_plane.failover.owner_of("p1") == "m2"
    assert ordered(made, Fence, Promote) == []
    assert {t.version for t in members.tables.values()} == {max(versions) + 1}
    assert {o.partition: o.owner for o in members.tables["near"].owners}["p1"] == "m2"


def test_a_restart_is_no_evidence_against_anybody() -> None:
    """Probes that were under way, and those that were due meanwhile, are sent anew."""
    old, members = bench()
    snapshot = old.control_plane.freeze()
    old.now += 10 * 60 * SECOND
    made = reborn(old, members, snapshot=snapshot)
    made.run(made.now + 60 * SECOND)
    assert made.events(StatusChanged) == []


def test_a_snapshot_of_another_configuration_is_refused() -> None:
    old, _ = bench()
    other = plane()
    for wrong in (
        ControlPlane(cluster(3)),
        plane(transfer_timeout_ns=7 * SECOND),
    ):
        with pytest.raises(ValueError, match="of another configuration: "):
            wrong.restore(old.control_plane.freeze())
    other.restore(old.control_plane.freeze())


def test_a_late_hello_or_state_changes_nothing_for_the_worse() -> None:
    made, members = bench()
    move_p1(made)
    before = made.control_plane.failover.owner_of("p1")
    made.feed(MasterState("m1", 1, (Ownership("p1", "m1", 1),)))
    made.feed(GatewayHello("near", 1, 1, 1, (Ownership("p1", "m1", 1),)))
    made.run(made.now + 10 * SECOND)
    assert made.control_plane.failover.owner_of("p1") == before
    assert members.tables["near"].version >= 2
    assert [o for o in made.events(OwnerChanged) if o.owner == "m1"] == []


def test_a_gateway_refuses_tables_of_an_older_term() -> None:
    made = GatewayService(BalancingSettings(), CLUSTER, "near")
    hello = made.asked(3)
    assert (hello.term, hello.version, len(hello.owners)) == (3, 1, 3)
    old = RoutingTable(9, ("m1",), hello.owners, "round-robin", term=2)
    assert made.apply_routing(0, old) == RoutingAck("near", 1, 1, 3)
    new = dataclasses.replace(old, version=2, term=3)
    assert made.apply_routing(1, new) == RoutingAck("near", 2, 1, 3)
    assert made.standing.eligible_masters() == ["m1"]
    assert made.asked(1).term == 3
    again = GatewayService.restore(BalancingSettings(), CLUSTER, "near", made.freeze())
    assert again.freeze() == made.freeze()


def test_a_term_is_granted_once_however_often_one_starts_anew() -> None:
    """A second one without a memory guesses the same term as the first: it is taken by then."""
    made, members = bench()
    terms = []
    for _ in range(4):
        made = reborn(made, members)
        made.run(made.now + SECOND)
        terms.append(made.control_plane.term)
    assert terms == [2, 3, 4, 5]


# -- a majority before each failover -------------------------------------------------


def careful() -> tuple[Bench, Members]:
    confirming = AccessionSettings(majority="before-failover")
    return bench(ControlPlane(CLUSTER, accession=confirming))


def test_one_that_is_cut_off_powers_nobody_off() -> None:
    made, members = careful()
    members.cut = set(members.terms)
    made.run(made.now + 120 * SECOND)
    assert made.control_plane.detection.get_failed_masters() == ["m1", "m2", "m3"]
    assert ordered(made, Fence, Promote, FailoverChanged) == []
    members.cut = set()
    made.run(made.now + 120 * SECOND)
    assert made.control_plane.detection.get_failed_masters() == []
    assert ordered(made, Fence, Promote, FailoverChanged) == []
    assert made.control_plane.term == 1
    made, members = bench()  # without that it does
    members.cut = set(members.terms)
    made.run(made.now + 120 * SECOND)
    assert {o.master for o in ordered(made, Fence)} == {"m1", "m2", "m3"}


def test_a_dead_master_is_failed_over_as_soon_as_the_others_have_confirmed() -> None:
    made, members = careful()
    members.hung = {"m1"}
    made.run(made.now + 60 * SECOND)
    assert members.writers("p1") == {"m2"}
    declared = next(t for t, o in made.outputs if isinstance(o, StatusChanged) and o.new is FAILED)
    fenced = next(t for t, o in made.outputs if isinstance(o, Fence))
    assert fenced - declared == MILLISECOND  # one round trip
    assert made.control_plane.term == 1


def test_who_asks_for_confirmation_and_was_succeeded_asks_anew() -> None:
    old, members = careful()
    new = reborn(old, members)
    new.run(new.now + SECOND)
    members.serve(old)
    old.now = new.now
    members.hung = {"m1"}
    old.feed(RecordFailure("m1"))
    old.run(old.now + 20 * SECOND)
    assert old.control_plane.term == 3
    assert [o.term for o in ordered(old, Fence)] == [3]


def test_an_owner_that_is_well_again_gets_its_own_back_where_nobody_else_can_have_it() -> None:
    """Once a failover: it is asked no more than anybody else."""
    made, members = bench(plane(if_none="fail", retry="by-election"))
    move_p1(made)
    members.hung = {"m1", "m3"}
    made.run(made.now + MINUTE)
    del members.roles["m2"]["p1"]
    made.feed(members.answer(AskMaster("m2", 1)))
    made.run(made.now + SECOND)
    assert made.events(FailoverChanged)[-1].trigger == "verified"
    assert members.writers("p1") == {"m2"}


def test_a_healthy_owner_is_not_powered_off_for_what_it_does_not_serve() -> None:
    """It accepts no writes of p1, which nobody can take over, and serves p2."""
    made, members = bench(plane(if_none="fail", retry="by-election"))
    move_p1(made)
    members.hung = {"m1", "m3"}
    made.run(made.now + MINUTE)  # m2 has p3 as well by now
    del members.roles["m2"]["p1"]
    made.overrides[Promote] = lambda e: PromoteResult(
        e.failover, e.target, Cause.REFUSED, e.epoch, e.order, e.term
    )
    made.feed(members.answer(AskMaster("m2", 1)))
    made.run(made.now + SECOND)
    assert made.events(FailoverChanged)[-1].trigger == "give-up"
    made.overrides[Fence] = lambda e: None
    made.feed(RecordFailure("m2"))
    made.run(made.now + SECOND)
    (order,) = (fence for fence in ordered(made, Fence) if fence.master == "m2")
    made.feed(RecordRecovery("m2"))
    made.run(made.now + SECOND)
    recall = ordered(made, CancelFence)[-1]
    assert (recall.master, recall.order) == ("m2", order.order)
    made.feed(FenceResult(order.failover, "m2", confirmed=False, order=order.order, term=1))
    made.run(made.now + SECOND)
    all_of_it, own = [step for step in made.events(FailoverChanged) if not step.old][-2:]
    assert (all_of_it.partitions, own.partitions) == (("p1", "p2", "p3"), ("p1",))
    assert members.writers("p2") == {"m2"}
    assert [fence for fence in ordered(made, Fence) if fence.master == "m2"] == [order]
