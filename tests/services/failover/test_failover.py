"""The orchestrator: the lifecycle table, and every way a failover can go."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.events import (
    Copy,
    Demote,
    DiscardTransfer,
    FailoverChanged,
    Fence,
    FenceResult,
    OwnerChanged,
    Promote,
    PublishRouting,
    StatusChanged,
    TransferResult,
    TransferState,
)
from hasim.model import Cause, Status
from hasim.services.control_plane import ControlPlane
from hasim.services.failover import (
    ConfirmedSettings,
    FailoverSettings,
    NoFencingSettings,
    lifecycle,
)
from hasim.services.failover.lifecycle import (
    LIFECYCLE,
    TERMINAL,
    IllegalTransitionError,
    advance,
)
from hasim.services.failover.transfer import torn_because
from hasim.units import HOUR, MILLISECOND, MINUTE, SECOND
from tests.services.bench import Bench, cluster, demoted, fenced, promoted, whole


def bench(count: int = 3, **failover) -> Bench:
    made = Bench(ControlPlane(cluster(count), failover=FailoverSettings(**failover)))
    made.run(SECOND)
    return made


def path(made: Bench) -> list[str]:
    return [e.new for e in made.events(FailoverChanged)]


def order(made: Bench, *kinds: type) -> list[str]:
    return [type(o).__name__ for _, o in made.outputs if isinstance(o, kinds)]


# -- the table -----------------------------------------------------------------


def test_every_state_is_reachable_and_every_path_can_end() -> None:
    reachable, frontier = {""}, [""]
    while frontier:
        for state in LIFECYCLE[frontier.pop()].values():
            if state not in reachable:
                reachable.add(state)
                frontier.append(state)
    assert reachable == set(LIFECYCLE)
    ends = set(TERMINAL)
    for _ in LIFECYCLE:
        ends |= {s for s, row in LIFECYCLE.items() if set(row.values()) & ends}
    assert ends == set(LIFECYCLE)


def leads_to(state: str) -> set[str]:
    """Every state that can follow, sooner or later, and itself."""
    found, frontier = {state}, [state]
    while frontier:
        new = set(LIFECYCLE[frontier.pop()].values()) - found
        found |= new
        frontier += new
    return found


def test_before_a_promotion_is_known_every_failover_can_still_be_cancelled() -> None:
    for state in LIFECYCLE.keys() - lifecycle.PROMOTED - TERMINAL - {""}:
        assert lifecycle.CANCELLED in leads_to(state)


def test_after_a_promotion_there_is_no_way_back() -> None:
    for state in lifecycle.PROMOTED:
        row = LIFECYCLE[state].items()
        assert {new for trigger, new in row if trigger != "superseded"} <= lifecycle.PROMOTED


def test_nobody_is_promoted_without_a_transfer_and_nothing_is_transferred_before_the_choice() -> (
    None
):
    def before(state: str) -> set[str]:
        return {old for old, row in LIFECYCLE.items() if state in row.values()}

    assert before(lifecycle.PROMOTING) == {lifecycle.TRANSFERRING}
    assert before(lifecycle.TRANSFERRING) == {lifecycle.SELECTING, lifecycle.HANDING_OVER}
    assert before(lifecycle.HANDING_OVER) <= {lifecycle.CATCHING_UP, lifecycle.HANDING_OVER}
    assert before(lifecycle.REDIRECTING) == {lifecycle.PROMOTING}


@given(
    st.lists(st.sampled_from(sorted({t for row in LIFECYCLE.values() for t in row})), max_size=40)
)
def test_a_random_walk_keeps_to_the_table_and_ends_only_in_a_terminal_state(triggers) -> None:
    state = ""
    for trigger in triggers:
        if trigger in LIFECYCLE[state]:
            state = advance(state, trigger)
        else:
            with pytest.raises(IllegalTransitionError):
                advance(state, trigger)
    assert (not LIFECYCLE[state]) == (state in TERMINAL)


@given(st.sampled_from(sorted(LIFECYCLE)), st.text(max_size=12))
def test_an_illegal_trigger_raises_and_names_the_legal_ones(state: str, trigger: str) -> None:
    if trigger in LIFECYCLE[state]:
        return
    with pytest.raises(IllegalTransitionError) as caught:
        advance(state, trigger)
    assert all(legal in str(caught.value) for legal in LIFECYCLE[state])


def test_an_illegal_trigger_changes_nothing() -> None:
    made = bench()
    orchestrator = made.control_plane.failover
    made.down["m1"] = Cause.REFUSED
    made.run(60 * SECOND)
    before = orchestrator.freeze()
    with pytest.raises(IllegalTransitionError):
        orchestrator.rollback_failover(made.now, 1, "too late")
    assert orchestrator.freeze() == before


# -- paths ---------------------------------------------------------------------


def test_fence_before_transfer_before_promote_before_redirect() -> None:
    made = bench()
    made.down["m1"] = Cause.REFUSED
    made.run(60 * SECOND)
    steps = order(made, Fence, TransferState, Promote, OwnerChanged)
    assert steps == ["Fence", "TransferState", "Promote", "OwnerChanged"]
    tables = [o.table for _, o in made.outputs if isinstance(o, PublishRouting)]
    assert [o.owner for o in tables[-1].owners] == ["m2", "m2", "m3"]


def test_nothing_is_promoted_while_the_fence_is_unconfirmed() -> None:
    made = bench(fencing=ConfirmedSettings(attempts=3, timeout_ns=SECOND))
    made.overrides[Fence] = lambda effect: None
    made.down["m1"] = None
    made.run(40 * SECOND)
    assert order(made, Promote) == []
    assert len(order(made, Fence)) >= 3
    assert "failed" in path(made)


def test_a_failed_failover_is_tried_again() -> None:
    made = bench(fencing=ConfirmedSettings(attempts=1, timeout_ns=SECOND))
    made.overrides[Fence] = lambda effect: fenced(effect, confirmed=effect.failover > 2)
    made.down["m1"] = Cause.REFUSED
    made.run(80 * SECOND)
    endings = [e.new for e in made.events(FailoverChanged) if e.new in TERMINAL]
    assert endings == ["failed", "failed", "completed"]


@pytest.mark.parametrize("answer", ["torn", "checksum", "missing", "refused", "silence"])
def test_a_transfer_that_is_not_whole_goes_to_the_next_candidate(answer: str) -> None:
    made = bench()

    def transfer(effect: TransferState) -> TransferResult | None:
        if effect.target != "m2":
            return whole(effect)
        torn = Copy("p1", "m3", 7, 100, 1, 50, 2)
        corrupt = Copy("p1", "m3", 7, 100, 1, 100, 2)
        return {
            "torn": TransferResult(effect.failover, "m2", Cause.OK, (torn,), effect.order),
            "checksum": TransferResult(effect.failover, "m2", Cause.OK, (corrupt,), effect.order),
            "missing": TransferResult(effect.failover, "m2", Cause.OK, (), effect.order),
            "refused": TransferResult(effect.failover, "m2", Cause.REFUSED, order=effect.order),
            "silence": None,
        }[answer]

    made.overrides[TransferState] = transfer
    made.down["m1"] = Cause.REFUSED
    made.run(90 * SECOND)
    (moved,) = made.events(OwnerChanged)
    assert moved.owner == "m3"
    assert order(made, DiscardTransfer, Promote) == ["DiscardTransfer", "Promote"]
    assert len({e.failover for e in made.events(FailoverChanged)}) == 1


def test_a_promotion_without_an_answer_is_demoted_before_the_next_one() -> None:
    made = bench()
    made.overrides[Promote] = lambda e: None if e.target == "m2" else promoted(e)
    made.down["m1"] = Cause.REFUSED
    made.run(90 * SECOND)
    assert order(made, Promote, Demote) == ["Promote", "Demote", "Promote"]
    promotes = [o for _, o in made.outputs if isinstance(o, Promote)]
    (demote,) = [o for _, o in made.outputs if isinstance(o, Demote)]
    assert promotes[0].epoch < demote.epoch <= promotes[1].epoch


@pytest.mark.parametrize("answer", [Cause.ERROR, None])
def test_an_unconfirmed_demotion_fences_the_candidate(answer: Cause | None) -> None:
    """Once it is declared failed: a healthy owner is asked again instead of powered off."""
    made = bench()
    made.overrides[Promote] = lambda e: None if e.target == "m2" else promoted(e)
    made.overrides[Demote] = lambda e: None if answer is None else demoted(e, answer)
    made.down["m1"] = Cause.REFUSED
    made.run(35 * SECOND)
    assert [o.master for _, o in made.outputs if isinstance(o, Fence)] == ["m1"]
    assert order(made, Demote)[1:]
    made.down["m2"] = Cause.REFUSED
    made.run(90 * SECOND)
    fenced = [o.master for _, o in made.outputs if isinstance(o, Fence)]
    assert fenced == ["m1", "m2"]
    # m2, off now, was the owner of p2: that moves too.
    assert {(e.partition, e.owner) for e in made.events(OwnerChanged)} == {
        ("p1", "m3"),
        ("p2", "m3"),
    }


def test_a_candidate_where_nobody_listens_is_declared_failed_and_powered_off_at_once() -> None:
    """Its host refuses the order: that is a verdict, and what it owns moves as well."""
    made = bench()
    made.overrides[Promote] = lambda e: promoted(e, Cause.RESET if e.target == "m2" else Cause.OK)
    made.overrides[Demote] = lambda e: demoted(e, Cause.REFUSED)
    made.down["m1"] = Cause.REFUSED
    made.run(10 * SECOND)
    made.down["m2"] = Cause.REFUSED
    made.run(90 * SECOND)
    (told_ns,) = [t for t, o in made.outputs if isinstance(o, Demote) and o.target == "m2"]
    (off_ns,) = [t for t, o in made.outputs if isinstance(o, Fence) and o.master == "m2"]
    assert off_ns == told_ns + MILLISECOND  # with the answer, not with a check that fails
    (declared,) = [
        e for e in made.events(StatusChanged) if e.master == "m2" and e.new is Status.FAILED
    ]
    assert declared.reason == "nobody listens: demotion: refused"
    assert {(e.partition, e.owner) for e in made.events(OwnerChanged)} == {
        ("p1", "m3"),
        ("p2", "m3"),
    }


def test_a_candidate_that_was_told_to_stop_is_powered_off_with_its_declaration() -> None:
    made = bench(demote_retry_ns=20 * SECOND)
    made.overrides[Promote] = lambda e: None if e.target == "m2" else promoted(e)
    made.overrides[Demote] = lambda e: None
    made.down["m1"] = Cause.REFUSED
    while len(order(made, Demote)) < 2:  # in rolling back, then instead of a power-off
        made.run(made.now + SECOND)
    made.down["m2"] = Cause.REFUSED
    made.run(made.now + MINUTE)
    declared = [
        t
        for t, e in made.outputs
        if isinstance(e, StatusChanged) and e.master == "m2" and e.new is Status.FAILED
    ]
    off = [t for t, o in made.outputs if isinstance(o, Fence) and o.master == "m2"]
    assert off[:1] == declared[:1]


def test_a_candidate_that_is_declared_failed_is_left_at_once() -> None:
    made = bench()
    made.overrides[TransferState] = lambda e: None if e.target == "m2" else whole(e)
    made.down["m1"] = Cause.REFUSED
    made.run(31 * SECOND)
    assert path(made)[-1] == "transferring"
    plane = made.control_plane

    def declare(now: int) -> list:
        return plane.detection.record_failure(now, "m2", "pager")

    made._take(plane._guarded(made.now, "detection", declare))
    left = next(e for e in made.events(FailoverChanged) if e.trigger == "candidate-failed")
    assert left.candidate == "m2"
    assert plane.failover.get_active_failovers()[0].candidate == "m3"


def test_nobody_eligible_waits_until_somebody_is() -> None:
    made = bench(2)
    made.down.update(m1=Cause.REFUSED, m2=Cause.REFUSED)
    made.run(70 * SECOND)
    assert "waiting" in path(made)
    made.down.clear()
    made.run(200 * SECOND)
    assert made.control_plane.failover.get_active_failovers() == []
    assert {e.owner for e in made.events(OwnerChanged)} <= {"m1", "m2"}


def test_without_fencing_a_returning_owner_is_told_to_step_down() -> None:
    made = bench(fencing=NoFencingSettings())
    made.down["m1"] = None
    made.run(60 * SECOND)
    assert order(made, Fence) == []
    made.down.clear()
    made.run(120 * SECOND)
    (demote,) = [o for _, o in made.outputs if isinstance(o, Demote)]
    assert (demote.target, demote.partitions) == ("m1", ("p1",))


def test_a_returning_owner_is_told_until_it_confirms() -> None:
    made = bench(fencing=NoFencingSettings())
    answer, up = made._answer, []
    made.overrides[Demote] = lambda e: answer(e) if len(up) == 3 else None
    made.down["m1"] = None
    made.run(60 * SECOND)
    made.down.clear()
    while made.control_plane.detection.get_all_master_statuses()["m1"] is Status.FAILED:
        made.run(made.now + SECOND // 10)
    told = len(order(made, Demote))
    made.run(made.now + SECOND // 2)
    up += [1, 2, 3]
    made.run(made.now + SECOND)  # so long after the first order that it could hear
    heard = len(order(made, Demote))
    assert heard > told
    made.run(300 * SECOND)
    assert len(order(made, Demote)) == heard


def test_a_master_that_took_over_can_be_failed_over_itself() -> None:
    made = bench(4)
    made.down["m1"] = Cause.REFUSED
    made.run(60 * SECOND)
    made.down["m2"] = Cause.REFUSED
    made.run(120 * SECOND)
    last = [e for e in made.events(OwnerChanged) if e.failover == 2]
    assert {(e.partition, e.owner) for e in last} == {("p1", "m3"), ("p2", "m3")}
    assert {e.epoch for e in last} == {3}  # beyond both partitions' epochs


def test_a_silent_gateway_cannot_hold_a_failover_up() -> None:
    made = Bench(ControlPlane(cluster(3, ("near", "cut-off"))))
    made.run(SECOND)
    answer = made._answer
    made.overrides[PublishRouting] = lambda e: None if e.gateway == "cut-off" else answer(e)
    made.down["m1"] = Cause.REFUSED
    made.run(90 * SECOND)
    assert [(e.new, e.trigger) for e in made.events(FailoverChanged)[-2:]] == [
        ("verifying", "timed-out"),
        ("completed", "verified"),
    ]


def promoting(made: Bench) -> Promote:
    """Run until somebody has been told to promote, and nobody answers."""
    made.overrides[Promote] = lambda e: None
    made.down["m1"] = Cause.REFUSED
    while not order(made, Promote):
        made.run(made.now + SECOND // 10)
    return next(o for _, o in made.outputs if isinstance(o, Promote))


def test_an_answer_to_an_earlier_order_is_not_taken_for_this_one() -> None:
    made = bench(2)
    first = promoting(made)
    while len(order(made, Promote)) < 2:
        made.run(made.now + SECOND // 10)
    second = [o for _, o in made.outputs if isinstance(o, Promote)][1]
    assert (second.failover, second.target) == (first.failover, first.target)
    made.feed(promoted(first))
    assert path(made)[-1] == "promoting"
    made.overrides[Demote] = lambda e: None
    while path(made)[-1] != "rolling-back":
        made.run(made.now + SECOND // 10)
    earlier, later = [o for _, o in made.outputs if isinstance(o, Demote)]
    made.feed(demoted(earlier))
    assert path(made)[-1] == "rolling-back"
    made.feed(demoted(later))
    assert path(made)[-1] != "rolling-back"


def powering_off(made: Bench, master: str) -> Fence:
    """Have a master declared failed on somebody's word; the fencing device does not answer."""
    made.overrides[Fence] = lambda e: None
    plane = made.control_plane
    made._take(
        plane._guarded(
            made.now, "detection", lambda now: plane.detection.record_failure(now, master, "pager")
        )
    )
    made.overrides.pop(Fence)
    return [o for _, o in made.outputs if isinstance(o, Fence)][-1]


