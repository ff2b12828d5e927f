"""What each answer does to the failover that waits for it, and what the audit trail says of it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from hasim.events import (
    AskMaster,
    ConfirmOff,
    Demote,
    DemoteResult,
    FailoverChanged,
    Fence,
    FenceResult,
    GatewayHello,
    InputRefused,
    MasterState,
    OwnerChanged,
    Promote,
    PromoteResult,
    RecordFailure,
    StatusChanged,
    TransferResult,
    TransferState,
)
from hasim.model import Cause, Ownership, Status
from hasim.services.accession import Heard
from hasim.services.control_plane import ControlPlane
from hasim.services.failover import ConfirmedSettings, FailoverSettings, StepDownSettings
from hasim.services.failover.answers import _refused
from hasim.services.failover.fencing.manual import ManualSettings
from hasim.units import MINUTE, SECOND
from tests.services.bench import Bench, cluster, demoted, fenced, promoted, whole


def bench(count: int = 3, **failover) -> Bench:
    made = Bench(ControlPlane(cluster(count), failover=FailoverSettings(**failover)))
    made.run(SECOND)
    return made


def until(made: Bench, kind: type) -> object:
    """Run until somebody is given an order of this kind, which nobody answers; the order."""
    made.overrides[kind] = lambda order: None
    for _ in range(1000):
        found = [o for _, o in made.outputs if isinstance(o, kind)]
        if found:
            return found[-1]
        made.run(made.now + SECOND // 10)
    raise AssertionError(f"no {kind.__name__}")


def demotions(made: Bench) -> list[Demote]:
    """All orders to stop, in order."""
    return [out for _, out in made.outputs if isinstance(out, Demote)]


def says(made: Bench, answer: object) -> list[tuple[str, str]]:
    """The steps that an answer leads to."""
    before = len(made.events(FailoverChanged))
    made.feed(answer)
    return [(e.trigger, e.reason) for e in made.events(FailoverChanged)[before:]]


def refusals(made: Bench) -> list[InputRefused]:
    return made.events(InputRefused)


# -- the sender of what is refused -----------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind", "sender"),
    [
        (FenceResult(1, "m1", confirmed=True), "FenceResult", "fencing device"),
        (PromoteResult(1, "m2", Cause.OK, 2), "PromoteResult", "m2"),
        (DemoteResult(1, "m3", Cause.OK, 2), "DemoteResult", "m3"),
    ],
)
def test_what_is_refused_names_what_it_was_and_who_sent_it(answer, kind, sender) -> None:
    assert _refused(answer, "late") == [InputRefused(kind, sender, "late")]


# -- the word of an operator -----------------------------------------------------


def test_the_word_that_a_master_is_off_moves_what_it_owned() -> None:
    made = bench(2, fencing=ManualSettings())
    made.down["m1"] = None
    made.run(5 * MINUTE)
    (waiting,) = made.control_plane.failover.get_active_failovers()
    assert (waiting.state, waiting.fencing) == ("fencing", "m1")
    steps = says(made, ConfirmOff("m1"))
    assert steps[0] == ("fenced", "m1 is off, an operator says")
    assert made.control_plane.failover.freeze()["off_by_word"] == ["m1"]
    made.run(made.now + MINUTE)
    assert [(o.partition, o.owner) for o in made.events(OwnerChanged)] == [("p1", "m2")]
    assert refusals(made) == []


def test_that_word_is_refused_of_a_master_that_is_healthy_or_that_nobody_waits_for() -> None:
    made = bench(3, fencing=ManualSettings())
    made.feed(ConfirmOff("m3"))
    assert refusals(made) == [InputRefused("ConfirmOff", "operator", "m3 is declared healthy")]
    made.down["m1"] = None
    made.run(5 * MINUTE)
    made.feed(ConfirmOff("m1"))
    made.run(made.now + MINUTE)
    made.feed(ConfirmOff("m1"))
    assert refusals(made)[1:] == [
        InputRefused("ConfirmOff", "operator", "no failover waits for m1 to be off")
    ]


def test_that_word_is_kept_once_and_moves_nothing_that_is_not_being_fenced() -> None:
    made = bench(3, fencing=ManualSettings())
    made.down["m1"] = None
    made.run(5 * MINUTE)
    made.overrides[TransferState] = lambda order: None
    made.feed(ConfirmOff("m1"))
    (waiting,) = made.control_plane.failover.get_active_failovers()
    assert waiting.state == "transferring"
    assert says(made, ConfirmOff("m1")) == []
    assert waiting.state == "transferring"
    assert made.control_plane.failover.freeze()["off_by_word"] == ["m1"]


# -- a promotion that is known by what a master says ------------------------------


def test_a_promotion_by_role_ends_with_all_partitions_accepted_under_its_epoch() -> None:
    made = bench(2, promotion="by-role")
    made.down["m1"] = Cause.REFUSED
    order = until(made, Promote)
    assert isinstance(order, Promote)

    def state(master: str = "m2", owner: str = "m2", above: int = 0) -> MasterState:
        known = tuple(Ownership(p, owner, order.epoch + above) for p in order.partitions)
        return MasterState(master, order.term, known)

    assert says(made, promoted(order)) == []  # the answer alone is none
    for other in (
        state(owner=""),
        state(owner="m1"),
        state(above=1),
        state(above=-1),
        state(master="m1"),
        MasterState("m2", order.term, ()),
    ):
        assert [t for t, _ in says(made, other) if t == "promoted"] == [], other
    assert says(made, state())[0] == ("promoted", "m2 accepts writes")
    assert [(o.partition, o.owner, o.epoch) for o in made.events(OwnerChanged)] == [
        ("p1", "m2", order.epoch)
    ]


def test_a_word_from_before_its_promotion_says_nothing_of_what_a_master_accepts() -> None:
    made = bench(2)
    made.down["m1"] = Cause.REFUSED
    order = until(made, Promote)
    says(made, promoted(order))

    def writers() -> dict[str, int]:
        return made.control_plane.failover.freeze()["writers"]["epochs"]["p1"]

    for before in ((), (Ownership("p1", "", order.epoch - 1),), (Ownership("p1", "m2", 1),)):
        says(made, MasterState("m2", order.term, before))
        assert writers()["m2"] == order.epoch, before
    says(made, MasterState("m2", order.term, (Ownership("p1", "", order.epoch),)))
    assert "m2" not in writers()


def test_by_answer_what_a_master_says_promotes_nobody() -> None:
    made = bench(2)
    made.down["m1"] = Cause.REFUSED
    order = until(made, Promote)
    known = (Ownership("p1", "m2", order.epoch), Ownership("p2", "m2", 1))
    assert says(made, MasterState("m2", order.term, known)) == []
    assert says(made, promoted(order))[0] == ("promoted", "m2 accepts writes")


# -- the reasons that the audit trail has ------------------------------------------


def test_a_refusal_of_the_device_is_the_reason_of_the_next_order() -> None:
    made = bench(2, fencing=ConfirmedSettings(attempts=2))
    made.down["m1"] = Cause.REFUSED
    order = until(made, Fence)
    assert says(made, fenced(order, confirmed=False)) == [
        ("not-fenced", "the fencing device reports failure; again in 1s")
    ]


def test_what_was_not_powered_off_in_time_is_recalled() -> None:
    made = bench(2)
    made.down["m1"] = Cause.REFUSED
    order = until(made, Fence)
    made.down.clear()
    while made.control_plane.failover.get_active_failovers()[0].state != "aborting":
        made.run(made.now + SECOND // 10)
    order = [o for _, o in made.outputs if isinstance(o, Fence)][-1]
    assert says(made, fenced(order, confirmed=False)) == [("recalled", "m1 was not powered off")]


def test_a_confirmation_says_who_is_off() -> None:
    made = bench(2)
    made.down["m1"] = Cause.REFUSED
    assert says(made, fenced(until(made, Fence)))[0] == ("fenced", "m1 is off")


def test_a_transfer_has_what_it_brought_or_why_it_failed() -> None:
    made = bench(3)
    made.down["m1"] = Cause.REFUSED
    order = until(made, TransferState)
    broken = TransferResult(order.failover, order.target, Cause.RESET, (), order.order, order.term)
    assert says(made, broken)[0] == ("refused", f"transfer: {Cause.RESET}")
    other = bench(3)
    other.down["m1"] = Cause.REFUSED
    steps = says(other, whole(until(other, TransferState)))
    assert steps[0] == ("transferred", "verified: p1 at write 7")


@pytest.mark.parametrize(("cause", "sent"), [(Cause.REFUSED, False), (Cause.RESET, True)])
def test_a_promotion_that_fails_may_have_been_carried_out_if_the_connection_broke(
    cause: Cause, sent: bool
) -> None:
    made = bench(3)
    made.down["m1"] = Cause.REFUSED
    order = until(made, Promote)
    (failover,) = made.control_plane.failover.get_active_failovers()
    made.overrides[Demote] = lambda order: None
    assert says(made, promoted(order, cause))[0] == ("refused", f"promotion: {cause}")
    if sent:
        assert (failover.state, failover.promotion_sent) == ("rolling-back", True)
    else:
        assert not failover.promotion_sent


# -- an owner that is told to step down ---------------------------------------------


def stepping_down(**fencing) -> tuple[Bench, Demote]:
    made = bench(2, fencing=StepDownSettings(**fencing))
    made.down["m1"] = Cause.REFUSED
    order = until(made, Demote)
    assert isinstance(order, Demote)
    assert order.target == "m1"
    return made, order


def test_an_owner_that_confirms_its_demotion_is_fenced() -> None:
    made, order = stepping_down()
    assert says(made, demoted(order))[0] == ("fenced", "m1 confirms its demotion")


@pytest.mark.parametrize("cause", [Cause.RESET, Cause.TIMEOUT])
def test_an_owner_that_does_not_is_told_again_or_waited_for(cause: Cause) -> None:
    made, order = stepping_down()
    steps = says(made, demoted(order, cause))
    assert [trigger for trigger, _ in steps if trigger in ("fenced", "one-fenced")] == []
    assert {reason for _, reason in steps} == {f"demotion: {cause}; again in 1s"}


# -- who is asked, and under which epoch ----------------------------------------------


def test_a_copy_is_fetched_from_all_but_the_candidate_and_the_failed_owner() -> None:
    made = bench(4)
    made.down["m1"] = Cause.REFUSED
    order = until(made, TransferState)
    assert isinstance(order, TransferState)
    assert (order.target, order.sources) == ("m2", ("m3", "m4"))


def test_a_master_under_suspicion_takes_nothing_over() -> None:
    made = bench(3)
    made.down["m2"] = Cause.REFUSED
    while [e.new for e in made.events(StatusChanged) if e.master == "m2"][-1] != Status.SUSPECT:
        made.run(made.now + SECOND // 10)
    made.feed(RecordFailure("m1", "pager"))
    order = until(made, Promote)
    assert isinstance(order, Promote)
    assert order.target == "m3"


def test_a_restored_plane_promotes_under_an_epoch_above_all_that_were() -> None:
    made = bench(3)
    made.down["m1"] = Cause.REFUSED
    made.run(MINUTE)
    other = made.control_plane.reborn()
    other.restore(json.loads(json.dumps(made.control_plane.freeze())))
    made.control_plane = other
    made.down["m2"] = Cause.REFUSED
    made.run(2 * MINUTE)
    epochs = [(o.target, o.epoch) for _, o in made.outputs if isinstance(o, Promote)]
    assert epochs == [("m2", 2), ("m3", 3)]


@pytest.mark.parametrize("answers", [False, True])
def test_a_candidate_that_failed_before_the_term_began_is_left(answers: bool) -> None:
    """Unless it answers: then it is checked first, and nothing is taken back by what was."""
    made, order = transferring()
    assert order.target == "m2"
    said = {name: MasterState(name, 2, ()) for name in (("m2", "m3") if answers else ("m3",))}
    statuses = {"m1": Status.FAILED, "m2": Status.FAILED, "m3": Status.HEALTHY}
    out = made.control_plane.failover.accede(made.now, Heard(2, said, {}, statuses))
    ordered = [o.target for o in out if isinstance(o, TransferState)]
    steps = [e for e in out if isinstance(e, FailoverChanged) and e.master == "m1"]
    left = [(e.candidate, e.reason) for e in steps][:1]
    if answers:
        assert (ordered, left) == (["m2"], [])
    else:
        assert ordered == ["m3"]
        assert left == [("m2", "declared failed before the term began")]


def test_who_was_promoted_and_failed_before_the_term_began_is_failed_over_itself() -> None:
    """A gateway says so; the failover that promoted it moves nothing any more."""
    made, order = transferring()
    made.overrides[Promote] = lambda order: None
    made.feed(whole(order))
    (promotion,) = [o for _, o in made.outputs if isinstance(o, Promote)]
    owned = Ownership("p1", "m2", promotion.epoch)
    gateways = {"local": GatewayHello("local", 1, 9, 1, (owned,))}
    statuses = {"m1": Status.FAILED, "m2": Status.FAILED, "m3": Status.HEALTHY}
    said = {"m3": MasterState("m3", 2, (Ownership("p3", "m3", 1),))}
    out = made.control_plane.failover.accede(made.now, Heard(2, said, gateways, statuses))
    steps = [(e.master, e.new, e.trigger) for e in out if isinstance(e, FailoverChanged)]
    assert steps[0] == ("m1", "cancelled", "superseded")
    active = made.control_plane.failover.get_active_failovers()
    assert [(f.master, f.partitions) for f in active if "p1" in f.partitions] == [
        ("m2", ("p1", "p2"))
    ]


# -- a promotion that is taken back ----------------------------------------------------


def taking_back() -> tuple[Bench, Promote, Demote]:
    """The promotion of m2 broke off; m2 is told to step down."""
    made = bench(3)
    made.down["m1"] = Cause.REFUSED
    order = until(made, Promote)
    made.overrides[Demote] = lambda order: None
    made.feed(promoted(order, Cause.RESET))
    back = [o for _, o in made.outputs if isinstance(o, Demote)][-1]
    assert (back.target, back.epoch) == ("m2", order.epoch + 1)
    return made, order, back


def test_a_demotion_that_is_confirmed_frees_the_failover_for_the_next_candidate() -> None:
    made, _, back = taking_back()
    steps = says(made, demoted(back))
    assert steps[0] == ("rolled-back", "m2 confirms its demotion")
    (failover,) = made.control_plane.failover.get_active_failovers()
    assert (failover.state, failover.candidate) == ("transferring", "m3")
    assert not made.control_plane.failover._known.writers.accepts("m2", "p1")


def test_a_demotion_that_is_not_confirmed_keeps_it_back() -> None:
    made, _, back = taking_back()
    steps = says(made, demoted(back, Cause.TIMEOUT))
    assert "rolled-back" not in [trigger for trigger, _ in steps]
    assert all(reason.startswith("demotion: timeout") for _, reason in steps)
    made, _, back = taking_back()
    steps = says(made, demoted(back, Cause.REFUSED))
    assert [t for t, _ in steps][:1] == ["unconfirmed"]
    assert steps[0][1] == "demotion: refused"
    (order,) = [o for _, o in made.outputs if isinstance(o, Fence)][1:]
    assert order.master == "m2"


def test_an_answer_whose_failover_has_gone_on_is_late() -> None:
    made, order, back = taking_back()
    made.feed(demoted(back))
    made.feed(demoted(back))
    late = refusals(made)[-1]
    assert (late.input, late.sender) == ("DemoteResult", "m2")
    made = bench(3)
    made.down["m1"] = Cause.REFUSED
    order = until(made, Promote)
    made.overrides[Demote] = lambda order: None
    while made.control_plane.failover.get_active_failovers()[0].state == "promoting":
        made.run(made.now + SECOND // 10)
    assert says(made, promoted(order)) == []
    assert refusals(made) == [InputRefused("PromoteResult", "m2", "late: its failover has gone on")]


def test_a_refused_request_to_step_down_is_made_again_after_a_pause() -> None:
    """Its host answers at once, and would be told as often as the network carries it."""
    made, order = stepping_down()
    (step,) = says(made, demoted(order, Cause.REFUSED))
    assert step == ("not-fenced", "demotion: refused; again in 1s")
    before = len(made.outputs)
    made.run(made.now + SECOND)
    again = [o for _, o in made.outputs[before:] if isinstance(o, Demote)]
    assert again == [dataclasses.replace(order, order=order.order + 1)]


def test_who_obeys_a_demotion_of_no_failover_is_asked_what_it_accepts() -> None:
    answers = bench().control_plane.failover._answers
    answered = DemoteResult(0, "m3", Cause.OK, 2)
    assert answers._demoted(SECOND, answered) == [AskMaster("m3", 1)]


@pytest.mark.parametrize("which", [TransferState, Promote])
def test_a_candidate_that_turns_out_to_be_off_is_left_if_that_was_ordered_after_it(
    which: type,
) -> None:
    made = bench(3)
    made.down["m1"] = Cause.REFUSED
    until(made, which)
    (failover,) = made.control_plane.failover.get_active_failovers()
    orders = made.control_plane.failover._known.orders
    late = orders.issue(Fence(failover.id, "m2"))
    made.overrides[Demote] = lambda order: None
    steps = says(made, fenced(late))
    assert ("candidate-failed", "m2 was powered off") in [
        (trigger, reason.partition(";")[0]) for trigger, reason in steps
    ]
    assert failover.candidate != "m2" or failover.state == "rolling-back"


# -- what a transfer brought ---------------------------------------------------------


def transferring(**failover) -> tuple[Bench, TransferState]:
    made = bench(3, **failover)
    made.down["m1"] = Cause.REFUSED
    order = until(made, TransferState)
    assert isinstance(order, TransferState)
    return made, order


def test_a_torn_transfer_is_told_with_what_is_missing_and_the_next_one_is_tried() -> None:
    made, order = transferring()
    steps = says(made, dataclasses.replace(whole(order), copies=()))
    assert steps[0] == ("torn", "p1 is missing")
    (failover,) = made.control_plane.failover.get_active_failovers()
    assert (failover.state, failover.candidate) == ("transferring", "m3")


@pytest.mark.parametrize(
    ("behind_ns", "first"),
    [
        (10 * SECOND, ("transferred", "verified: p1 at write 7")),
        (10 * SECOND + 1, ("lagging", "p1: the copy is 10s1ns behind, more than 10s")),
    ],
)
def test_a_copy_that_is_too_old_is_told_with_its_age(behind_ns, first) -> None:
    made, order = transferring(max_lag_ns=10 * SECOND)
    (copy,) = whole(order).copies
    copies = (dataclasses.replace(copy, behind_ns=behind_ns),)
    assert says(made, dataclasses.replace(whole(order), copies=copies))[0] == first


def test_a_transfer_that_ends_after_its_candidate_was_left_is_late() -> None:
    made, order = transferring()
    (failover,) = made.control_plane.failover.get_active_failovers()
    while failover.candidate == "m2":
        made.run(made.now + SECOND // 10)
    assert failover.state == "transferring"
    assert says(made, whole(order)) == []
    assert refusals(made) == [
        InputRefused("TransferResult", "m2", "late: its failover has gone on")
    ]


@pytest.mark.parametrize("cause", [Cause.REFUSED, Cause.RESET])
def test_only_who_refuses_a_promotion_is_known_not_to_accept_writes(cause: Cause) -> None:
    made = bench(3)
    made.down["m1"] = Cause.REFUSED
    order = until(made, Promote)
    writers = made.control_plane.failover._known.writers
    assert writers.accepts("m2", "p1")
    made.overrides[Demote] = lambda order: None
    made.feed(promoted(order, cause))
    assert writers.accepts("m2", "p1") is (cause is Cause.RESET)


def test_a_change_of_owner_names_its_failover() -> None:
    made = bench(2)
    made.down["m1"] = Cause.REFUSED
    made.run(MINUTE)
    assert [e.failover for e in made.events(OwnerChanged)] == [1]


def test_a_late_answer_to_a_demotion_is_refused_unless_it_obeys() -> None:
    made, _, back = taking_back()
    while [o for _, o in made.outputs if isinstance(o, Demote)][-1] is back:
        made.run(made.now + SECOND // 10)
    made.feed(demoted([o for _, o in made.outputs if isinstance(o, Demote)][-1]))
    before = len(refusals(made))
    made.feed(demoted(back, Cause.REFUSED))
    assert refusals(made)[before:] == [
        InputRefused("DemoteResult", "m2", "late: its failover has gone on")
    ]


# -- whoever is fenced is no danger any more, by whatever news ---------------------


def waiting_for_a_candidate(**failover) -> Bench:
    """By hand: m1 is off by word, and m2, which was told to take over, has not been heard since."""
    made = bench(3, fencing=ManualSettings(), **failover)
    made.down["m1"] = None
    made.run(5 * MINUTE)
    made.overrides[Promote] = made.overrides[Demote] = lambda order: None
    made.feed(ConfirmOff("m1"))
    made.down["m2"] = None
    made.run(made.now + 2 * MINUTE)
    waiting, own = made.control_plane.failover.get_active_failovers()
    assert (waiting.master, waiting.state, waiting.fencing) == ("m1", "fencing", "m2")
    assert (own.master, own.state, own.fencing) == ("m2", "fencing", "m2")
    made.overrides.clear()
    return made


def test_a_candidate_that_is_fenced_by_hand_is_told_to_stop_when_it_is_back() -> None:
    made = waiting_for_a_candidate()
    told = len(demotions(made))
    del made.down["m2"]
    made.run(made.now + MINUTE)
    again = demotions(made)[told]
    assert (again.target, again.epoch) == ("m2", 3)  # it had been given epoch 2
    assert made.control_plane.failover.get_active_failovers() == []
    assert [(o.partition, o.owner) for o in made.events(OwnerChanged)][-1][0] == "p1"


def test_it_goes_on_when_another_failover_hears_that_it_has_stopped() -> None:
    """m2 took over from m1 and fails; m1 might still accept writes, and is back first."""
    made = bench(3, fencing=ManualSettings())
    made.down["m1"] = None
    made.run(5 * MINUTE)
    made.feed(ConfirmOff("m1"))
    made.run(made.now + 2 * SECOND)
    made.down["m2"] = None
    made.run(made.now + 5 * MINUTE)
    (second,) = made.control_plane.failover.get_active_failovers()
    assert (second.master, second.fencing) == ("m2", "m2")  # the word on m1 holds
    del made.down["m1"]
    made.run(made.now + MINUTE)
    assert made.control_plane.failover.freeze()["off_by_word"] == []
    assert (second.state, second.fencing) == ("fencing", "m2")
    assert says(made, ConfirmOff("m2"))[0] == ("fenced", "m2 is off, an operator says")


def test_whoever_gives_up_beside_a_healthy_owner_moves_nothing_and_tells_the_others() -> None:
    """It would begin anew, with a switchover of an owner that has nothing wrong."""
    made = waiting_for_a_candidate(limit_ns=9 * MINUTE)
    del made.down["m1"]
    made.run(made.now + 15 * MINUTE)
    (*_, last) = [e for e in made.events(FailoverChanged) if e.master == "m1"]
    assert (last.new, last.trigger) == ("cancelled", "owner-recovered")
    assert made.events(OwnerChanged) == []
    told = len(demotions(made))
    del made.down["m2"]
    made.run(made.now + MINUTE)
    # Until it has said what it accepts, for which nobody answers here.
    later = demotions(made)[told:]
    assert {(order.target, order.partitions) for order in later} == {("m2", ("p1",))}