def test_a_candidate_that_is_powered_off_is_not_taken_for_the_owner() -> None:
    """Another failover may fence the candidate between its promotion and its answer."""
    made = bench(3)
    order_ = promoting(made)
    assert order_.target == "m2"
    made.overrides.pop(Promote)
    made.feed(fenced(powering_off(made, "m2")))
    made.feed(promoted(order_))
    made.run(made.now + 10 * SECOND)
    owners = {e.partition: e.owner for e in made.events(OwnerChanged)}
    assert owners == {"p1": "m3", "p2": "m3"}


def test_a_power_off_that_comes_late_moves_what_the_master_owns_by_then() -> None:
    """The answer to an order that was given up: the master restarts as a standby, unnoticed."""
    made = bench(
        3, fencing=ConfirmedSettings(attempts=1, timeout_ns=SECOND), retry_interval_ns=HOUR
    )
    made.down["m2"] = None
    given_up = powering_off(made, "m2")
    made.run(made.now + 10 * SECOND)
    assert path(made)[-1] == "failed"
    made.feed(fenced(given_up))
    made.run(made.now + 10 * SECOND)
    assert [(e.partition, e.owner) for e in made.events(OwnerChanged)] == [("p2", "m1")]


def test_two_failovers_that_wait_for_one_power_off_ask_again_when_it_fails() -> None:
    made = bench(3, fencing=ConfirmedSettings(attempts=10))
    made.overrides[Promote] = lambda e: None if e.target == "m2" else promoted(e)
    made.overrides[Demote] = lambda e: demoted(e, Cause.REFUSED)
    orders = itertools.count(1)

    def power_off(effect: Fence) -> FenceResult | None:
        """The first and third order for m2 stay unanswered, the second and fourth fail."""
        if effect.master == "m1":
            return fenced(effect)
        number = next(orders)
        silent = number in (1, 3)
        return None if silent else fenced(effect, confirmed=number > 4)

    made.overrides[Fence] = power_off
    made.down.update(m1=Cause.REFUSED)
    while not order(made, Promote):
        made.run(made.now + SECOND // 10)
    made.down["m2"] = Cause.REFUSED
    plane = made.control_plane
    made._take(
        plane._guarded(
            made.now, "detection", lambda now: plane.detection.record_failure(now, "m2", "pager")
        )
    )
    made.run(made.now + SECOND // 10)
    assert {f.fencing for f in plane.failover.get_active_failovers()} == {"m2"}
    made.run(made.now + 30 * SECOND)
    assert next(orders) == 6  # five orders in all, never two at a time
    owners = {e.partition: e.owner for e in made.events(OwnerChanged)}
    assert owners == {"p1": "m3", "p2": "m3"}
    assert "failed" not in path(made)


def test_a_fenced_owner_that_is_healthy_again_is_no_end_of_its_failover() -> None:
    """It came back as a standby: the retry of the failover that was given up stands."""
    made = bench(2, fencing=ConfirmedSettings(attempts=1, timeout_ns=SECOND))
    made.overrides[Promote] = lambda e: None
    made.overrides[Demote] = lambda e: demoted(e, Cause.REFUSED)
    made.overrides[Fence] = lambda e: fenced(e, confirmed=e.master == "m1")
    made.down["m1"] = Cause.REFUSED
    while "failed" not in path(made):
        made.run(made.now + SECOND // 10)
    made.down.clear()
    for kind in (Promote, Demote, Fence):
        made.overrides.pop(kind)
    plane = made.control_plane
    made._take(
        plane._guarded(
            made.now, "detection", lambda now: plane.detection.record_recovery(now, "m1", "pager")
        )
    )
    made.run(made.now + 60 * SECOND)
    assert "p1" in {e.partition for e in made.events(OwnerChanged)}


def test_an_owner_that_was_told_to_step_down_has_not_recovered() -> None:
    """A lone master is its own backup; after a demotion it must be promoted anew."""
    made = bench(1)
    made.overrides[Promote] = lambda e: None
    made.down["m1"] = Cause.REFUSED
    made.run(60 * SECOND)
    made.down.clear()
    while not order(made, Demote):
        made.run(made.now + SECOND // 10)
    made.overrides.pop(Promote)
    made.run(made.now + 60 * SECOND)
    assert path(made)[-1] == "completed"
    assert [(e.partition, e.owner) for e in made.events(OwnerChanged)] == [("p1", "m1")]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["ok", "no", "silence"]), min_size=1, max_size=12))
def test_whatever_goes_wrong_a_promotion_always_follows_a_confirmed_fence(answers) -> None:
    """Random answers to every order: never two owners that nobody fenced or demoted."""
    made = bench(3, fencing=ConfirmedSettings(attempts=2, timeout_ns=SECOND))
    script = itertools.cycle(answers)

    def scripted(ok, no):
        def answer(effect):
            return {"ok": ok, "no": no, "silence": lambda e: None}[next(script)](effect)

        return answer

    made.overrides[Fence] = scripted(
        fenced,
        lambda e: fenced(e, confirmed=False),
    )
    made.overrides[TransferState] = scripted(
        whole, lambda e: TransferResult(e.failover, e.target, Cause.ERROR, order=e.order)
    )
    made.overrides[Promote] = scripted(
        promoted,
        lambda e: promoted(e, Cause.REFUSED),
    )
    made.overrides[Demote] = scripted(
        demoted,
        lambda e: demoted(e, Cause.REFUSED),
    )
    made.down["m1"] = Cause.REFUSED
    made.run(150 * SECOND)
    # Whoever may accept writes: the owner at first, then whoever was told to promote.
    writers = {f"p{i}": {f"m{i}"} for i in (1, 2, 3)}
    for _, output in made.outputs:
        if isinstance(output, FailoverChanged) and output.trigger in ("fenced", "one-fenced"):
            for accepting in writers.values():
                accepting.discard(output.reason.split()[0])
        if isinstance(output, FailoverChanged) and output.trigger == "rolled-back":
            for partition in output.partitions:
                writers[partition].discard(output.candidate)
        if isinstance(output, Promote):
            for partition in output.partitions:
                assert writers[partition] <= {output.target}
                writers[partition] = {output.target}
    assert made.events(FailoverChanged)
    times = [entry.t_ns for entry in made.control_plane.failover.get_failover_history()]
    assert times == sorted(times)
    for failover in made.control_plane.failover.get_active_failovers():
        assert failover.deadline_ns is not None


# -- small pieces ----------------------------------------------------------------


def test_a_copy_is_whole_only_if_size_and_checksum_agree() -> None:
    good = Copy("p1", "m2", 3, 10, 99, 10, 99)
    assert torn_because((good,), ("p1",)) == ""
    assert "missing" in torn_because((good,), ("p1", "p2"))
    assert "5 of 10 bytes" in torn_because((Copy("p1", "m2", 3, 10, 99, 5, 99),), ("p1",))
    assert "checksum" in torn_because((Copy("p1", "m2", 3, 10, 99, 10, 98),), ("p1",))


def test_terminal_states_are_the_documented_ones() -> None:
    assert {lifecycle.COMPLETED, lifecycle.CANCELLED, lifecycle.FAILED} == TERMINAL
